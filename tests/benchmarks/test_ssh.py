"""What the benchmarks over SSH make of their samples: ratios, what is allowed, and what a host costs."""

from __future__ import annotations

import pytest

from benchmarks.results import Result
from benchmarks.ssh_connections import resting
from benchmarks.ssh_latency import by_round_trip
from benchmarks.ssh_rate import also_by

from .runs import LIMIT, measurement


def test_one_rate_is_held_against_each_limit_with_its_own_budget() -> None:
    slower = measurement("slower", [40.0, 44.0, 36.0, 42.0, 38.0], limit=None)
    ours = measurement(limit=None)
    by_bare, by_slower = also_by({"bare": 1.5, "slower": 1.5}, ours)
    found = Result("ssh-rate", "full", (LIMIT, slower, by_bare, by_slower))
    assert [found.reached(each) for each in (by_bare, by_slower)] == pytest.approx([0.8, 2.0])
    assert [found.met(each) for each in (by_bare, by_slower)] == [False, True]


@pytest.mark.parametrize("late_ms, met", [(130.0, True), (130.1, False)])
def test_an_end_may_take_1_2_round_trips_and_10_ms(late_ms: float, met: bool) -> None:  # noqa: FBT001 - a parameter
    ends = [float(number) for number in range(9)] + [late_ms]
    found = Result("ssh-latency", "full", tuple(by_round_trip(50, [(100.0, ends)])))
    half, nine_of_ten = found.measurements[-2:]
    assert (half.median, nine_of_ten.median) == (4.5, late_ms)
    assert found.met(half)
    assert found.met(nine_of_ten) is met


def test_a_host_costs_what_all_cost_beyond_the_first() -> None:
    memory, one, all_of_them = resting(5, (50e6, 50.4e6), (0.001, 0.005))
    assert memory.median == pytest.approx(100)
    assert (one.median, all_of_them.median) == pytest.approx((0.1, 0.5))
