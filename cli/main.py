"""The entrance of the command line: parse, find the home, do it; every error becomes a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from holdfast import __version__
from holdfast.events.errors import HoldfastError
from holdfast.store.home import Home, find_home

from .arguments import COMMANDS, build_parser

INTERRUPTED: Final = 130
MISTAKE: Final = 3
TRACEBACK: Final = "HOLDFAST_TRACEBACK"


class CommandModule(Protocol):
    """What a command's module has."""

    def execute(self, arguments: Namespace, home: Home) -> int:
        """Do it; returns the exit code. Raises HoldfastError."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own arguments); returns the exit code."""
    _prepare_streams()
    try:
        arguments = build_parser(__version__).parse_args(argv)
        home = find_home(getattr(arguments, "home", None), os.environ, Path.cwd())
        module = import_module(f"{__package__}.commands.{COMMANDS[arguments.chosen].module}")
        code = cast("CommandModule", module).execute(arguments, home)
        sys.stdout.flush()
    except HoldfastError as error:
        _complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as with `| head`; what is left in the buffer must not raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if os.environ.get(TRACEBACK) == "1":
            raise
        sys.stderr.write(f"holdfast: the system refuses: {error}; see to that, then look with `holdfast jobs`\n")
        return MISTAKE
    except Exception as error:
        if os.environ.get(TRACEBACK) == "1":
            raise
        what = f"{type(error).__name__}: {error}"
        sys.stderr.write(
            f"holdfast: a mistake of Holdfast's own, please report it: {what}; {TRACEBACK}=1 shows where\n"
        )
        return MISTAKE
    else:
        return code


def _prepare_streams() -> None:
    """Let a closed stream be an empty one, and a character that a stream can't show be escaped."""
    if sys.stdout is None:  # so it is where it was closed
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(error: HoldfastError) -> None:
    sys.stderr.write(f"holdfast: {error}\n")
