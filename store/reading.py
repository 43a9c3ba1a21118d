"""Reading the log in order, checked: no gaps, and every event known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.codec import decode_event
from holdfast.events.errors import Damaged
from holdfast.events.facts import Event, HomeCreated

from .contract import StoredEvent
from .errors import DamagedLog
from .statements import number, select
from .views import VIEWS_SEQ

# A line of the log as it stands in the table; the fields of a StoredEvent.
Line = tuple[int, int, str, int, str, int | None, str]
LINE: Final[type[Line]] = tuple[int, int, str, int, str, int | None, str]
COLUMNS: Final = "seq, time, type, version, author, cause, data"
_SELECT: Final = f"select {COLUMNS} from events where seq > ? order by seq"  # noqa: S608 - the names are ours

# What a fold needs of a line, which is read a third faster.
_FACT: Final[type[tuple[int, int, str, int, str]]] = tuple[int, int, str, int, str]
_SELECT_FACTS: Final = "select seq, time, type, version, data from events where seq <= ? order by seq"
ALL: Final = 2**63 - 1  # above every position


def newest_seq(connection: apsw.Connection) -> int:
    """The position of the newest event, 0 for an empty log. Raises Unavailable."""
    return number(connection, "select max(seq) from events")


def read_events(connection: apsw.Connection, path: Path, after: int) -> Iterator[tuple[StoredEvent, Event]]:
    """The log after a position; reading holds a snapshot until the last event.

    Raises DamagedLog for a gap and for an event that can't be read, Unavailable for a log that can't.
    """
    expected = after
    for row in select(connection, LINE, _SELECT, (after,)):
        expected += 1
        if row[0] != expected:
            raise DamagedLog(path, f"event {expected} is missing")
        try:
            event = decode_event(row[2], row[3], row[6])
        except Damaged as error:
            raise DamagedLog(path, f"event {expected}: {error}") from error
        yield StoredEvent(*row), event


def read_facts(connection: apsw.Connection, path: Path, until: int = ALL) -> Iterator[tuple[int, int, Event]]:
    """The log from its beginning to the event `until`, as (seq, time, event); otherwise as `read_events`."""
    rows = select(connection, _FACT, _SELECT_FACTS, (until,))
    for expected, (seq, time, name, version, data) in enumerate(rows, 1):
        if seq != expected:
            raise DamagedLog(path, f"event {expected} is missing")
        try:
            event = decode_event(name, version, data)
        except Damaged as error:
            raise DamagedLog(path, f"event {expected}: {error}") from error
        yield seq, time, event


def home_id(connection: apsw.Connection, path: Path) -> str | None:
    """The home's id from the first event, or None for an empty log. Raises as `read_events`."""
    for _, event in read_events(connection, path, 0):
        if isinstance(event, HomeCreated):
            return event.home
        raise DamagedLog(path, "its first event is not home_created")
    return None


def views_seq(connection: apsw.Connection) -> int:
    """How far the views have followed the log. Raises Unavailable."""
    return number(connection, "select value from meta where name = ?", (VIEWS_SEQ,))
