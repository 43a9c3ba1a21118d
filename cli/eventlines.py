"""Events as lines of JSON, as `log --json` and `run --json` print them."""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from holdfast.store.contract import StoredEvent
from holdfast.store.listing import format_time
from holdfast.store.reader import Reader

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
    """Prints to standard output what has come into the log since it was last asked."""

    def __init__(self, reader: Reader, after: int) -> None:
        self._reader = reader
        self._after = after

    def print_new(self) -> None:
        """Print the events since the last call."""
        for stored, _ in self._reader.events(self._after):
            self._after = stored.seq
            sys.stdout.buffer.write(json_line(stored))
        sys.stdout.flush()
