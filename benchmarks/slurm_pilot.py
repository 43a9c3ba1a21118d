"""`/bin/true` jobs a second in a cluster's allocation (pilot mode), by one sbatch for each, and by the local target.

One allocation stands, with as many processors as there are slots, and has run a job. Both ends of its way share this
machine: the supervisor, `srun`, Slurm's daemons, and the runner in the allocation. HyperQueue has a worker of its own
beside its server here, with as many processors (what it is installed in is that of `./dev bench peers`); what it
records is in the memory of that server. Holdfast syncs submission, launch and end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import trio
from msgspec.structs import replace

from benchmarks.bare_slurm import one_by_one
from benchmarks.benchmark import Benchmark
from benchmarks.peers.cases import CASES
from benchmarks.peers.cases import Case as PeerCase
from benchmarks.peers.environments import Missing, default_folder
from benchmarks.peers.measuring import measure as measure_peer
from benchmarks.peers.measuring import prepare
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from benchmarks.slurm_lab import TARGET, Clusters, clusters, job, supervising
from benchmarks.ssh_lab import jobs_of
from holdfast import FlowSpec, Submit
from holdfast.events.spec import LOCAL, PilotSpec

SLOTS: Final[dict[Scale, tuple[int, ...]]] = {"full": (2, 8), "quick": (2,)}
JOBS: Final[dict[Scale, int]] = {"full": 2_000, "quick": 400}
BY_HAND_JOBS: Final[dict[Scale, int]] = {"full": 200, "quick": 40}
ROUNDS: Final[dict[Scale, int]] = {"full": 3, "quick": 1}
HAND: Final = "one sbatch for each"
PEER: Final = "HyperQueue"
PEER_SLOTS: Final = 2
BY_HAND, BY_LOCAL = 20, 0.7
_HOUR_US: Final = 3_600_000_000


def by_hand(made: Clusters, jobs: int) -> float:
    """Jobs a second by hand."""
    with made.start() as (_, folder):
        return one_by_one(folder, jobs)


def through_holdfast(made: Clusters, slots: int, jobs: int, target: str) -> float:
    """Jobs a second from the answer to the submission until the last end is committed."""
    with made.start() as (_, folder):
        return trio.run(_through_holdfast, folder, slots, jobs, target)


async def _through_holdfast(folder: Path, slots: int, jobs: int, target: str) -> float:
    pilot = PilotSpec(time_us=_HOUR_US, max=1, cpus=slots, idle_us=_HOUR_US)
    async with supervising(folder, pilot, slots=slots) as supervisor:
        submitted = await supervisor.request(Submit(FlowSpec((job(target=target),) * jobs)))
        began = time.perf_counter()
        await supervisor.finished(jobs_of(submitted))
        return jobs / (time.perf_counter() - began)


def peers() -> list[Case]:
    """HyperQueue, where it can be had; where not, it is said why."""
    case = next(each for each in CASES if each.name == PEER)
    try:
        python = prepare(case, default_folder())
    except Missing as error:
        sys.stderr.write(f"{PEER} is MISSING: {error}\n")
        return []
    return [Case(name=PEER, unit="jobs/s", run=partial(_peer, case, python))]


def _peer(case: PeerCase, python: Path) -> float:
    return case.count("processes") / measure_peer(case, "processes", python)["processes"]


def measure(scale: Scale) -> Sequence[Measurement]:
    """All in turn, first with as many slots as the peer has."""
    jobs, found = JOBS[scale], list[Measurement]()
    with clusters() as made:
        hand = Case(name=HAND, unit="jobs/s", run=partial(by_hand, made, BY_HAND_JOBS[scale]))
        for slots in SLOTS[scale]:
            beside = [hand, *peers()] if slots == PEER_SLOTS else []
            found += by_all(interleaved([*beside, *_ours(made, slots, jobs)], ROUNDS[scale]))
    return found


def _ours(made: Clusters, slots: int, jobs: int) -> list[Case]:
    here = f"local target, {slots} slots"
    local, pilot = (partial(through_holdfast, made, slots, jobs, where) for where in (LOCAL, TARGET))
    return [
        Case(name=here, unit="jobs/s", run=local),
        Case(name=f"pilot, {slots} slots", unit="jobs/s", run=pilot, limit=here, budget=BY_LOCAL, loose=True),
    ]


def by_all(found: Sequence[Measurement]) -> list[Measurement]:
    """The last of them also by each other one that was measured beside it and is no limit yet."""
    ours = found[-1]
    budgets = {HAND: BY_HAND}
    others = [each.name for each in found[:-1] if each.name != ours.limit]
    return [
        *found,
        *(replace(ours, name=f"{ours.name}, by {other}", limit=other, budget=budgets.get(other)) for other in others),
    ]


BENCHMARK: Final = Benchmark(
    "slurm-pilot",
    "`/bin/true` in a cluster's allocation, by an sbatch for each, and by the local target.",
    measure,
    kept=False,
)
