"""`/bin/true` jobs a second through the whole supervisor, by a bare posix_spawn loop with as many in flight.

Every job goes the whole way: submitted, launched, run by the runner, its end committed and synced, two events beside
its submission. The bare loop records nothing. The budget is 0.8 of it. On a busy machine the rate falls, as three
processes take turns; what is kept against a baseline is the supervisor's processor time a job, by that of the parent in
the bare loop.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import trio

from benchmarks.bare_spawn import PROGRAM, bare_loop
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast import FlowSpec, JobSpec, Submit
from holdfast.events.facts import TargetAttached
from holdfast.events.messages import Submitted
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.supervisor import Supervisor, open_supervisor

SLOTS: Final[dict[Scale, tuple[int, ...]]] = {"full": (2, 4, 8, 32), "quick": (8,)}
JOBS: Final[dict[Scale, int]] = {"full": 3_000, "quick": 800}
BUDGET: Final = 0.8


def through_bare_loop(slots: int, jobs: int, used_us: list[float]) -> float:
    """Jobs a second of a bare loop, in a fresh process; its processor time a job is added to `used_us`."""
    rate, used = bare_loop(slots, jobs)
    used_us.append(used)
    return rate


def through_holdfast(slots: int, jobs: int, used_us: list[float]) -> float:
    """Jobs a second from the answer to the submission until the last end is committed."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        home = Home(Path(folder) / "home")
        try:
            return trio.run(_run, home, slots, jobs, used_us)
        finally:
            end_runner(home)


async def _run(home: Home, slots: int, jobs: int, used_us: list[float]) -> float:
    async with open_supervisor(home, slots=slots) as supervisor:
        # One job first, so that the runner is there and what is measured is not its start.
        await run_jobs(supervisor, 1)
        used_s = time.process_time()
        rate = await run_jobs(supervisor, jobs)
        used_us.append((time.process_time() - used_s) * 1e6 / jobs)
        return rate


async def run_jobs(supervisor: Supervisor, count: int) -> float:
    """Submit so many and wait for all; jobs a second from the answer to the submission on."""
    submitted = await supervisor.request(Submit(FlowSpec(jobs=(JobSpec(run=(PROGRAM,)),) * count)))
    assert isinstance(submitted, Submitted), "a submission is answered by what was submitted"
    began = time.perf_counter()
    await supervisor.finished(submitted.jobs)
    return count / (time.perf_counter() - began)


def end_runner(home: Home) -> None:
    """End the home's runner, by the pid that the log has of it; there is none where no log was begun."""
    if not home.log.exists():
        return
    with Reader(home) as reader:
        attached = [event.pid for _, event in reader.events() if isinstance(event, TargetAttached)]
    pids = [pid for pid in attached if pid]  # a cluster has no process
    for pid in pids[-1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def measure(scale: Scale) -> Sequence[Measurement]:
    """One pair of cases after the other, by slots."""
    jobs = JOBS[scale]
    return [each for slots in SLOTS[scale] for each in _measure(slots, jobs)]


def _measure(slots: int, jobs: int) -> list[Measurement]:
    bare, bare_us, used_us = f"bare posix_spawn, {slots} slots", list[float](), list[float]()
    rates = interleaved(
        [
            Case(name=bare, unit="jobs/s", run=partial(through_bare_loop, slots, jobs, bare_us)),
            Case(
                name=f"{slots} slots",
                unit="jobs/s",
                run=partial(through_holdfast, slots, jobs, used_us),
                limit=bare,
                budget=BUDGET,
                loose=True,
            ),
        ]
    )
    floor = Measurement(name=f"{bare}: processor", unit="us a job", better="lower", samples=tuple(bare_us))
    used = Measurement(
        name=f"{slots} slots: processor of the supervisor",
        unit="us a job",
        better="lower",
        samples=tuple(used_us),
        limit=floor.name,
    )
    return [*rates, floor, used]


BENCHMARK: Final = Benchmark("spawn", "`/bin/true` through everything, by a bare posix_spawn loop.", measure)
