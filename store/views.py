"""Records and rows: what each view stores, written by a commit and by a rebuild through the same few functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar, cast

import apsw
import msgspec

from holdfast.events import facts
from holdfast.events.codec import encode
from holdfast.events.graph import Kind
from holdfast.events.records import Batch, ClosedBatch, Flow, Job, Limit, RateMark, Target
from holdfast.events.states import IN_FLIGHT, LIVE, NAMES, JobState

from .errors import DamagedView
from .statements import run, run_many

T = TypeVar("T")

# Each view and its key.
VIEW_TABLES: Final = {
    "job": "id",
    "dependency": "job, needed, kind",
    "flow": "id",
    "target": "name",
    "limit_": "name",
    "rate_mark": "key",
    "step": "name, key",
    "batch": "name",
}
VIEWS_SEQ: Final = "views_seq"

# What the partial indexes know of a state: 0 ended, 1 waits for something, 2 has an attempt in flight.
ACTIVITY: Final[Mapping[type[JobState], int]] = {
    state: 2 if state in IN_FLIGHT else 1 if state in LIVE else 0 for state in NAMES
}

_INSERT_JOB: Final = (
    "insert into job (id, seq, last, submitted_at, name, flow, key, state, activity, data) "
    "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE_JOB: Final = "update job set last = ?, state = ?, activity = ?, data = ? where id = ?"
_INSERT_DEPENDENCY: Final = "insert or ignore into dependency (job, needed, kind) values (?, ?, ?)"
_PUT_FLOW: Final = "insert or replace into flow (id, number, seq, digest, data) values (?, ?, ?, ?, ?)"
_PUT_TARGET: Final = "insert or replace into target (name, seq, data) values (?, ?, ?)"
_PUT_LIMIT: Final = "insert or replace into limit_ (name, seq, data) values (?, ?, ?)"
_PUT_MARK: Final = "insert or replace into rate_mark (key, data) values (?, ?)"
_INSERT_STEP: Final = "insert into step (name, key, seq) values (?, ?, ?)"
_INSERT_BATCH: Final = "insert into batch (name, target, open, planned, seq, data) values (?, ?, ?, ?, ?, ?)"
_UPDATE_BATCH: Final = "update batch set open = ?, seq = ?, data = ? where name = ?"
_PUT_META: Final = "insert or replace into meta (name, value) values (?, ?)"

_AFTER, _AFTER_ANY, _AFTER_FAILED = (int(kind) for kind in Kind)

# The columns of a job's row that never change: (seq, submitted_at, name, flow, key).
Head = tuple[int, int, str, str | None, str | None]


class Numbered:
    """What rows hold beyond the records: positions of events, and what only a job's submission says."""

    def __init__(self) -> None:
        self.seq = 0
        self.heads: dict[int, Head] = {}
        self.dependencies: list[tuple[int, int, int]] = []
        self.last: dict[int, int] = {}
        self.flows: dict[str, int] = {}
        self.targets: dict[str, int] = {}
        self.limits: dict[str, int] = {}
        self.steps: list[tuple[str, str, int]] = []
        self.planned: dict[str, int] = {}
        """By batch: the event that planned it, which holds its script."""
        self.batches: dict[str, int] = {}

    def note(self, event: facts.Event, seq: int, time: int) -> int | None:
        """Take in an event with its position and time; returns the job that it is about, if it is about one."""
        self.seq = seq
        # The three that nearly every job has come first, asked for with `is`: see `events.lifecycle`.
        if type(event) is facts.JobSubmitted:
            job, spec = event.job, event.spec
            self.heads[job] = (seq, time, spec.name, event.flow, spec.key)
            self.last[job] = seq
            if spec.after or spec.after_any or spec.after_failed:
                self.dependencies += rows_of_dependencies(event)
        elif (
            type(event) is facts.AttemptLaunched or type(event) is facts.AttemptEnded or isinstance(event, facts.OfJob)
        ):
            self.last[event.job] = seq
        else:
            self._note_home(event, seq)
            return event.job if type(event) is facts.StepRecorded else None
        return event.job

    def clear(self) -> None:
        """Forget what was written, but for the positions of what is few."""
        for table in (self.heads, self.last, self.flows):
            table.clear()
        self.dependencies.clear()
        self.steps.clear()
        self.planned.clear()
        self.batches.clear()

    def _note_home(self, event: facts.HomeEvent, seq: int) -> None:
        match event:
            case facts.FlowSubmitted(flow=name):
                self.flows[name] = seq
            case facts.LimitConfigured(limit=name):
                self.limits[name] = seq
            case (
                facts.TargetConfigured(target=name)
                | facts.TargetAttached(target=name)
                | facts.TargetPaused(target=name)
                | facts.TargetResumed(target=name)
                | facts.HostChanged(target=name)
                | facts.HostTrusted(target=name)
                | facts.AllocationRequested(allocation=name)
                | facts.AllocationGranted(allocation=name)
                | facts.AllocationReleased(allocation=name)
                | facts.AllocationEnded(allocation=name)
                | facts.AllocationRetired(allocation=name)
            ):
                self.targets[name] = seq
            case facts.StepRecorded(step=step, key=key):
                self.steps.append((step, key, seq))
            case facts.BatchPlanned(batch=batch):
                self.planned[batch] = self.batches[batch] = seq
            case (
                facts.BatchSubmitted(batch=batch)
                | facts.BatchUnclear(batch=batch)
                | facts.BatchAbsent(batch=batch)
                | facts.BatchWaits(batch=batch)
                | facts.BatchClosed(batch=batch)
            ):
                self.batches[batch] = seq
            case facts.HomeCreated() | facts.SupervisorStarted() | facts.SupervisorStopped() | facts.DialRequested():
                pass


def rows_of_dependencies(event: facts.JobSubmitted) -> list[tuple[int, int, int]]:
    """The dependencies of a submitted job as (job, needed, kind)."""
    job, spec = event.job, event.spec
    # In the log names have become ids; the type is that of a flow.
    rows = [(job, cast("int", needed), _AFTER) for needed in spec.after]
    if spec.after_any:
        rows += [(job, cast("int", needed), _AFTER_ANY) for needed in spec.after_any]
    if spec.after_failed:
        rows += [(job, cast("int", needed), _AFTER_FAILED) for needed in spec.after_failed]
    return rows


class Changes(msgspec.Struct, frozen=True):
    """Records that changed, by key."""

    jobs: Mapping[int, Job]
    targets: Mapping[str, Target]
    limits: Mapping[str, Limit]
    marks: Mapping[str, RateMark]
    flows: Mapping[str, Flow]
    batches: Mapping[str, Batch]


def write_views(connection: apsw.Connection, changes: Changes, numbered: Numbered) -> None:
    """Write changed records into the views, inside the caller's transaction. Raises Unavailable.

    `numbered` has taken in every event that led to `changes`, and at least one.
    """
    if changes.jobs:
        _write_jobs(connection, changes.jobs, numbered)
    if numbered.dependencies:
        run_many(connection, _INSERT_DEPENDENCY, numbered.dependencies)
    if changes.flows:
        flows = (
            (each.id, each.number, numbered.flows[each.id], each.digest, encode(each))
            for each in changes.flows.values()
        )
        run_many(connection, _PUT_FLOW, flows)
    if changes.targets:
        targets = ((name, numbered.targets[name], encode(each)) for name, each in changes.targets.items())
        run_many(connection, _PUT_TARGET, targets)
    if changes.limits:
        limits = ((name, numbered.limits[name], encode(each)) for name, each in changes.limits.items())
        run_many(connection, _PUT_LIMIT, limits)
    if changes.marks:
        run_many(connection, _PUT_MARK, ((key, encode(each)) for key, each in changes.marks.items()))
    if changes.batches:
        _write_batches(connection, changes.batches, numbered)
    if numbered.steps:
        run_many(connection, _INSERT_STEP, numbered.steps)
    run(connection, _PUT_META, (VIEWS_SEQ, numbered.seq))


def _write_jobs(connection: apsw.Connection, jobs: Mapping[int, Job], numbered: Numbered) -> None:
    heads, last = numbered.heads, numbered.last
    if heads:
        new = (
            (number, seq, last[number], at, name, flow, key, NAMES[type(state)], ACTIVITY[type(state)], encode(job))
            for number, (seq, at, name, flow, key) in heads.items()
            for job in (jobs[number],)
            for state in (job.state,)
        )
        run_many(connection, _INSERT_JOB, new)
    if len(jobs) > len(heads):
        changed = (
            (last[number], NAMES[type(job.state)], ACTIVITY[type(job.state)], encode(job), number)
            for number, job in jobs.items()
            if number not in heads
        )
        run_many(connection, _UPDATE_JOB, changed)


def _write_batches(connection: apsw.Connection, batches: Mapping[str, Batch], numbered: Numbered) -> None:
    new = [batch for batch in batches.values() if batch.name in numbered.planned]
    rows = (
        (
            batch.name,
            batch.target,
            not isinstance(batch.state, ClosedBatch),
            numbered.planned[batch.name],
            numbered.batches[batch.name],
            encode(batch),
        )
        for batch in new
    )
    run_many(connection, _INSERT_BATCH, rows)
    changed = (
        (not isinstance(batch.state, ClosedBatch), numbered.batches[batch.name], encode(batch), batch.name)
        for batch in batches.values()
        if batch.name not in numbered.planned and batch.name in numbered.batches
    )
    run_many(connection, _UPDATE_BATCH, changed)


def clear_views(connection: apsw.Connection) -> None:
    """Empty the views, inside the caller's transaction. Raises Unavailable."""
    for table in VIEW_TABLES:
        run(connection, f"delete from {table}")  # noqa: S608 - the names are ours


def decode(decoder: msgspec.json.Decoder[T], text: str) -> T:
    """The record that a view holds. Raises DamagedView if it is none."""
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as error:
        raise DamagedView(f"{text[:200]!r} is no record ({error})") from error
