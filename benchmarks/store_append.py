"""Events a second into the log, by bare inserts of the same rows, in transactions of the same size and as durable.

A tick launches jobs and records the ends of others, so half of its events are of either kind; what the rules cost that
decide on them is not in it. The limit `events` inserts what the log itself holds into one table without an index; the
budget is 0.5 of it. Every commit keeps up the views beside the log (promise P4), so a submission writes three rows an
event: `all rows` inserts them all, with the same indexes. In small commits most of the time is the disk's, now fast and
now slow, so what is kept against a baseline is processor time there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from benchmarks.benchmark import Benchmark
from benchmarks.finished_jobs import draft_on, open_new, status_of_end
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.launches import launch
from holdfast.events.messages import Reported, Submit
from holdfast.events.outcomes import decide_report
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.connection import open_writer
from holdfast.store.log import SqliteStore
from holdfast.store.migrations import migrate
from holdfast.store.statements import Value, run, run_many, select, transaction

# Jobs a tick: ticks.
TICKS: Final[dict[Scale, dict[int, int]]] = {"full": {1: 1_000, 10: 300, 100: 50}, "quick": {10: 100, 100: 20}}
SUBMITTED: Final[dict[Scale, int]] = {"full": 100_000, "quick": 10_000}
BUDGET: Final = 0.5

Rows = list[tuple[Value, ...]]
Tables = dict[str, Rows]


class Ticks:
    """A home whose jobs are launched and end, so many a tick; then a bare log of the same events in the same ticks."""

    def __init__(self, jobs: int, ticks: int) -> None:
        """So many `ticks`, with `jobs` in each."""
        self._jobs = jobs
        self._ticks = ticks
        self._batches: list[Rows] = []
        self._used_s = 0.0
        self.used_us: list[float] = []
        self.bare_used_us: list[float] = []

    def holdfast(self) -> float:
        """Events a second, the commits alone; remembers what they wrote, and their processor time."""
        self._used_s = 0.0
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            store = open_new(Path(folder))
            submit = draft_on(store)
            decide(submit, Submit(_flow(self._ticks * self._jobs, chained=False)))
            store.commit([submit])
            self._batches = []
            took = sum(self._tick(store, number) for number in range(self._ticks))
            store.close()
        events = sum(map(len, self._batches))
        self.used_us.append(self._used_s * 1e6 / events)
        return events / took

    def _tick(self, store: SqliteStore, number: int) -> float:
        draft = self._draft(store, number)
        used_s = time.process_time()
        took = _timed(partial(store.commit, [draft]))
        self._used_s += time.process_time() - used_s
        after = store.seq - len(draft.entries)
        rows = select(store.reading, tuple[Value, ...], "select * from events where seq > ? order by seq", (after,))
        self._batches.append(list(rows))
        return took

    def _draft(self, store: SqliteStore, number: int) -> Draft:
        draft = draft_on(store)
        start = number * self._jobs + 1
        if number:
            ended = range(start - self._jobs, start)
            decide_report(draft, Reported("local", tuple(status_of_end(store, each) for each in ended)))
        for each in range(start, start + self._jobs):
            job = store.base.job(each)
            assert job is not None, "it was submitted before"
            launch(draft, job)
        return draft

    def bare(self) -> float:
        """Events a second, inserted in the same batches."""
        used_s = time.process_time()
        rate = bare_events(self._batches)
        self.bare_used_us.append((time.process_time() - used_s) * 1e6 / sum(map(len, self._batches)))
        return rate


class Submission:
    """A home to which a flow is submitted whose jobs form a chain; then bare inserts of what that wrote."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._tables: Tables = {}

    def holdfast(self) -> float:
        """Events a second, the commit alone; remembers what it wrote."""
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            store = open_new(Path(folder))
            draft = draft_on(store)
            decide(draft, Submit(_flow(self._jobs, chained=True)))
            took = _timed(partial(store.commit, [draft]))
            self._tables = {
                table: list(select(store.reading, tuple[Value, ...], f"select * from {table}"))  # noqa: S608
                for table in ("events", "job", "dependency")
            }
            store.close()
        return len(draft.entries) / took

    def bare(self) -> float:
        """Events a second, into one table."""
        return bare_events([self._tables["events"]])

    def all_rows(self) -> float:
        """Events a second, with the rows of the views."""
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            path = Path(folder) / "log.db"
            connection = open_writer(path)
            migrate(connection, path)
            took = _timed(partial(_insert, connection, self._tables))
            connection.close()
        return len(self._tables["events"]) / took


def bare_events(batches: list[Rows]) -> float:
    """Events a second into a table without an index, a transaction for each batch, synced like ours."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        connection = open_writer(Path(folder) / "log.db")
        run(connection, "create table events (seq integer primary key, time, type, version, author, cause, job, data)")
        took = sum(_timed(partial(_insert, connection, {"events": rows})) for rows in batches)
        connection.close()
    return sum(map(len, batches)) / took


def _insert(connection: apsw.Connection, tables: Tables) -> None:
    with transaction(connection):
        for table, rows in tables.items():
            marks = ", ".join("?" * len(rows[0]))
            run_many(connection, f"insert into {table} values ({marks})", rows)  # noqa: S608 - the names are ours


def _flow(count: int, *, chained: bool) -> FlowSpec:
    jobs = (
        JobSpec(("true", str(each)), f"job-{each}", after=(f"job-{each - 1}",) if chained and each else ())
        for each in range(count)
    )
    return FlowSpec(tuple(jobs), "flow")


def _timed(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def measure(scale: Scale) -> Sequence[Measurement]:
    """Ticks of several sizes, then a submission."""
    measured: list[Measurement] = []
    for jobs, count in TICKS[scale].items():
        ticks = Ticks(jobs, count)
        ticks.holdfast()
        ticks.used_us.clear()
        name = f"{jobs} launches, {jobs} ends"
        measured += _measure(name, ticks.bare, ticks.holdfast, loose=True)
        measured += _processor(name, ticks)
    submission = Submission(SUBMITTED[scale])
    submission.holdfast()
    name = f"{SUBMITTED[scale]:,} jobs in a chain"
    measured += _measure(f"{name}: events", submission.bare, submission.holdfast)
    return [*measured, *_measure(f"{name}: all rows", submission.all_rows, submission.holdfast)]


def _measure(
    name: str, bare: Callable[[], float], holdfast: Callable[[], float], *, loose: bool = False
) -> list[Measurement]:
    limit = f"bare inserts, {name}"
    return interleaved(
        [
            Case(name=limit, unit="events/s", run=bare),
            Case(name=name, unit="events/s", run=holdfast, limit=limit, budget=BUDGET, loose=loose),
        ]
    )


def _processor(name: str, ticks: Ticks) -> list[Measurement]:
    bare = f"bare inserts, {name}: processor"
    return [
        Measurement(name=each, unit="us an event", better="lower", samples=tuple(used_us), limit=limit)
        for each, used_us, limit in ((bare, ticks.bare_used_us, None), (f"{name}: processor", ticks.used_us, bare))
    ]


BENCHMARK: Final = Benchmark("store_append", "Events into the log, by bare inserts of the same rows.", measure)
