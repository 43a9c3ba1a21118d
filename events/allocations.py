"""Allocations: parts of a cluster that were asked for to run many jobs in, each a target of its own while it lasts.

    asked ─► granted ─► over ─► retired
      └───────────────────►▲
    released: of one that is asked for or granted: it is given back, and will be over

An allocation goes to the cluster as an attempt does, with the number 0, which no job's attempt has: so the cluster's
queue is asked for it, and it is submitted once, by the same rules. Its target is called `<cluster>/<number>`.
"""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from .errors import IllegalMove
from .facts import (
    AllocationEnded,
    AllocationGranted,
    AllocationReleased,
    AllocationRequested,
    AllocationRetired,
)
from .records import Allocation, Asked, Granted, Over, Retired, Target

ATTEMPT: Final = 0
"""The number of an allocation's only attempt."""
NAMES: Final = {Asked: "asked", Granted: "granted", Over: "over", Retired: "retired"}


def name_of(cluster: str, number: int) -> str:
    """The name of an allocation's target."""
    return f"{cluster}/{number}"


def cluster_of(target: str) -> str:
    """The target that jobs name who are at `target`: itself, or the cluster of an allocation."""
    return target.partition("/")[0]


def token_of(home: str, number: int) -> str:
    """The token under which an allocation is in the cluster's hands."""
    return f"{home}.{number}.{ATTEMPT}"


def is_open(target: Target) -> bool:
    """Whether anything may be launched there, now or once the cluster runs it."""
    allocation = target.allocation
    return allocation is not None and not allocation.released and isinstance(allocation.state, Asked | Granted)


def ask(target: Target | None, event: AllocationRequested, time: int) -> Target:
    """The target of a new allocation. Raises IllegalMove if there is one of this name."""
    if target is not None:
        message = f"there is a target {event.allocation} already"
        raise IllegalMove(message)
    allocation = Allocation(event.target, event.number, event.time_us, Asked(time))
    return Target(event.allocation, event.capacity, allocation=allocation)


def follow(
    target: Target | None,
    event: AllocationGranted | AllocationReleased | AllocationEnded | AllocationRetired,
    time: int,
) -> Target:
    """The target after this happened to its allocation at `time`. Raises IllegalMove, and nothing has happened."""
    if target is None or target.allocation is None:
        message = f"there is no allocation {event.allocation} for {type(event).__name__} to happen to"
        raise IllegalMove(message)
    return replace(target, allocation=_follow(target.allocation, event, time))


def _follow(
    allocation: Allocation,
    event: AllocationGranted | AllocationReleased | AllocationEnded | AllocationRetired,
    time: int,
) -> Allocation:
    before = allocation.state
    match event:
        case AllocationGranted(id=number, node=node, started_at=started_at) if isinstance(before, Asked):
            return replace(allocation, state=Granted(started_at, number, node))
        case AllocationReleased(reason=reason) if isinstance(before, Asked | Granted) and not allocation.released:
            return replace(allocation, released=reason)
        case AllocationEnded(reason=reason) if isinstance(before, Asked | Granted):
            return replace(allocation, state=Over(time, reason))
        case AllocationRetired() if isinstance(before, Over):
            return replace(allocation, state=Retired(time, before.reason))
        case AllocationGranted() | AllocationReleased() | AllocationEnded() | AllocationRetired():
            released = ", given back" if allocation.released else ""
            now = f"{NAMES[type(before)]}{released}"
            message = f"the allocation {event.allocation} is {now}: {type(event).__name__} can't happen to it"
            raise IllegalMove(message)
        case _:
            assert_never(event)
