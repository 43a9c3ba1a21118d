"""How far ahead of its slots a target gets launches: far where jobs are short, not at all where they are long."""

from __future__ import annotations

import pytest

from holdfast.actors.pace import AHEAD_MAX, AHEAD_S, Pace

SECOND_US = 1_000_000
START_US = 1_000 * SECOND_US


def paced(every_us: int, seconds: int = 3) -> Pace:
    """After so long of one end every `every_us`."""
    pace = Pace()
    for at in range(START_US, START_US + seconds * SECOND_US, every_us):
        pace.note(1, at)
    return pace


@pytest.mark.parametrize("ends_per_s", [200, 1_000, 2_000])
def test_short_jobs_get_as_many_launches_ahead_as_end_within_the_time_ahead(ends_per_s: int) -> None:
    assert paced(SECOND_US // ends_per_s).ahead() == pytest.approx(ends_per_s * AHEAD_S, abs=1)


@pytest.mark.parametrize("round_trip_us, ahead", [(0, 1), (100_000, 9), (400_000, 33)])
def test_over_a_slow_link_as_many_more_are_on_their_way_as_end_within_a_round_trip(
    round_trip_us: int, ahead: int
) -> None:
    assert paced(SECOND_US // 80).ahead(round_trip_us) == pytest.approx(ahead, abs=2)


def test_there_is_a_bound() -> None:
    assert paced(SECOND_US // 10_000).ahead(100_000) == AHEAD_MAX


def test_long_jobs_never_wait_in_a_runner() -> None:
    assert paced(SECOND_US // 10).ahead() == 0


def test_short_jobs_of_some_time_ago_count_for_nothing() -> None:
    pace = paced(SECOND_US // 2_000)
    pace.note(0, START_US + 4 * SECOND_US)
    assert pace.ahead() == 0
