"""Durable calls of functions a second: submitted at once, called in this program, their ends recorded and synced.

The clock runs from the making of the first job until the last end is in the log. A function does nothing, and 100 are
called at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import holdfast
from benchmarks.benchmark import Benchmark
from benchmarks.beside_bare import Stopwatch, beside_bare
from benchmarks.results import Measurement, Scale

CALLS: Final[dict[Scale, int]] = {"full": 5_000, "quick": 1_000}
AT_ONCE: Final = 100
BUDGET: Final = 10_000


async def call(count: int, name: str, home: Path, watch: Stopwatch) -> None:
    """Have the function of this name called so many times."""
    async with holdfast.open(home, calls=AT_ONCE) as hf:
        hf.function("async")(nothing)
        hf.function("plain")(plainly_nothing)
        await (await hf.submit(holdfast.call(name, number=0))).wait()  # past what is done once
        with watch.running():
            jobs = [holdfast.Job(run=holdfast.call(name, number=each)) for each in range(count)]
            await hf.wait(await hf.submit_many(jobs))


async def nothing(number: int) -> None:
    """Do nothing, in the loop."""
    del number


def plainly_nothing(number: int) -> None:
    """Do nothing, in a thread."""
    del number


def measure(scale: Scale) -> Sequence[Measurement]:
    """Async functions and plain ones, in turn."""
    count = CALLS[scale]
    runs = {f"{name} functions, {AT_ONCE} at once": partial(call, count, name) for name in ("async", "plain")}
    return beside_bare(runs, count, "calls", BUDGET if scale == "full" else None)


BENCHMARK: Final = Benchmark("calls", "Durable calls of functions, by bare inserts of their events.", measure)
