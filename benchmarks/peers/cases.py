"""Who does which work, and how durably: one case for each way to drive a peer, and Holdfast's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from benchmarks.peers.scripts import (
    build_tools,
    dask_jobs,
    dbos_calls,
    eventsourcing_log,
    holdfast_calls,
    holdfast_jobs,
    holdfast_log,
    huey_calls,
    hyperqueue_jobs,
    job_queues,
    parsl_jobs,
    persist_queue_calls,
    procrastinate_calls,
    snakemake_jobs,
)
from benchmarks.peers.works import COUNTS, Work


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to do a work.

    `script` is run with `variant`, by the Python of `environment` (None: this one). What is shown is the version of
    `package` in that environment, or of `tool`, a command of the system. `synced`: whether what it records is on the
    disk before it goes on; `durable` says it in words. `counts`: how much of a work it does where all took too long.
    """

    name: str
    works: tuple[Work, ...]
    script: ModuleType
    variant: str
    durable: str
    synced: bool = False
    environment: str | None = None
    package: str = "holdfast"
    tool: str | None = None
    counts: dict[Work, int] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this is Holdfast."""
        return self.environment is None and self.tool is None

    @property
    def path(self) -> Path:
        """The script's file."""
        return Path(str(self.script.__file__))

    def count(self, work: Work) -> int:
        """How much of a work it does in a round."""
        return (self.counts or {}).get(work, COUNTS[work])


_OUR_CALLS: Final = "synced: submission, launch, end, each before it is acted on; a call cut off by a crash is `lost`"
_OUR_JOBS: Final = "synced: submission, launch and end with exit code and output; nothing runs twice after a crash"
_OUR_LOG: Final = "synced: WAL, synchronous=FULL; the table of jobs in the same transaction"

_CALLS: Final = (
    Case(
        name="holdfast, submitted together",
        works=("calls",),
        script=holdfast_calls,
        variant="together",
        durable=_OUR_CALLS,
        synced=True,
    ),
    Case(
        name="holdfast, 100 callers",
        works=("calls",),
        script=holdfast_calls,
        variant="callers",
        durable=_OUR_CALLS,
        synced=True,
    ),
    *(
        Case(
            name=f"huey, 2 {many}",
            works=("calls",),
            script=huey_calls,
            variant=variant,
            environment="huey",
            package="huey",
            counts={"calls": 2_500},
            durable="synced: WAL, synchronous=FULL, 3 commits a call; a call cut off by a crash is gone",
            synced=True,
        )
        for variant, many in (("thread", "threads"), ("process", "processes"))
    ),
    Case(
        name="persist-queue",
        works=("calls",),
        script=persist_queue_calls,
        variant="thread",
        environment="persist-queue",
        package="persist-queue",
        counts={"calls": 2_500},
        durable="synced: WAL, synchronous=FULL, 3 commits an item; keeps no results",
        synced=True,
    ),
    *(
        Case(
            name=f"DBOS on SQLite, {words}",
            works=("calls",),
            script=dbos_calls,
            variant=variant,
            environment="dbos",
            package="dbos",
            durable="synced: rollback journal, synchronous=FULL; a workflow cut off by a crash is taken up again",
            synced=True,
            counts={"calls": 300},
        )
        for variant, words in (("queue", "its queue"), ("direct", "called directly"))
    ),
    *(
        Case(
            name=f"procrastinate, {words}",
            works=("calls",),
            script=procrastinate_calls,
            variant=variant,
            environment="procrastinate",
            package="procrastinate",
            tool="postgres",
            durable="synced: PostgreSQL, fsync and synchronous_commit on; keeps no results",
            synced=True,
            counts={"calls": 500},
        )
        for variant, words in (("batch", "deferred together"), ("each", "deferred one by one"))
    ),
)

_PROCESSES: Final = (
    Case(
        name="holdfast run",
        works=("processes", "dag"),
        script=holdfast_jobs,
        variant="run",
        durable=_OUR_JOBS,
        synced=True,
    ),
    Case(
        name="holdfast, open",
        works=("processes", "dag"),
        script=holdfast_jobs,
        variant="open",
        durable=_OUR_JOBS,
        synced=True,
    ),
    Case(
        name="make",
        works=("processes", "dag"),
        script=build_tools,
        variant="make",
        tool="make",
        durable="nothing is recorded",
    ),
    Case(
        name="make, stamp files",
        works=("processes", "dag"),
        script=build_tools,
        variant="make-stamps",
        tool="make",
        durable="a file for each job, not synced; `touch` in place of /bin/true",
    ),
    Case(
        name="ninja",
        works=("processes", "dag"),
        script=build_tools,
        variant="ninja",
        tool="ninja",
        durable="a line in a log for each job, not synced",
    ),
    Case(
        name="xargs",
        works=("processes",),
        script=job_queues,
        variant="xargs",
        tool="xargs",
        durable="nothing is recorded, no exit code kept",
    ),
    Case(
        name="GNU parallel",
        works=("processes",),
        script=job_queues,
        variant="parallel",
        tool="parallel",
        counts={"processes": 500},
        durable="a line of --joblog for each job, not synced",
    ),
    Case(
        name="task-spooler",
        works=("processes",),
        script=job_queues,
        variant="task-spooler",
        tool="tsp",
        counts={"processes": 1_000},
        durable="in the memory of its server",
    ),
    Case(
        name="HyperQueue",
        works=("processes", "dag"),
        script=hyperqueue_jobs,
        variant="programs",
        environment="hyperqueue",
        package="hyperqueue",
        counts={"processes": 1_000},
        durable="in the memory of its server (a local cluster has no journal)",
    ),
    *(
        Case(
            name=f"Parsl, {words}",
            works=("processes", "dag"),
            script=parsl_jobs,
            variant=variant,
            environment="parsl",
            package="parsl",
            counts={"processes": 1_000},
            durable="in memory",
        )
        for variant, words in (("htex", "2 processes"), ("threads", "2 threads"))
    ),
    Case(
        name="Dask",
        works=("processes", "dag"),
        script=dask_jobs,
        variant="processes",
        environment="dask",
        package="distributed",
        counts={"processes": 1_000},
        durable="in memory",
    ),
    Case(
        name="Snakemake",
        works=("processes", "dag"),
        script=snakemake_jobs,
        variant="local",
        environment="snakemake",
        package="snakemake",
        durable="a file for each job, and metadata, not synced",
        counts={"processes": 100, "dag": 100},
    ),
)

_LOG: Final = (
    Case(name="holdfast, commit", works=("log",), script=holdfast_log, variant="commit", durable=_OUR_LOG, synced=True),
    Case(
        name="holdfast, decide and commit",
        works=("log",),
        script=holdfast_log,
        variant="decide",
        durable=_OUR_LOG,
        synced=True,
    ),
    *(
        Case(
            name=f"eventsourcing, {variant}",
            works=("log",),
            script=eventsourcing_log,
            variant=variant,
            environment="eventsourcing",
            package="eventsourcing",
            counts={"log": 50_000},
            durable=f"synced: WAL, synchronous=FULL; {words}",
            synced=True,
        )
        for variant, words in (
            ("recorder", "events encoded before, nothing decoded in replay, no tables of state"),
            ("application", "aggregates kept in memory, no tables of state"),
        )
    ),
)

CASES: Final = (*_CALLS, *_PROCESSES, *_LOG)
