"""Records and rows: what each view stores, written by a commit and by a rebuild through the same few functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import apsw
import msgspec

from holdfast.events import facts
from holdfast.events.codec import encode
from holdfast.events.graph import Kind
from holdfast.events.records import Attempt, Flow, Job, Limit, RateMark, Target
from holdfast.events.states import NAMES

# Each view and its key.
VIEW_TABLES: Final = {
    "job": "id",
    "attempt": "job, number",
    "dependency": "job, needed, kind",
    "flow": "id",
    "target": "name",
    "limit_": "name",
    "rate_mark": "key",
}
VIEWS_SEQ: Final = "views_seq"

_INSERT_JOB: Final = (
    "insert into job (id, seq, last, submitted_at, name, flow, key, state, data) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE_JOB: Final = "update job set last = ?, state = ?, data = ? where id = ?"
_PUT_ATTEMPT: Final = "insert or replace into attempt (job, number, data) values (?, ?, ?)"
_INSERT_DEPENDENCY: Final = "insert or ignore into dependency (job, needed, kind) values (?, ?, ?)"
_PUT_FLOW: Final = "insert or replace into flow (id, number, seq, digest, data) values (?, ?, ?, ?, ?)"
_PUT_NAMED: Final = {
    "target": "insert or replace into target (name, seq, data) values (?, ?, ?)",
    "limit_": "insert or replace into limit_ (name, seq, data) values (?, ?, ?)",
}
_PUT_MARK: Final = "insert or replace into rate_mark (key, data) values (?, ?)"
_PUT_META: Final = "insert or replace into meta (name, value) values (?, ?)"

# The columns of a job's row that never change: (seq, submitted_at, name, flow, key).
Head = tuple[int, int, str, str | None, str | None]


class Numbered:
    """What rows hold beyond the records: positions of events, and what only a job's submission says."""

    def __init__(self) -> None:
        self.heads: dict[int, Head] = {}
        self.dependencies: list[tuple[int, int, int]] = []
        self.last: dict[int, int] = {}
        self.named: dict[str, int] = {}
        self.seq = 0

    def note(self, event: facts.Event, seq: int, time: int) -> None:
        """Take in an event with its position and time."""
        self.seq = seq
        match event:
            case facts.JobSubmitted(job=job, flow=flow, spec=spec):
                self.heads[job] = (seq, time, spec.name, flow, spec.key)
                self.last[job] = seq
                for kind, needed in (
                    (Kind.AFTER, spec.after),
                    (Kind.AFTER_ANY, spec.after_any),
                    (Kind.AFTER_FAILED, spec.after_failed),
                ):
                    self.dependencies.extend((job, each, int(kind)) for each in needed if isinstance(each, int))
            case facts.FlowSubmitted(flow=name):
                self.named[name] = seq
            case facts.LimitConfigured(limit=name):
                self.named[name] = seq
            case (
                facts.TargetConfigured(target=name)
                | facts.TargetAttached(target=name)
                | facts.TargetPaused(target=name)
                | facts.TargetResumed(target=name)
            ):
                self.named[name] = seq
            case facts.HomeCreated() | facts.SupervisorStarted() | facts.SupervisorStopped():
                pass
            case _:
                self.last[event.job] = seq


class Changes(msgspec.Struct, frozen=True):
    """Records that changed, by key."""

    jobs: Mapping[int, Job]
    attempts: Mapping[tuple[int, int], Attempt]
    targets: Mapping[str, Target]
    limits: Mapping[str, Limit]
    marks: Mapping[str, RateMark]
    flows: Mapping[str, Flow]


def write_views(connection: apsw.Connection, changes: Changes, numbered: Numbered) -> None:
    """Write changed records into the views, inside the caller's transaction."""
    many = connection.executemany
    _write_jobs(connection, changes.jobs, numbered)
    if numbered.dependencies:
        many(_INSERT_DEPENDENCY, numbered.dependencies)
    if changes.attempts:
        many(_PUT_ATTEMPT, [(job, number, encode(each)) for (job, number), each in changes.attempts.items()])
    if changes.flows:
        rows = [(each.id, each.number, numbered.named[each.id], each.digest) for each in changes.flows.values()]
        many(_PUT_FLOW, [(*row, encode(changes.flows[row[0]])) for row in rows])
    for table, records in (("target", changes.targets), ("limit_", changes.limits)):
        if records:
            many(_PUT_NAMED[table], [(name, numbered.named[name], encode(each)) for name, each in records.items()])
    if changes.marks:
        many(_PUT_MARK, [(key, encode(each)) for key, each in changes.marks.items()])
    connection.execute(_PUT_META, (VIEWS_SEQ, numbered.seq))


def _write_jobs(connection: apsw.Connection, jobs: Mapping[int, Job], numbered: Numbered) -> None:
    heads = numbered.heads
    new: list[tuple[int | str | None, ...]] = []
    changed: list[tuple[int | str, ...]] = []
    for number, job in jobs.items():
        head = heads.get(number)
        last = numbered.last[number]
        state = NAMES[type(job.state)]
        if head is None:
            changed.append((last, state, encode(job), number))
        else:
            new.append((number, head[0], last, *head[1:], state, encode(job)))
    if new:
        connection.executemany(_INSERT_JOB, new)
    if changed:
        connection.executemany(_UPDATE_JOB, changed)


def clear_views(connection: apsw.Connection, tables: Iterable[str] = VIEW_TABLES) -> None:
    """Empty the views, inside the caller's transaction."""
    for table in tables:
        connection.execute(f"delete from {table}")  # noqa: S608 - the names are ours
