"""Is a home as it should be? The file, the order of events, their meaning, and the views against the fold (promise P4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw
from msgspec import Struct

from holdfast.events.errors import Damaged, IllegalMove

from .connection import translated
from .fold import Fold
from .migrations import load_migrations
from .reading import read_events
from .views import VIEW_TABLES, write_views

_FINDINGS_MAX: Final = 20


class Verified(Struct, frozen=True):
    """What was checked and what was found wrong (empty: nothing)."""

    events: int
    jobs: int
    findings: list[str]


def verify(connection: apsw.Connection, path: Path) -> Verified:
    """Check everything in one snapshot, changing nothing. Raises Unavailable if it can't be read at all."""
    with translated(path):
        connection.execute("begin")
        try:
            return _verify(connection, path)
        finally:
            if connection.in_transaction:
                connection.execute("rollback")


def _verify(connection: apsw.Connection, path: Path) -> Verified:
    findings = [f"the file: {text}" for text in _integrity(connection)]
    if findings:
        return Verified(0, 0, findings)
    fold = Fold()
    count = 0
    try:
        for stored, event in read_events(connection, path, 0):
            if stored.cause is not None and not 0 < stored.cause < stored.seq:
                findings.append(f"event {stored.seq}: its cause {stored.cause} is not before it")
            fold.take(event, stored.seq, stored.time)
            count = stored.seq
    except Damaged as error:
        findings.append(f"event {count + 1}: {error}")
    except IllegalMove as error:
        findings.append(f"event {count + 1} can't follow those before it: {error}")
    if not findings:
        findings.extend(_compare(connection, fold))
    return Verified(count, len(fold.jobs.changed), findings[:_FINDINGS_MAX])


def _integrity(connection: apsw.Connection) -> list[str]:
    rows = connection.execute(f"pragma integrity_check({_FINDINGS_MAX})").fetchall()
    return [str(row[0]) for row in rows if row[0] != "ok"]


def _compare(connection: apsw.Connection, fold: Fold) -> Iterator[str]:
    """Differences between the views and those that the fold would write, table by table, row by row."""
    fresh = apsw.Connection(":memory:")
    try:
        for script in load_migrations():
            fresh.execute(script)
        fresh.execute("begin")
        if fold.numbered.seq:
            write_views(fresh, fold.changes(), fold.numbered)
        for table in VIEW_TABLES:
            yield from _compare_table(connection, fresh, table)
    finally:
        fresh.close()


def _compare_table(there: apsw.Connection, fresh: apsw.Connection, table: str) -> Iterator[str]:
    sql = f"select * from {table} order by {VIEW_TABLES[table]}"  # noqa: S608 - the names are ours
    rows = there.execute(sql)
    expected = fresh.execute(sql)
    while True:
        row, wanted = rows.fetchone(), expected.fetchone()
        if row is None and wanted is None:
            return
        if row != wanted:
            yield f"view {table}: the log says {wanted}, the view says {row}; `holdfast rebuild` mends views"
            return
