"""Keys that wait for their rate: each is due once, at its time, and nothing piles up."""

from __future__ import annotations

from holdfast.actors.ratewaits import RateWaits


def test_each_key_is_due_once_at_its_own_time() -> None:
    waits = RateWaits()
    waits.note("late", 30)
    waits.note("soon", 20)
    assert waits.next_at == 20
    assert waits.due(19) == []
    assert waits.due(20) == ["soon"]
    assert waits.due(30) == ["late"]
    assert waits.next_at is None


def test_a_key_that_is_refused_again_and_again_is_remembered_once() -> None:
    waits = RateWaits()
    for _ in range(1_000):
        waits.note("key", 20)
    assert waits.due(20) == ["key"]
    assert waits.next_at is None


def test_only_the_newest_time_of_a_key_counts() -> None:
    waits = RateWaits()
    waits.note("key", 20)
    waits.note("key", 30)
    assert waits.due(20) == []
    assert waits.due(30) == ["key"]


def test_all_are_due_when_the_clock_was_set_back() -> None:
    waits = RateWaits()
    waits.due(100)
    waits.note("soon", 120)
    waits.note("late", 130)
    assert sorted(waits.due(99)) == ["late", "soon"]
    assert waits.next_at is None
