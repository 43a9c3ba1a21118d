"""Submissions a second acknowledged to 1,000 callers at once, each of which submits one job after the other.

Every acknowledgement is synced; the target is paused, so nothing runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import trio

import holdfast
from benchmarks.benchmark import Benchmark
from benchmarks.beside_bare import Stopwatch, beside_bare
from benchmarks.results import Measurement, Scale

CALLERS: Final = 1_000
EACH: Final[dict[Scale, int]] = {"full": 20, "quick": 3}
BUDGET: Final = 20_000


async def submit(each: int, home: Path, watch: Stopwatch) -> None:
    """So many submissions of each caller."""
    job = holdfast.Job(run=["true"])
    async with holdfast.open(home, slots=1) as hf:

        async def caller(count: int) -> None:
            for _ in range(count):
                await hf.submit(job)

        async def all_call(count: int) -> None:
            async with trio.open_nursery() as nursery:
                for _ in range(CALLERS):
                    nursery.start_soon(caller, count)

        await hf.pause()
        await all_call(1)  # past what is done once
        with watch.running():
            await all_call(each)


def measure(scale: Scale) -> Sequence[Measurement]:
    """Through the API and bare, in turn."""
    each = EACH[scale]
    runs = {f"{CALLERS:,} callers": partial(submit, each)}
    return beside_bare(runs, CALLERS * each, "submissions", BUDGET if scale == "full" else None)


BENCHMARK: Final = Benchmark("callers", "Submissions acknowledged to 1,000 callers, by bare inserts of them.", measure)
