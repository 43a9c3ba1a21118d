"""Reading the log in order, checked: no gaps, and every event known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.codec import decode_event
from holdfast.events.facts import Event, HomeCreated

from .connection import translated
from .contract import StoredEvent
from .errors import DamagedLog
from .views import VIEWS_SEQ

_SELECT: Final = "select seq, time, type, version, author, cause, data from events where seq > ? order by seq"


def newest_seq(connection: apsw.Connection) -> int:
    """The position of the newest event, 0 for an empty log."""
    row = connection.execute("select max(seq) from events").fetchone()
    assert row is not None, "an aggregate gives one row"
    return row[0] or 0


def read_events(connection: apsw.Connection, path: Path, after: int) -> Iterator[tuple[StoredEvent, Event]]:
    """The log after a position. Raises DamagedLog for a gap, Damaged for an event that can't be read."""
    expected = after
    with translated(path):
        for row in connection.execute(_SELECT, (after,)):
            stored = StoredEvent(*row)
            expected += 1
            if stored.seq != expected:
                raise DamagedLog(path, f"event {expected} is missing")
            yield stored, decode_event(stored.type, stored.version, stored.data)


def home_id(connection: apsw.Connection, path: Path) -> str | None:
    """The home's id from the first event, or None for an empty log."""
    for _, event in read_events(connection, path, 0):
        if isinstance(event, HomeCreated):
            return event.home
        raise DamagedLog(path, "its first event is not home_created")
    return None


def views_seq(connection: apsw.Connection) -> int:
    """How far the views have followed the log."""
    row = connection.execute("select value from meta where name = ?", (VIEWS_SEQ,)).fetchone()
    return 0 if row is None else int(row[0])
