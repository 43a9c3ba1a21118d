"""A batch's life: every state meets every event; what can't happen changes nothing."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.events import facts
from holdfast.events.batches import follow
from holdfast.events.errors import IllegalMove
from holdfast.events.records import Batch, ClosedBatch, PlannedBatch, SubmittedBatch, UnclearBatch

from .samples import BATCH, BATCH_EVENTS

States = type[PlannedBatch] | type[UnclearBatch] | type[SubmittedBatch] | type[ClosedBatch]

STATES: Final = (
    PlannedBatch(),
    PlannedBatch("not just now"),
    UnclearBatch(3, "Socket timed out"),
    SubmittedBatch(3, "25", "Priority"),
    ClosedBatch(3, "all have ended", "25"),
)
LEADS: Final[dict[type[object], dict[type[object], States]]] = {
    PlannedBatch: {
        facts.BatchSubmitted: SubmittedBatch,
        facts.BatchUnclear: UnclearBatch,
        facts.BatchWaits: PlannedBatch,
        facts.BatchClosed: ClosedBatch,
    },
    UnclearBatch: {
        facts.BatchSubmitted: SubmittedBatch,
        facts.BatchUnclear: UnclearBatch,
        facts.BatchAbsent: PlannedBatch,
        facts.BatchClosed: ClosedBatch,
    },
    SubmittedBatch: {facts.BatchWaits: SubmittedBatch, facts.BatchClosed: ClosedBatch},
    ClosedBatch: {},
}


def batch_in(state: PlannedBatch | UnclearBatch | SubmittedBatch | ClosedBatch) -> Batch:
    return Batch(BATCH, "cluster", 2, 1, state)


@pytest.mark.parametrize("event", BATCH_EVENTS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("state", STATES, ids=lambda each: type(each).__name__)
def test_every_state_meets_every_event(
    state: PlannedBatch | UnclearBatch | SubmittedBatch | ClosedBatch, event: facts.BatchEvent
) -> None:
    before = batch_in(state)
    leads = LEADS[type(state)].get(type(event))
    if leads is None:
        with pytest.raises(IllegalMove):
            follow(before, event, 9)
    else:
        after = follow(before, event, 9)
        assert isinstance(after.state, leads)
        assert (after.name, after.target, after.size, after.planned_at) == (BATCH, "cluster", 2, 1)


def test_a_batch_begins_with_its_plan_and_with_nothing_else() -> None:
    assert follow(None, BATCH_EVENTS[0], 9) == Batch(BATCH, "cluster", 2, 9, PlannedBatch())
    for event in BATCH_EVENTS[1:]:
        with pytest.raises(IllegalMove):
            follow(None, event, 9)


def test_what_a_batch_waits_for_does_not_change_its_id_or_since_when_it_is_there() -> None:
    waits = facts.BatchWaits("cluster", BATCH, "Resources")
    assert follow(batch_in(SubmittedBatch(3, "25", "Priority")), waits, 9).state == SubmittedBatch(3, "25", "Resources")


def test_a_closed_batch_keeps_its_id() -> None:
    closed = facts.BatchClosed("cluster", BATCH, "all have ended")
    assert follow(batch_in(SubmittedBatch(3, "25")), closed, 9).state == ClosedBatch(9, "all have ended", "25")
    assert follow(batch_in(PlannedBatch()), closed, 9).state == ClosedBatch(9, "all have ended")
