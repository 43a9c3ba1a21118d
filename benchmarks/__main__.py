"""`./dev bench`: run one benchmark, all of them, compare two runs, or draw flame graphs.

Exit codes: 0 done; 1 done, and a budget was missed or a ratio fell below the baseline; 2 bad usage or bad input; 130
interrupted, with nothing left behind.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks import comparison, everything, profile
from benchmarks.catalogue import BENCHMARKS
from benchmarks.catalogue import COMMANDS as MORE_COMMANDS
from benchmarks.single import run_one

INTERRUPTED: Final = 130
COMMANDS: Final = {
    each.name: each for each in (everything.COMMAND, comparison.COMMAND, profile.COMMAND, *MORE_COMMANDS.values())
}


def listed() -> str:
    """A line for each benchmark and command."""
    known = {name: each.about for name, each in (BENCHMARKS | COMMANDS).items()}
    width = max(map(len, known))
    return "\n".join(f"  {name:{width}}  {about}" for name, about in known.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="What Holdfast costs, each figure as a ratio to a bare limit measured in the same run.",
        epilog=f"names:\n{listed()}\n\n./dev bench NAME --help says what each takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", choices=["list", *BENCHMARKS, *COMMANDS], help="one of those below")
    return parser


def main(words: Sequence[str]) -> int:
    """Do what `words` say; the exit code. Raises SystemExit for bad usage."""
    code = INTERRUPTED
    try:
        code = _run(words)
    except* KeyboardInterrupt:  # also one that Trio has put into a group
        sys.stderr.write("interrupted\n")
    return code


def _run(words: Sequence[str]) -> int:
    name = words[0] if words else ""
    if name in COMMANDS:
        return COMMANDS[name].main(words[1:])
    if name in BENCHMARKS:
        return run_one(BENCHMARKS[name], words[1:])
    parser = _parser()
    parser.parse_args(words)
    print(listed())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
