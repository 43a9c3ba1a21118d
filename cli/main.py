"""The entrance of the command line: parse, find the home, do it; every error becomes a sentence and an exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, TextIO, cast

from holdfast import __version__
from holdfast.events.errors import BadInput, HoldfastError
from holdfast.store.home import Home, find_home

from .arguments import COMMANDS, build_parser
from .interrupts import INTERRUPTED, interrupt_from_now_on
from .screen.remarks import remark

MISTAKE: Final = 3
TRACEBACK: Final = "HOLDFAST_TRACEBACK"
_NO_OUTPUT: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class CommandModule(Protocol):
    """What a command's module has."""

    def execute(self, arguments: Namespace, home: Home) -> int:
        """Do it; returns the exit code. Raises HoldfastError."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own arguments); returns the exit code."""
    _prepare_streams()
    try:
        return _guarded(argv)
    finally:
        for stream in (sys.stdout, sys.stderr):
            _settle(stream)


def _guarded(argv: Sequence[str] | None) -> int:
    try:
        return _run(argv)
    except HoldfastError as error:
        remark(f"holdfast: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 0  # the reader has gone, as with `| head`
    except OSError as error:
        if os.environ.get(TRACEBACK) == "1":
            raise
        remark(f"holdfast: {_refusal(error)}")
        return MISTAKE
    except Exception as error:
        if os.environ.get(TRACEBACK) == "1":
            raise
        what = f"{type(error).__name__}: {error}"
        remark(f"holdfast: a mistake of Holdfast's own, please report it: {what}; {TRACEBACK}=1 shows where")
        return MISTAKE


def _run(argv: Sequence[str] | None) -> int:
    arguments, unknown = build_parser(__version__).parse_known_args(argv)
    if unknown:  # told by the command's own parser, which shows what it takes
        cast("ArgumentParser", arguments.parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    home = find_home(getattr(arguments, "home", None), os.environ, _working_folder())
    module = import_module(f"{__package__}.commands.{COMMANDS[arguments.chosen].module}")
    interrupt_from_now_on()
    code = cast("CommandModule", module).execute(arguments, home)
    sys.stdout.flush()
    return code


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        remedy = "change to a folder that exists, and ask again"
        raise BadInput("the working folder has been removed", remedy=remedy) from None


def _prepare_streams() -> None:
    """Let a closed stream be an empty one, and a character that a stream can't show be escaped."""
    if sys.stdin is None:  # so it is where it was closed
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - as long as the process
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _settle(stream: TextIO) -> None:
    """Pass on what is in the buffer, or let it go nowhere: at exit it would raise, and change the exit code."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _refusal(error: OSError) -> str:
    if error.filename is None and error.errno in _NO_OUTPUT:
        # Of files of our own, errors have names, or were turned into HoldfastErrors.
        return f"standard output can't be written ({error.strerror}); what was asked for may be done: `holdfast jobs`"
    return f"the system refuses: {error}; see to that, then look with `holdfast jobs`"
