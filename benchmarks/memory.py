"""What a pending job costs the supervisor in memory: resident bytes of a real one, and what Python has for it.

Half of the jobs are ready and wait for room, the other half wait for another job. Resident memory is that of a
`holdfast serve` beyond what it takes with a single job: after the jobs were submitted to it in flows of 100,000, and
after a restart, which reads them from the views. What Python itself has for them (`tracemalloc`) is the scheduler's
memory and its ready queue, loaded as in a restart. The budget is 500 bytes a job.
"""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.finished_jobs import draft_on, open_new
from benchmarks.load_samples import resident_bytes
from benchmarks.results import Measurement, Scale
from benchmarks.serving import serving
from holdfast.actors.live import Live
from holdfast.client import send
from holdfast.events.decide import decide
from holdfast.events.messages import Submit
from holdfast.events.ready import ReadyQueue
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.events.states import Ready
from holdfast.store.home import Home
from holdfast.store.opening import open_store

AMOUNTS: Final = (100_000, 1_000_000)
QUICK: Final = 20_000
BUDGET_BYTES: Final = 500
_A_FLOW: Final = 100_000
_SETTLE_S: Final = 1.0


def _resident(pid: int) -> int:
    time.sleep(_SETTLE_S)  # whatever it still does for the last request
    return resident_bytes(pid)


def _submit(home: Home, jobs: int) -> None:
    """Jobs that wait, in flows of 100,000."""
    half = _A_FLOW // 2
    for _ in range(jobs // _A_FLOW):
        ready = [JobSpec(run=("/bin/true", "some", "arguments"), name=f"j{number}") for number in range(half)]
        after = [JobSpec(run=("/bin/true",), name=f"a{number}", after=(f"j{number}",)) for number in range(half)]
        send(home, Submit(FlowSpec((*ready, *after), "waiting")))


def measure_resident(folder: Path, jobs: int) -> tuple[float, float]:
    """Resident bytes a pending job, after submission and after a restart."""
    home = Home(folder / "home")
    with serving(home, 1) as pid:
        send(home, Submit(FlowSpec((JobSpec(run=("/bin/sleep", "600"), priority=1),))))
        alone = _resident(pid)
        _submit(home, jobs)
        submitted = _resident(pid)
    with serving(home, 1) as pid:
        restarted = _resident(pid)
    return (submitted - alone) / jobs, (restarted - alone) / jobs


def measure_traced(folder: Path, jobs: int) -> float:
    """Bytes that Python has for a pending job in the scheduler's memory and its queue."""
    store = open_store(Home(folder / "home").log, 0, "benchmark")
    tracemalloc.start()
    live, queue = Live(store.base), ReadyQueue()
    for job in live.jobs.values():
        if isinstance(job.state, Ready):
            queue.push(job)
    gc.collect()
    traced, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    store.close()
    return traced / jobs


def _submit_here(folder: Path, jobs: int) -> None:
    """A home where so many jobs wait, made without a supervisor."""
    (folder / "home").mkdir()
    store = open_new(folder / "home")
    draft = draft_on(store)
    decide(draft, Submit(FlowSpec((JobSpec(run=("/bin/true", "some", "arguments")),) * jobs)))
    store.commit([draft])
    store.close()


def _bytes(name: str, amount: float) -> Measurement:
    return Measurement(
        name=name,
        unit="bytes a job",
        better="lower",
        samples=(amount,),
        budget=BUDGET_BYTES,
        budget_on="median",
        portable=True,
    )


def measure(scale: Scale) -> Sequence[Measurement]:
    """One round, as memory is no matter of speed; `quick` is what Python has for the jobs, in this process alone."""
    if scale == "quick":
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
            _submit_here(Path(name), QUICK)
            return [_bytes(f"{QUICK:,} jobs, traced", measure_traced(Path(name), QUICK))]
    measured: list[Measurement] = []
    for jobs in AMOUNTS:
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
            submitted, restarted = measure_resident(Path(name), jobs)
            traced = measure_traced(Path(name), jobs)
        measured.append(_bytes(f"{jobs:,} jobs, resident right after their submission", submitted))
        measured.append(_bytes(f"{jobs:,} jobs, resident after a restart", restarted))
        measured.append(_bytes(f"{jobs:,} jobs, traced", traced))
    return measured


BENCHMARK: Final = Benchmark("memory", "Bytes of memory that a pending job costs the supervisor.", measure)
