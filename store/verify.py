"""Checks whether a home is as it should be.

The file, the order of events, their meaning, and the views against the fold (promise P4).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

import apsw
from msgspec import Struct

from holdfast.events.errors import Damaged
from holdfast.events.facts import Event

from .migrations import load_migrations
from .reading import newest_seq, read_events, views_seq
from .rebuild import fold_into
from .statements import Value, number, run, select, snapshot
from .views import VIEW_TABLES

_FINDINGS_MAX: Final = 20


class Verified(Struct, frozen=True):
    """What was checked and what was found wrong (empty: nothing)."""

    events: int
    jobs: int
    findings: list[str]


def verify(connection: apsw.Connection, path: Path) -> Verified:
    """Check everything in one snapshot, changing nothing. Raises Unavailable if it can't be read at all.

    The views are folded afresh into a temporary database, so memory stays bounded whatever the number of jobs.
    """
    with snapshot(connection):
        try:
            findings = [f"the file: {text}" for text in _integrity(connection)]
        except Damaged as error:
            findings = [str(error)]
        if findings:
            return Verified(0, 0, findings)
        # A name of "" is a private file on disk that is gone when the connection is closed.
        fresh = apsw.Connection("")
        try:
            return _compare_with(connection, fresh, path)
        finally:
            fresh.close()


def _compare_with(connection: apsw.Connection, fresh: apsw.Connection, path: Path) -> Verified:
    for script in load_migrations():
        run(fresh, script)
    run(fresh, "pragma journal_mode = off")
    run(fresh, "pragma synchronous = off")
    run(fresh, "begin")
    findings: list[str] = []
    count = 0
    try:
        count = fold_into(fresh, _checked(connection, path, findings), path)
    except Damaged as error:
        findings.append(str(error))
    else:
        findings.extend(_misfiled(connection))
        findings.extend(_compare(connection, fresh))
    jobs = number(fresh, "select count(*) from job")
    return Verified(count, jobs, findings[:_FINDINGS_MAX])


def _integrity(connection: apsw.Connection) -> list[str]:
    rows = select(connection, tuple[str], f"pragma integrity_check({_FINDINGS_MAX})")
    return [row[0] for row in rows if row[0] != "ok"]


def _checked(connection: apsw.Connection, path: Path, findings: list[str]) -> Iterator[tuple[int, int, Event]]:
    """The log, with what is wrong but does not keep it from being folded put into `findings`."""
    for stored, event in read_events(connection, path, 0):
        if stored.cause is not None and not 0 < stored.cause < stored.seq and len(findings) < _FINDINGS_MAX:
            findings.append(f"event {stored.seq}: its cause {stored.cause} is not before it")
        yield stored.seq, stored.time, event


def _misfiled(connection: apsw.Connection) -> Iterator[str]:
    """Events, readable all, that stand under another job than the one they are about."""
    sql = "select seq, job, data ->> 'job' from events where job is not data ->> 'job' order by seq limit ?"
    for seq, job, right in select(connection, tuple[int, int | None, int | None], sql, (_FINDINGS_MAX,)):
        yield f"event {seq}: it stands under {_job(job)}, but is about {_job(right)}"


def _job(number: int | None) -> str:
    return "no job" if number is None else f"job {number}"


def _compare(connection: apsw.Connection, fresh: apsw.Connection) -> Iterator[str]:
    """Differences between the views and those that the fold wrote, the first of each table."""
    newest, followed = newest_seq(connection), views_seq(connection)
    if followed > newest:
        yield f"the log ends with event {newest}, but the views have followed it to {followed}: its end was cut off"
        return
    if followed < newest:
        yield f"the views have followed the log to event {followed} of {newest}; `holdfast rebuild` mends views"
    for table in VIEW_TABLES:
        yield from _compare_table(connection, fresh, table)


def _compare_table(there: apsw.Connection, fresh: apsw.Connection, table: str) -> Iterator[str]:
    sql = f"select * from {table} order by {VIEW_TABLES[table]}"  # noqa: S608 - the names are ours
    shape = tuple[Value, ...]
    for row, wanted in zip_longest(select(there, shape, sql), select(fresh, shape, sql)):
        if row != wanted:
            yield f"view {table}: the log says {wanted}, the view says {row}; `holdfast rebuild` mends views"
            return
