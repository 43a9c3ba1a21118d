"""Counted needs against a capacity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.capacity import counted, fits, give_back, lacking, take
from holdfast.events.records import Needs

NAMES = st.sampled_from(["cpus", "memory", "gpus"])
NEEDS = st.dictionaries(NAMES, st.integers(0, 5)).map(lambda needs: tuple(sorted(needs.items())))
CAPACITY = st.dictionaries(NAMES, st.integers(0, 9))


@given(st.lists(NEEDS), CAPACITY)
def test_what_is_taken_only_if_it_fits_never_passes_the_capacity(wanted: list[Needs], capacity: dict[str, int]) -> None:
    used: dict[str, int] = {}
    for needs in wanted:
        if fits(used, needs, capacity):
            take(used, needs)
        assert all(amount <= capacity.get(name, 0) for name, amount in used.items())


@given(st.lists(NEEDS).flatmap(lambda wanted: st.tuples(st.just(wanted), st.permutations(wanted))))
def test_what_was_taken_and_given_back_in_any_order_leaves_nothing(drawn: tuple[list[Needs], list[Needs]]) -> None:
    used: dict[str, int] = {}
    for needs in drawn[0]:
        take(used, needs)
    for needs in drawn[1]:
        give_back(used, needs)
    assert all(amount == 0 for amount in used.values())


def test_nothing_that_was_not_taken_can_be_given_back() -> None:
    with pytest.raises(AssertionError, match="more cpus given back"):
        give_back({"cpus": 1}, (("cpus", 2),))


@given(NEEDS, CAPACITY)
def test_what_an_empty_target_lacks_is_what_does_not_fit_it(needs: Needs, capacity: dict[str, int]) -> None:
    short = lacking(dict(needs), capacity)
    assert (short is None) is fits({}, needs, capacity)
    if short is not None:
        name, needed, there = short
        assert needed == dict(needs)[name] > there == capacity.get(name, 0)


def test_ahead_lets_that_many_more_of_the_same_wait_in_the_runner() -> None:
    used: dict[str, int] = {}
    needs, launched = (("cpus", 2),), 0
    while fits(used, needs, {"cpus": 4}, ahead=3):
        take(used, needs)
        launched += 1
    assert launched == 2 + 3


@given(NEEDS, CAPACITY)
def test_on_a_cluster_a_need_is_counted_if_it_was_given_an_amount_of_it_also_of_zero(
    needs: Needs, capacity: dict[str, int]
) -> None:
    ours = counted(needs, capacity)
    assert dict(ours).keys() == dict(needs).keys() & capacity.keys()
    assert all(dict(needs)[name] == amount for name, amount in ours)
    assert fits({}, ours, capacity) is all(amount <= capacity[name] for name, amount in needs if name in capacity)
    assert counted(needs, {}) == ()
    assert counted(needs, dict(needs)) == needs
