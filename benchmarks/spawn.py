"""`/bin/true` jobs a second through the whole supervisor, by a bare posix_spawn loop with as many in flight.

Every job goes the whole way: submitted, launched, run by the runner, its end committed and synced, two events beside
its submission. The bare loop records nothing. The budget is 0.8 of it.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import trio

from benchmarks.bare_spawn import PROGRAM, bare_loop
from benchmarks.rounds import interleave, ratio, spread
from holdfast import FlowSpec, JobSpec, Submit
from holdfast.events.facts import TargetAttached
from holdfast.events.messages import Submitted
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.supervisor import Supervisor, open_supervisor

SLOTS: Final = (2, 4, 8, 32)
JOBS: Final = 3_000
BUDGET: Final = 0.8


def through_bare_loop(slots: int) -> float:
    """Jobs a second of a bare loop, in a fresh process."""
    rate, _ = bare_loop(slots, JOBS)
    return rate


def through_holdfast(slots: int) -> float:
    """Jobs a second from the answer to the submission until the last end is committed."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        home = Home(Path(folder) / "home")
        try:
            return trio.run(_run, home, slots)
        finally:
            end_runner(home)


async def _run(home: Home, slots: int) -> float:
    async with open_supervisor(home, slots=slots) as supervisor:
        # One job first, so that the runner is there and what is measured is not its start.
        await run_jobs(supervisor, 1)
        return await run_jobs(supervisor, JOBS)


async def run_jobs(supervisor: Supervisor, count: int) -> float:
    """Submit so many and wait for all; jobs a second from the answer to the submission on."""
    submitted = await supervisor.request(Submit(FlowSpec(jobs=(JobSpec(run=(PROGRAM,)),) * count)))
    assert isinstance(submitted, Submitted), "a submission is answered by what was submitted"
    began = time.perf_counter()
    await supervisor.finished(submitted.jobs)
    return count / (time.perf_counter() - began)


def end_runner(home: Home) -> None:
    """End the home's runner, by the pid that the log has of it."""
    with Reader(home) as reader:
        pids = [event.pid for _, event in reader.events() if isinstance(event, TargetAttached)]
    for pid in pids[-1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def main() -> None:
    """Measure and print a table."""
    print(f"{'slots':>5}  {'bare posix_spawn, jobs/s':28} {'holdfast, jobs/s':28} ratio (budget {BUDGET})")
    for slots in SLOTS:
        results = interleave({"bare": partial(through_bare_loop, slots), "holdfast": partial(through_holdfast, slots)})
        row = f"{slots:5}  {spread(results['bare']):28} {spread(results['holdfast']):28}"
        print(f"{row} {ratio(results, 'holdfast', 'bare'):.2f}", flush=True)
