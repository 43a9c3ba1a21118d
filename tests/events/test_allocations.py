"""The moves of an allocation: every event in every state, and what is said of it by its cluster."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from holdfast.events import facts
from holdfast.events.allocations import ask, cluster_of, follow, is_open, name_of, token_of
from holdfast.events.errors import IllegalMove
from holdfast.events.records import Allocation, Asked, Granted, Over, Retired, Target

NAME = "cluster/3"
REQUEST = facts.AllocationRequested(NAME, "cluster", 3, {"cpus": 2}, 60)
GRANT = facts.AllocationGranted(NAME, "17", "n1", 20)
RELEASE = facts.AllocationReleased(NAME, "idle")
END = facts.AllocationEnded(NAME, "gone", "TIMEOUT")
RETIRE = facts.AllocationRetired(NAME)

ASKED = Allocation("cluster", 3, 60, Asked(10))
GRANTED = replace(ASKED, state=Granted(20, "17", "n1"))
OVER = replace(ASKED, state=Over(30, "gone"))
RETIRED = replace(ASKED, state=Retired(30, "gone"))
Later = facts.AllocationGranted | facts.AllocationReleased | facts.AllocationEnded | facts.AllocationRetired

MOVES: dict[tuple[str, type[Later]], Allocation] = {
    ("asked", facts.AllocationGranted): GRANTED,
    ("asked", facts.AllocationReleased): replace(ASKED, released="idle"),
    ("asked", facts.AllocationEnded): OVER,
    ("granted", facts.AllocationReleased): replace(GRANTED, released="idle"),
    ("granted", facts.AllocationEnded): OVER,
    ("over", facts.AllocationRetired): RETIRED,
}
STATES = {"asked": ASKED, "granted": GRANTED, "over": OVER, "retired": RETIRED}


@pytest.mark.parametrize("event", [GRANT, RELEASE, END, RETIRE], ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", STATES)
def test_each_event_moves_an_allocation_as_the_table_says_or_changes_nothing(state: str, event: Later) -> None:
    before = Target(NAME, {"cpus": 2}, allocation=STATES[state])
    expected = MOVES.get((state, type(event)))
    if expected is None:
        with pytest.raises(IllegalMove, match=NAME):
            follow(before, event, 30)
    else:
        assert follow(before, event, 30) == replace(before, allocation=expected)


def test_it_is_given_back_once() -> None:
    before = Target(NAME, allocation=replace(GRANTED, released="idle"))
    with pytest.raises(IllegalMove, match="granted, given back"):
        follow(before, RELEASE, 30)


def test_an_allocation_begins_as_a_target_of_its_own() -> None:
    assert ask(None, REQUEST, 10) == Target(NAME, {"cpus": 2}, allocation=ASKED)
    with pytest.raises(IllegalMove, match="already"):
        ask(Target(NAME), REQUEST, 10)


@pytest.mark.parametrize("target", [None, Target(NAME)])
def test_nothing_happens_to_what_is_no_allocation(target: Target | None) -> None:
    with pytest.raises(IllegalMove, match="no allocation"):
        follow(target, GRANT, 30)


def test_only_what_is_neither_over_nor_given_back_is_open() -> None:
    assert is_open(Target(NAME, allocation=ASKED))
    assert is_open(Target(NAME, allocation=GRANTED))
    for each in (OVER, RETIRED, replace(GRANTED, released="idle"), replace(ASKED, released="idle"), None):
        assert not is_open(Target(NAME, allocation=each))


def test_names_and_tokens() -> None:
    assert name_of("cluster", 3) == NAME
    assert cluster_of(NAME) == cluster_of("cluster") == "cluster"
    assert token_of("home", 3) == "home.3.0"
