"""How many allocations of a cluster there should be for the jobs that wait: when to ask for more, or to give back.

An allocation runs a runner, which is fed with jobs for as long as it lasts. Few are asked for at first, as small jobs
are done before a second one has begun: as many as have `JOBS_EACH` jobs waiting for each of their slots, at most twice
those that are up, and none while others are still to come. A queue that does not get shorter for a while has one more.

Pure: times are microseconds since the epoch, from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Final

from msgspec import Struct

from .errors import BadInput
from .spec import JobSpec, PilotSpec

JOBS_EACH: Final = 4
"""So many jobs wait for each slot before another allocation pays."""
GROW_US: Final = 60_000_000
"""A queue that has stood for so long has one allocation more."""
MARGIN_MAX_US: Final = 60_000_000
MARGIN_SHARE: Final = 10
"""What runs is ended so long before its allocation is: a tenth of its time, a minute at most."""


class Load(Struct, frozen=True):
    """Jobs that wait, ready, for allocations of one target: their needs in sum, and since when the oldest does."""

    needs: Mapping[str, int]
    since: int


class Standing(Struct, frozen=True):
    """An allocation that is not over: how it stands.

    `up`: its jobs can run; else the cluster's queue has it. `leaving`: it is being given back. `busy`: attempts are in
    flight there. `idle_since`: since when it has nothing to do; for one that is not up, since when there was nothing
    for it.
    """

    name: str
    up: bool
    leaving: bool
    busy: bool
    idle_since: int
    began_at: int


class Wish(Struct, frozen=True):
    """What is to be done: ask for so many more, and give these back. `look_at`: when to look again at the latest."""

    more: int = 0
    back: tuple[str, ...] = ()
    look_at: int | None = None


def offers(capacity: Mapping[str, int], spec: PilotSpec) -> dict[str, int]:
    """What each allocation of a cluster offers its jobs, as far as that is known before it is there.

    `capacity`: what the cluster's target was given, which is for each allocation then.
    """
    return {**capacity, "cpus": spec.cpus} if spec.cpus else {k: v for k, v in capacity.items() if k != "cpus"}


def usable_us(time_us: int) -> int:
    """How long after its beginning the jobs of an allocation can run, of the time that it is asked for."""
    return time_us - min(MARGIN_MAX_US, time_us // MARGIN_SHARE)


def check_in_allocation(job: JobSpec, pilot: PilotSpec, where: str) -> None:
    """Check a job that is to run in allocations like this. Raises BadInput."""
    if job.sbatch or job.template or job.variables:
        key = "sbatch" if job.sbatch else "template" if job.template else "variables"
        problem = f"the target {job.target!r} runs jobs in allocations, so that Slurm hears nothing of each"
        raise BadInput(problem, where=f"{where}.{key}", remedy="give the target the option, or leave it out")
    most_us = usable_us(pilot.time_us)
    if job.timeout_us is not None and job.timeout_us > most_us:
        there = f"an allocation of the target {job.target!r} has {most_us // 1_000_000} s for its jobs"
        problem = f"the job may take {job.timeout_us // 1_000_000} s, and {there}"
        raise BadInput(problem, where=f"{where}.timeout", remedy="lower it, or raise the target's pilot.time")


def has_time(ends_at: int, timeout_us: int | None, now: int) -> bool:
    """Whether a job that may take so long can end in an allocation before it does; one without a bound may try."""
    return now < ends_at if timeout_us is None else now + timeout_us <= ends_at


def size(spec: PilotSpec, capacity: Mapping[str, int], load: Load | None, there: Sequence[Standing], now: int) -> Wish:
    """What is to be done about the allocations of a target; `capacity`: of each of them. `load` None: nothing waits."""
    if load is None:
        return _shrink(spec, there, now)
    coming = [each for each in there if not each.up and not each.leaving]
    up = [each for each in there if each.up and not each.leaving]
    room = spec.max - len(there)
    if room <= 0 or coming:
        return Wish()
    if not up:
        return Wish(more=1)
    wanted = ceil(_depth(load.needs, capacity) / JOBS_EACH) - len(up)
    grow_at = max(load.since, *(each.began_at for each in up)) + GROW_US
    if wanted <= 0 and now < grow_at:
        return Wish(look_at=grow_at)
    return Wish(more=min(max(wanted, 1), len(up), room))


def _shrink(spec: PilotSpec, there: Iterable[Standing], now: int) -> Wish:
    """Give back what has had nothing to do for long enough."""
    idle = [each for each in there if not each.leaving and not each.busy]
    back = tuple(each.name for each in idle if now - each.idle_since >= spec.idle_us)
    looks = [each.idle_since + spec.idle_us for each in idle if each.name not in back]
    return Wish(back=back, look_at=min(looks, default=None))


def _depth(needs: Mapping[str, int], capacity: Mapping[str, int]) -> float:
    """How often what waits would fill an allocation."""
    return max((amount / capacity[name] for name, amount in needs.items() if capacity.get(name)), default=1.0)
