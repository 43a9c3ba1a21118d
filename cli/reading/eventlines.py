"""Events as lines of JSON, as `log --json` and `run --json` print them."""

from __future__ import annotations

import os
from typing import Final

import msgspec

from holdfast.store.contract import StoredEvent
from holdfast.store.listing import format_time
from holdfast.store.reader import Reader

_STANDARD_OUTPUT: Final = 1
_PIECE_BYTES: Final = 64 * 1024

_encoder: Final = msgspec.json.Encoder()


class EventLine(msgspec.Struct, frozen=True):
    """The contract of `log --json`; `time` is RFC 3339, UTC, with microseconds."""

    seq: int
    time: str
    type: str
    author: str
    cause: int | None
    data: msgspec.Raw


def json_line(stored: StoredEvent) -> bytes:
    """The event as one line of JSON; its data goes out as it was stored."""
    data = msgspec.Raw(stored.data.encode())
    line = EventLine(stored.seq, format_time(stored.time), stored.type, stored.author, stored.cause, data)
    return _encoder.encode(line) + b"\n"


class EventPrinter:
    """Prints to standard output what has come into the log since it was last asked, as long as somebody reads it."""

    def __init__(self, reader: Reader, after: int) -> None:
        self._reader = reader
        self._after = after
        self._heard = True

    def print_new(self) -> None:
        """Print the events since the last call."""
        if not self._heard:
            return
        lines: list[bytes] = []
        size_bytes = 0
        for stored, _ in self._reader.events(self._after):
            self._after = stored.seq
            lines.append(json_line(stored))
            size_bytes += len(lines[-1])
            if size_bytes > _PIECE_BYTES:
                self._write(b"".join(lines))
                lines, size_bytes = [], 0
        self._write(b"".join(lines))

    def _write(self, data: bytes) -> None:
        # Past Python's own buffer, whose lock a thread that waits for a slow reader would hold for good.
        try:
            while data and self._heard:
                data = data[os.write(_STANDARD_OUTPUT, data) :]
        except BrokenPipeError:
            self._heard = False  # as with `| head`: no reason to leave the flow alone
