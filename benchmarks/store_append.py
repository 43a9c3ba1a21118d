"""Events a second into the log, by bare inserts of the same rows, in transactions of the same size and as durable.

A tick launches jobs and records the ends of others, so half of its events are of either kind; what the rules cost that
decide on them is not in it. The limit `events` inserts what the log itself holds into one table without an index; the
budget is 0.5 of it. Every commit keeps up the views beside the log (promise P4), so a submission writes three rows an
event: `all rows` inserts them all, with the same indexes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from benchmarks.finished_jobs import draft_on, open_new, status_of_end
from benchmarks.rounds import interleave, ratio, spread
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

TICKS: Final = {1: 1_000, 10: 300, 100: 50}  # jobs a tick: ticks
SUBMITTED: Final = 100_000
BUDGET: Final = 0.5

Rows = list[tuple[Value, ...]]
Tables = dict[str, Rows]


class Ticks:
    """A home whose jobs are launched and end, so many a tick; then a bare log of the same events in the same ticks."""

    def __init__(self, jobs: int) -> None:
        """`jobs` a tick."""
        self._jobs = jobs
        self._batches: list[Rows] = []

    def holdfast(self) -> float:
        """Events a second, the commits alone; remembers what they wrote."""
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            store = open_new(Path(folder))
            submit = draft_on(store)
            decide(submit, Submit(_flow(TICKS[self._jobs] * self._jobs, chained=False)))
            store.commit([submit])
            self._batches = []
            took = sum(self._tick(store, number) for number in range(TICKS[self._jobs]))
            store.close()
        return sum(map(len, self._batches)) / took

    def _tick(self, store: SqliteStore, number: int) -> float:
        draft = self._draft(store, number)
        took = _timed(partial(store.commit, [draft]))
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
        return bare_events(self._batches)


class Submission:
    """A home to which a flow is submitted whose jobs form a chain; then bare inserts of what that wrote."""

    def __init__(self) -> None:
        self._tables: Tables = {}

    def holdfast(self) -> float:
        """Events a second, the commit alone; remembers what it wrote."""
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            store = open_new(Path(folder))
            draft = draft_on(store)
            decide(draft, Submit(_flow(SUBMITTED, chained=True)))
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


def main() -> None:
    """Measure and print a table."""
    print(f"{'commit':36} {'limit, events/s':30} {'holdfast, events/s':30} ratio (budget {BUDGET})")
    for jobs in TICKS:
        ticks = Ticks(jobs)
        ticks.holdfast()
        _print_row(f"{jobs} launches, {jobs} ends", ticks.bare, ticks.holdfast)
    submission = Submission()
    submission.holdfast()
    _print_row(f"{SUBMITTED:,} jobs in a chain: events", submission.bare, submission.holdfast)
    _print_row(f"{SUBMITTED:,} jobs in a chain: all rows", submission.all_rows, submission.holdfast)


def _print_row(name: str, limit: Callable[[], float], holdfast: Callable[[], float]) -> None:
    results = interleave({"limit": limit, "holdfast": holdfast})
    row = f"{name:36} {spread(results['limit']):30} {spread(results['holdfast']):30}"
    print(f"{row} {ratio(results, 'holdfast', 'limit'):.2f}", flush=True)


if __name__ == "__main__":
    main()
