"""Restart policy: the window, the intensity, and the back-off with full jitter. Time is an argument here."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from holdfast.actors.restarts import RestartPolicy, Restarts

from .workers import Most

POLICY = RestartPolicy(max_restarts=3, window_s=10, backoff_base_s=0.5, backoff_cap_s=3)


def test_the_delay_doubles_up_to_the_cap() -> None:
    restarts = Restarts(POLICY, Most())
    assert [restarts.delay_s(crashes) for crashes in (1, 2, 3, 4, 5, 1000)] == [0.5, 1, 2, 3, 3, 3]


def test_the_delay_is_spread_over_the_whole_range_from_the_given_source() -> None:
    restarts = Restarts(POLICY, Random(7))
    delays_s = [restarts.delay_s(4) for _ in range(200)]
    again = Restarts(POLICY, Random(7))
    assert delays_s == [again.delay_s(4) for _ in range(200)]
    assert min(delays_s) < 0.1
    assert 2.9 < max(delays_s) < 3


def test_crashes_are_counted_for_each_child_and_forgotten_after_the_window() -> None:
    restarts = Restarts(POLICY, Most())
    assert restarts.record("a", 0) == 1
    assert restarts.record("b", 1) == 1
    assert restarts.record("a", 9.5) == 2
    assert restarts.record("a", 10) == 2


def test_one_crash_more_than_allowed_within_the_window_is_too_many_whoever_crashed() -> None:
    restarts = Restarts(POLICY, Most())
    for now_s, name in ((0, "a"), (1, "b"), (2, "c")):
        restarts.record(name, now_s)
        assert not restarts.exceeded
    restarts.record("a", 9.999)
    assert restarts.exceeded
    restarts.record("a", 10.5)
    assert restarts.exceeded
    restarts.record("a", 13)
    assert not restarts.exceeded


@given(gaps_s=st.lists(st.integers(0, 8), max_size=30), max_restarts=st.integers(0, 4))
def test_the_intensity_is_exceeded_exactly_when_the_window_holds_more_crashes_than_allowed(
    gaps_s: list[int], max_restarts: int
) -> None:
    restarts = Restarts(RestartPolicy(max_restarts=max_restarts, window_s=10), Most())
    times_s: list[int] = []
    for gap_s in gaps_s:
        now_s = (times_s[-1] if times_s else 0) + gap_s
        times_s.append(now_s)
        in_window = [time_s for time_s in times_s if time_s > now_s - 10]
        assert restarts.record("a", now_s) == len(in_window)
        assert restarts.exceeded == (len(in_window) > max_restarts)
