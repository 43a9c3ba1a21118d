"""Short jobs in arrays through Holdfast, by the same array given to sbatch by hand; and how often Slurm is called.

By hand the end is seen by a squeue each second, which is how often Holdfast may ask here as well. Its own time is from
before the submission until the last end is committed: each job is in the log by name, with its exit code and output,
and runs once whatever happens. The budget is 1.1 times the time by hand.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import trio

from benchmarks.bare_slurm import array_s
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from benchmarks.slurm_lab import PROGRAM, Clusters, clusters, counted, job, supervising
from benchmarks.ssh_lab import jobs_of
from holdfast import FlowSpec, Submit
from tests.slurm.cluster import Cluster

JOBS: Final[dict[Scale, int]] = {"full": 1_000, "quick": 100}
ROUNDS: Final[dict[Scale, int]] = {"full": 3, "quick": 1}
BY_HAND: Final = 1.1
HAND: Final = "an array by hand"
TOLD: Final = ("sbatch", "squeue", "sacct", "scontrol")


def by_hand(made: Clusters, jobs: int) -> float:
    """Seconds that the array takes."""
    with made.start() as (_, folder):
        return array_s(folder, jobs)


def through_holdfast(made: Clusters, jobs: int, calls: list[Counter[str]]) -> float:
    """Seconds that all take; how often what was called meanwhile is added to `calls`."""
    with made.start() as (cluster, folder):
        return trio.run(_through_holdfast, cluster, folder, jobs, calls)


async def _through_holdfast(cluster: Cluster, folder: Path, jobs: int, calls: list[Counter[str]]) -> float:
    async with supervising(folder) as supervisor:
        before = counted(cluster)
        flow = FlowSpec(tuple(job(PROGRAM, str(number)) for number in range(jobs)))
        began = time.perf_counter()
        await supervisor.finished(jobs_of(await supervisor.request(Submit(flow))))
        took_s = time.perf_counter() - began
        calls.append(counted(cluster) - before)
        return took_s


def measure(scale: Scale) -> Sequence[Measurement]:
    """Both in turn."""
    jobs, calls = JOBS[scale], list[Counter[str]]()
    with clusters() as made:
        took = partial(Case, unit="s", better="lower")
        cases = [
            took(name=HAND, run=partial(by_hand, made, jobs)),
            took(
                name=f"{jobs:,} jobs in arrays",
                run=partial(through_holdfast, made, jobs, calls),
                limit=HAND,
                budget=BY_HAND,
                loose=True,
            ),
        ]
        return [*interleaved(cases, ROUNDS[scale]), *(_calls(name, calls) for name in TOLD)]


def _calls(name: str, calls: Sequence[Counter[str]]) -> Measurement:
    samples = tuple(float(each[name]) for each in calls)
    return Measurement(name=f"... calls of {name}", unit="calls", better="lower", samples=samples, loose=True)


BENCHMARK: Final = Benchmark(
    "slurm-arrays", "Short jobs in arrays on a cluster, by the same array given to sbatch.", measure, kept=False
)
