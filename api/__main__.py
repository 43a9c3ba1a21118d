"""The entrance of `python -m holdfast` and of the command `holdfast`."""

import sys

from holdfast.cli.interrupts import end_at_once


def main() -> int:
    """Run the command line of this process; returns the exit code."""
    end_at_once()
    from holdfast.cli.main import main as run  # noqa: PLC0415 - nothing large is imported before Ctrl-C is heard

    try:
        return run()
    finally:
        # What was asked for is done or undone by now, and said.
        end_at_once()


if __name__ == "__main__":
    sys.exit(main())
