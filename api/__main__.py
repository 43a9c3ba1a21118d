"""Lets `python -m holdfast` do what the command `holdfast` does."""

import sys

from holdfast.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
