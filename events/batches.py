"""Batches: what is given to a cluster's queue at once, one job or an array, and what is known of it there.

    planned ─► submitted ─► closed
      │  ▲         ▲ └─► closed, once all its attempts have ended
      ▼  │         │
    unclear ───────┘  it was found there after all
         └─► planned  its absence was established: it is submitted again

The plan is in the log before the cluster hears of it. `unclear`: it was sent, and whether it arrived is not known.
Times are microseconds since the epoch.
"""

from __future__ import annotations

from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from .errors import IllegalMove
from .facts import BatchAbsent, BatchClosed, BatchEvent, BatchPlanned, BatchSubmitted, BatchUnclear, BatchWaits
from .records import Batch, ClosedBatch, PlannedBatch, SubmittedBatch, UnclearBatch

NAMES: Final = {PlannedBatch: "planned", UnclearBatch: "unclear", SubmittedBatch: "submitted", ClosedBatch: "closed"}


class Recorded(Struct, frozen=True):
    """What became of news of batches.

    `over`: the attempts, as (job, attempt), that go into no batch because they are over. `refused`: the news that the
    log can't have, each with the reason; none of it is recorded, nor which attempts go into what was to be planned.
    """

    over: frozenset[tuple[int, int]] = frozenset()
    refused: tuple[tuple[BatchEvent, str], ...] = ()


def is_stale(batch: Batch | None, event: BatchEvent) -> bool:
    """Whether an event that can't happen says nothing that is to be known: it is said twice, or was overtaken."""
    match event:
        case BatchWaits():
            return True
        case BatchSubmitted(id=number):
            return batch is not None and isinstance(batch.state, SubmittedBatch) and batch.state.id == number
        case BatchClosed():
            return batch is not None and isinstance(batch.state, ClosedBatch)
        case BatchPlanned() | BatchUnclear() | BatchAbsent():
            return False
        case _:
            assert_never(event)


def follow(batch: Batch | None, event: BatchEvent, time: int) -> Batch:
    """The batch after this happened to it at `time`. Raises IllegalMove, and nothing has happened."""
    if isinstance(event, BatchPlanned):
        if batch is not None:
            message = f"the batch {event.batch} was planned twice"
            raise IllegalMove(message)
        return Batch(event.batch, event.target, event.size, time, PlannedBatch(), event.after, event.plan)
    if batch is None:
        message = f"there is no batch {event.batch} for {type(event).__name__} to happen to"
        raise IllegalMove(message)
    state = _follow(batch, event, time)
    return replace(batch, state=state)


def _follow(
    batch: Batch, event: BatchSubmitted | BatchUnclear | BatchAbsent | BatchWaits | BatchClosed, time: int
) -> PlannedBatch | UnclearBatch | SubmittedBatch | ClosedBatch:
    before = batch.state
    match event:
        case BatchSubmitted(id=number) if isinstance(before, PlannedBatch | UnclearBatch):
            return SubmittedBatch(time, number)
        case BatchUnclear(reason=reason) if isinstance(before, PlannedBatch | UnclearBatch):
            return UnclearBatch(time, reason)
        case BatchAbsent() if isinstance(before, UnclearBatch):
            return PlannedBatch()
        case BatchWaits(reason=reason) if isinstance(before, PlannedBatch):
            return PlannedBatch(reason)
        case BatchWaits(reason=reason) if isinstance(before, SubmittedBatch):
            return SubmittedBatch(before.since, before.id, reason)
        case BatchClosed(reason=reason) if not isinstance(before, ClosedBatch):
            return ClosedBatch(time, reason, before.id if isinstance(before, SubmittedBatch) else None)
        case BatchSubmitted() | BatchUnclear() | BatchAbsent() | BatchWaits() | BatchClosed():
            message = f"the batch {batch.name} is {NAMES[type(before)]}: {type(event).__name__} can't happen to it"
            raise IllegalMove(message)
        case _:
            assert_never(event)
