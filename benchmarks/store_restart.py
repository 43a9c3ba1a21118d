"""What a restart costs with a million finished jobs, by one of an empty home: it reads what is alive.

Measured: opening the log with all its checks, and loading the scheduler's memory. The budget is 1.5.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.finished_jobs import START_US, make_home
from benchmarks.rounds import interleave, ratio, spread
from holdfast.actors.live import Live
from holdfast.store.home import Home
from holdfast.store.opening import open_store

JOBS: Final = 1_000_000
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


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        homes = {"empty": Path(folder) / "empty", "full": Path(folder) / "full"}
        for name, jobs in (("empty", 0), ("full", JOBS)):
            homes[name].mkdir()
            make_home(homes[name], jobs)
        results = interleave({name: partial(restart, path) for name, path in homes.items()})
    print(f"restart of an empty home, us           {spread(results['empty'])}")
    print(f"... with {JOBS:,} finished jobs, us  {spread(results['full'])}")
    print(f"ratio (budget at most {BUDGET})             {ratio(results, 'full', 'empty'):.2f}")


if __name__ == "__main__":
    main()
