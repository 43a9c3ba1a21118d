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
from pathlib import Path
from typing import Final

from benchmarks.load import serving
from benchmarks.load_samples import resident_bytes
from holdfast.actors.live import Live
from holdfast.client import send
from holdfast.events.messages import Submit
from holdfast.events.ready import ReadyQueue
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.events.states import Ready
from holdfast.store.home import Home
from holdfast.store.opening import open_store

AMOUNTS: Final = (100_000, 1_000_000)
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


def main() -> None:
    """Measure and print a table."""
    print(f"{'pending jobs':>12}  {'resident, submitted':>20} {'resident, restarted':>20} {'traced':>8}  bytes a job")
    for jobs in AMOUNTS:
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
            submitted, restarted = measure_resident(Path(name), jobs)
            traced = measure_traced(Path(name), jobs)
        print(f"{jobs:12,}  {submitted:20.0f} {restarted:20.0f} {traced:8.0f}  (budget {BUDGET_BYTES})", flush=True)


if __name__ == "__main__":
    main()
