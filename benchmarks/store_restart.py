"""What a restart costs with a million finished jobs, by one of an empty home: it reads what is alive.

Measured: opening the log with all its checks, and loading the scheduler's memory. The budget is 1.5.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.finished_jobs import START_US, make_home
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast.actors.live import Live
from holdfast.store.home import Home
from holdfast.store.opening import open_store

JOBS: Final[dict[Scale, int]] = {"full": 1_000_000, "quick": 30_000}
EMPTY: Final = "an empty home"
RESTARTS_A_ROUND: Final = 20
BUDGET: Final = 1.5


def restart(folder: Path) -> float:
    """Microseconds of a restart, the median of several."""
    took: list[float] = []
    for _ in range(RESTARTS_A_ROUND):
        began = time.perf_counter()
        store = open_store(Home(folder).log, START_US, "benchmark")
        live = Live(store.base)
        took.append(time.perf_counter() - began)
        assert not live.jobs, "nothing is alive"
        store.close()
    return median(took) * 1e6


def measure(scale: Scale) -> Sequence[Measurement]:
    """Both homes in turn."""
    jobs = JOBS[scale]
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        for home, count in ((empty, 0), (full, jobs)):
            home.mkdir()
            make_home(home, count)
        return interleaved(
            [
                Case(name=EMPTY, unit="us", better="lower", run=partial(restart, empty)),
                Case(
                    name=f"{jobs:,} finished jobs",
                    unit="us",
                    better="lower",
                    run=partial(restart, full),
                    limit=EMPTY,
                    budget=BUDGET,
                ),
            ]
        )


BENCHMARK: Final = Benchmark("store_restart", "A restart with finished jobs, by one of an empty home.", measure)
