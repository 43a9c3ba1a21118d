"""Holdfast's log: append with 50 launches and 50 ends of jobs a commit, then replay. Prints the seconds of each.

VARIANT: `commit`, the events decided before, as the writer gets them; encoding, views and sync are in the figure.
`decide`: with all that the scheduler does, which decides on them. Replay is the fold of the log to all records.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.finished_jobs import START_US, draft_on, open_new, status_of_end
from holdfast.actors.live import Live
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.launches import launch
from holdfast.events.messages import Reported, Submit
from holdfast.events.outcomes import decide_report
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.fold import BoundedFold, fold_log
from holdfast.store.log import SqliteStore
from holdfast.store.reading import read_facts
from holdfast.store.statements import number

JOBS_A_COMMIT: Final = 50  # launched, and as many ended


def main(variant: str, count: int) -> None:
    """Append so many events beside the submissions, and replay all."""
    store = open_new(Path.cwd())
    jobs = count // 2
    draft = draft_on(store)
    decide(draft, Submit(FlowSpec((JobSpec(("/bin/true", "some", "arguments")),) * (jobs + JOBS_A_COMMIT))))
    store.commit([draft])
    scheduler = _Scheduler(store)
    scheduler.turn(range(0), range(1, JOBS_A_COMMIT + 1))
    began, committing, all_of_it = store.seq, 0.0, 0.0
    for first in range(JOBS_A_COMMIT + 1, jobs + 1, JOBS_A_COMMIT):
        took = scheduler.turn(range(first - JOBS_A_COMMIT, first), range(first, first + JOBS_A_COMMIT))
        committing, all_of_it = committing + took[0], all_of_it + took[1]
    append = (committing if variant == "commit" else all_of_it) * count / (store.seq - began)
    print(json.dumps({"append": append, "replay": _replay(store) * count / store.seq}))
    store.close()


class _Scheduler:
    """What the scheduler does in a turn, with no queue beside it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._live = Live(store.base)

    def turn(self, ended: range, launched: range) -> tuple[float, float]:
        """Record these ends and launches; the seconds of the commit, and of all."""
        # What a runner says comes decoded from its socket, so it is made outside of the clock.
        reports = tuple(status_of_end(self._store, job) for job in ended)
        began = time.perf_counter()
        draft = Draft(self._live, START_US, Random(1), "benchmark")  # noqa: S311 - no secret
        if reports:
            decide_report(draft, Reported("local", reports))
        for each in launched:
            launch(draft, self._live.jobs[each])
        decided = time.perf_counter()
        self._store.commit([draft])
        committed = time.perf_counter()
        self._live.apply(draft)
        return committed - decided, time.perf_counter() - began


def _replay(store: SqliteStore) -> float:
    fold = BoundedFold(lambda _: None)
    began = time.perf_counter()
    fold_log(fold, read_facts(store.reading, store.path), store.path, lambda: None, store.seq)
    took = time.perf_counter() - began
    assert len(fold.jobs.changed) == number(store.reading, "select count(*) from job")
    return took


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
