"""The bytes of a flow, from a regular file or standard input, within bounds that hold before anything is read whole."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO, Final

from holdfast.events.errors import BadInput

from .jsonlflow import LINE_MAX_BYTES, too_long

FILE_MAX_BYTES: Final = 2**30
TOML_MAX_BYTES: Final = 16 * 2**20
STANDARD_INPUT: Final = "-"

_PIECE_BYTES: Final = 2**20
_WAYS: Final = "give a regular file, or - for standard input"


def read_input(path: Path, source: str, *, lines: bool | None) -> bytes:
    """All bytes of the file, or of standard input for `-`.

    `lines`: whether it is JSON Lines; None where its first character is to decide. `source` is its name in messages.
    Raises BadInput for what is no readable regular file, or passes a bound.
    """
    try:
        if str(path) == STANDARD_INPUT:
            if sys.stdin is None:  # where a parent closed it
                raise BadInput("there is no standard input", where=source, remedy="give a file")
            return _read(sys.stdin.buffer, source, lines=lines)
        # Without O_NONBLOCK a named pipe would wait for its writer before it can be seen to be one.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            _check_kind(status.st_mode, source)
            if status.st_size > FILE_MAX_BYTES:
                raise _too_big(source, FILE_MAX_BYTES)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return _read(file, source, lines=lines)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(error, source) from None
    except ValueError:
        raise BadInput("the path holds a NUL character", where=source, remedy=_WAYS) from None


def is_jsonl(data: bytes) -> bool:
    """Whether this is JSON Lines rather than TOML: its first character is a brace, with which no TOML begins."""
    return data[: 2 * _PIECE_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def check_size(size_bytes: int, source: str, *, lines: bool) -> None:
    """Raise BadInput for a flow that is too big."""
    limit_bytes = FILE_MAX_BYTES if lines else TOML_MAX_BYTES
    if size_bytes > limit_bytes:
        raise _too_big(source, limit_bytes)


def _read(file: BinaryIO, source: str, *, lines: bool | None) -> bytes:
    pieces: list[bytes] = []
    size_bytes = unbroken_bytes = 0
    number = 1
    while piece := file.read(_PIECE_BYTES):
        if lines is None:
            lines = is_jsonl(piece)
        pieces.append(piece)
        size_bytes += len(piece)
        check_size(size_bytes, source, lines=lines)
        end = piece.rfind(b"\n")
        unbroken_bytes = unbroken_bytes + len(piece) if end < 0 else len(piece) - end - 1
        number += piece.count(b"\n")
        if lines and unbroken_bytes > LINE_MAX_BYTES:
            raise too_long(source, number)
    return b"".join(pieces)


def _check_kind(mode: int, source: str) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a folder" if stat.S_ISDIR(mode) else "a named pipe" if stat.S_ISFIFO(mode) else "a device"
    raise BadInput(f"this is {kind}", where=source, remedy=_WAYS)


def _too_big(source: str, limit_bytes: int) -> BadInput:
    if limit_bytes == TOML_MAX_BYTES:
        remedy = "write big flows as JSON Lines (.jsonl), which are read several times faster"
        return BadInput(f"TOML of more than {limit_bytes} bytes", where=source, remedy=remedy)
    return BadInput(f"a flow of more than {limit_bytes} bytes", where=source, remedy="divide it")


def _unreadable(error: OSError, source: str) -> BadInput:
    match error:
        case FileNotFoundError():
            return BadInput("there is no such file", where=source, remedy=_WAYS)
        case PermissionError():
            return BadInput("it may not be read", where=source, remedy="give yourself the permission to read it")
        case _:
            return BadInput(f"it can't be read: {error.strerror}", where=source, remedy=_WAYS)
