"""Homes with as many finished jobs as wanted, made quickly: the rows of one job that really ran, under new ids."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.launches import launch
from holdfast.events.messages import AttemptStatus, Configure, Reported, Submit
from holdfast.events.outcomes import decide_report
from holdfast.events.records import OutputRange
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.opening import open_store
from holdfast.store.statements import run, transaction

START_US: Final = 1_700_000_000_000_000
EVENTS_A_JOB: Final = 3
_COPIES: Final = "with recursive copy(n) as (select 1 union all select n + 1 from copy where n < :last)"
# The template is job 1, whose three events are the newest ones of the log.
_COPY_EVENTS: Final = (
    f"insert into events {_COPIES} select e.seq + 3 * n, e.time, e.type, e.version, e.author, "  # noqa: S608
    "iif(e.type = 'job_submitted', null, e.seq + 3 * n - 1), 1 + n, json_set(e.data, '$.job', 1 + n) "
    "from copy, events e where e.seq > :before order by n, e.seq"
)
_COPY_JOBS: Final = (
    f"insert into job {_COPIES} select j.id + n, j.seq + 3 * n, j.last + 3 * n, j.submitted_at, j.name, j.flow, "  # noqa: S608
    "j.key, j.state, j.activity, json_set(j.data, '$.id', j.id + n) from copy, job j where j.id = 1 order by n"
)


def draft_on(store: SqliteStore, now: int = START_US) -> Draft:
    """An empty draft."""
    return Draft(store.base, now, Random(1), "benchmark")  # noqa: S311 - no secret


def open_new(folder: Path) -> SqliteStore:
    """A new home's log, its target configured."""
    store = open_store(Home(folder).log, START_US, "benchmark")
    draft = draft_on(store)
    decide(draft, Configure({"local": {"cpus": 1_000_000}}))
    store.commit([draft])
    return store


def status_of_end(store: SqliteStore, job: int) -> AttemptStatus:
    """What a runner says of the first attempt of a job that went well."""
    output = (OutputRange("0001.out", 100, 117), OutputRange("0001.err", 0, 0))
    return AttemptStatus(
        f"{store.base.home}.{job}.1",
        "ended",
        started_at=START_US,
        ended_at=START_US + 1_000,
        how="exited",
        exit_code=0,
        cpu_us=800,
        memory_bytes=1_000_000,
        output=output,
    )


def make_home(folder: Path, jobs: int) -> None:
    """Make a home in which so many jobs were submitted, ran and succeeded; with 0, an empty one."""
    store = open_new(folder)
    if jobs:
        _run_one(store)
        newest = store.seq
        with transaction(store.writing):
            for sql in (_COPY_EVENTS, _COPY_JOBS):
                filled = sql.replace(":last", str(jobs - 1)).replace(":before", str(newest - EVENTS_A_JOB))
                run(store.writing, filled)
            run(store.writing, "update meta set value = (select max(seq) from events) where name = 'views_seq'")
    store.close()


def _run_one(store: SqliteStore) -> None:
    draft = draft_on(store)
    decide(draft, Submit(FlowSpec((JobSpec(("true", "some", "arguments"), "align"),))))
    store.commit([draft])
    draft = draft_on(store)
    job = store.base.job(1)
    assert job is not None, "it was just submitted"
    launch(draft, job)
    store.commit([draft])
    draft = draft_on(store)
    decide_report(draft, Reported("local", (status_of_end(store, 1),)))
    store.commit([draft])
