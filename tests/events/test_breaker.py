"""The circuit breaker: every state with every input."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.breaker import Breaker
from holdfast.events.errors import IllegalMove

CLOSED = Breaker(threshold=2, base_us=100, cap_us=1000)
SHAKEN = Breaker(threshold=2, base_us=100, cap_us=1000, failures=1)
OPEN = Breaker(threshold=2, base_us=100, cap_us=1000, failures=2, until=50)
PROBING = Breaker(threshold=2, base_us=100, cap_us=1000, failures=2, until=50, probing=True)


@pytest.mark.parametrize(
    "breaker,now,allowed",
    [
        (CLOSED, 0, True),
        (SHAKEN, 0, True),
        (OPEN, 49, False),
        (OPEN, 50, True),
        (PROBING, 49, False),
        (PROBING, 50, False),
        (PROBING, 10**9, False),
    ],
)
def test_a_try_may_begin_when_closed_or_as_the_one_probe_when_the_time_is_over(
    breaker: Breaker, now: int, *, allowed: bool
) -> None:
    assert breaker.allows(now) is allowed
    if not allowed:
        with pytest.raises(IllegalMove, match="open"):
            breaker.tried(now)


def test_a_try_is_remembered_only_as_a_probe() -> None:
    assert CLOSED.tried(0) == CLOSED
    assert SHAKEN.tried(0) == SHAKEN
    assert OPEN.tried(50) == PROBING


@pytest.mark.parametrize("breaker", [CLOSED, SHAKEN, OPEN, PROBING])
def test_a_success_closes_it_and_forgets_the_failures(breaker: Breaker) -> None:
    assert breaker.succeeded() == CLOSED


def test_a_failure_opens_it_once_there_were_enough_in_a_row() -> None:
    assert CLOSED.failed(0, Random(1)) == SHAKEN
    opened = SHAKEN.failed(10, Random(1))
    assert opened.failures == 2
    assert opened.until is not None
    assert not opened.allows(10)


@given(st.integers(1, 200), st.integers(0, 2**32), st.integers(0, 10**15))
def test_it_stays_open_for_half_the_ceiling_at_least_and_the_ceiling_at_most(
    failures: int, seed: int, now: int
) -> None:
    opened = Breaker(1, 100, 30_000, failures - 1, now, probing=True).failed(now, Random(seed))
    ceiling_us = min(30_000, 100 * 2 ** (failures - 1))
    assert opened.until is not None
    assert ceiling_us // 2 <= opened.until - now <= ceiling_us
    assert not opened.probing
    assert opened.allows(opened.until)


@given(st.lists(st.tuples(st.sampled_from(["try", "succeed", "fail"]), st.integers(0, 500))))
def test_whatever_comes_at_most_one_probe_is_out_and_a_success_always_closes(inputs: list[tuple[str, int]]) -> None:
    breaker, now, random = CLOSED, 0, Random(1)
    for kind, passed_us in inputs:
        now += passed_us
        if kind == "try" and breaker.allows(now):
            breaker = breaker.tried(now)
            assert breaker.until is None or not breaker.allows(now)
        elif kind == "succeed":
            breaker = breaker.succeeded()
            assert breaker == CLOSED
        elif kind == "fail":
            failures = breaker.failures
            breaker = breaker.failed(now, random)
            assert breaker.failures == failures + 1
            assert breaker.allows(now) is (breaker.failures < breaker.threshold or breaker.until == now)
