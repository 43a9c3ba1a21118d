"""What may happen to a cluster's allocations in a random history: asked for, granted, given back, over, retired."""

from collections.abc import Sequence
from random import Random

from holdfast.events.allocation_reports import retire
from holdfast.events.allocations import name_of
from holdfast.events.draft import Draft
from holdfast.events.facts import AllocationEnded, AllocationEvent, AllocationGranted, AllocationReleased
from holdfast.events.facts import AllocationRequested as Requested
from holdfast.events.messages import AttemptStatus, Reported
from holdfast.events.outcomes import decide_report
from holdfast.events.records import Asked, Granted, Over, Target
from holdfast.store.contract import LiveBase

from .batch_steps import CLUSTER

_AUTHOR = f"target:{CLUSTER}"


def allocations(base: LiveBase) -> list[Target]:
    """All that there ever were."""
    return [each for each in base.targets() if each.allocation is not None]


def places(base: LiveBase) -> list[str]:
    """Where a job of the cluster may be launched: in its queue, or in an allocation that it runs."""
    granted = (
        each.name for each in allocations(base) if each.allocation and isinstance(each.allocation.state, Granted)
    )
    return [CLUSTER, *granted]


def follow_allocation(base: LiveBase, draft: Draft, random: Random) -> None:
    """Ask for one, or let something happen to one."""
    there = allocations(base)
    if not there or random.random() < 0.2:
        number = len(there) + 1
        draft.record(Requested(name_of(CLUSTER, number), CLUSTER, number, {"cpus": 4}, 3_600_000_000), author=_AUTHOR)
        return
    target = random.choice(there)
    name, allocation = target.name, target.allocation
    assert allocation is not None
    released = [] if allocation.released else [AllocationReleased(name, "nothing to do")]
    match allocation.state:
        case Asked():
            granted = AllocationGranted(name, str(random.randrange(1, 1_000)), "node1", draft.now)
            _record(draft, random, [granted, granted, AllocationEnded(name, "its script failed", "FAILED"), *released])
        case Granted():
            _record(draft, random, [AllocationEnded(name, "its time was over", "TIMEOUT"), *released])
        case Over():
            _settle(base, draft, name)
        case _:
            pass


def _record(draft: Draft, random: Random, events: Sequence[AllocationEvent]) -> None:
    draft.record(random.choice(events), author=_AUTHOR)


def _settle(base: LiveBase, draft: Draft, name: str) -> None:
    """What was in flight there is lost, and then nothing more is to be expected of it."""
    tokens = [f"{base.home}.{job.id}.{job.attempt}" for job in base.in_flight(name)]
    lost = (
        AttemptStatus(token, "ended", how="lost", ended_at=draft.now, error="its runner is gone") for token in tokens
    )
    decide_report(draft, Reported(name, tuple(lost)))
    retire(draft, name, _AUTHOR)
