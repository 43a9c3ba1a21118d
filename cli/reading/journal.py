"""A look into the runner's journal for the end of one attempt, which stands there before the log has it.

The runner gives a segment to the next attempt as soon as one has ended. Who follows an attempt must know of its end by
then, or take the next one's output for its own. The end's line is in the journal before anything else starts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from holdfast.events.records import OutputRange

_CHUNK_BYTES: Final = 1024 * 1024


class _Status(msgspec.Struct):
    token: str
    output: tuple[OutputRange, ...] = ()


class _End(msgspec.Struct):
    end: _Status


_decoder: Final = msgspec.json.Decoder(_End)


class EndWatch:
    """Watches the journal at `path` for the end of the attempt with this token."""

    def __init__(self, path: Path, token: str) -> None:
        self._path = path
        self._token = token.encode()
        self._file: int | None = None
        self._rest = b""
        self._found: tuple[OutputRange, ...] | None = None

    def look(self) -> tuple[OutputRange, ...] | None:
        """Where the attempt's output ended up, or None if the journal does not say that it has ended."""
        if self._found is None:
            self._find_journal()
            while self._file is not None and self._found is None:
                data = os.read(self._file, _CHUNK_BYTES)
                if not data:
                    break
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._take(line)
        return self._found

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _find_journal(self) -> None:
        """Go on with the file at hand, or from the start of the one that has taken its place."""
        try:
            there = self._path.stat()
        except OSError:
            return
        if self._file is not None:
            here = os.fstat(self._file)
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                return
            self.close()
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self._rest = b""

    def _take(self, line: bytes) -> None:
        if line.startswith(b'{"end"') and self._token in line:
            try:
                status = _decoder.decode(line).end
            except msgspec.DecodeError:
                return  # the runner skips such a line, too
            if status.token.encode() == self._token:
                self._found = status.output
