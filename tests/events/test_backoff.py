"""Back-off with full jitter: within its bounds, and spread over all of them."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.backoff import full_jitter_us

AMOUNTS = st.integers(0, 2**53)


class Constant:
    """A source that always gives the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


@given(st.integers(-3, 2**60), AMOUNTS, AMOUNTS, st.floats(0, 1, exclude_max=True))
def test_the_delay_is_between_nothing_and_the_doubled_base_or_the_cap(
    failures: int, base_us: int, cap_us: int, value: float
) -> None:
    delay_us = full_jitter_us(failures, base_us, cap_us, Constant(value))
    assert 0 <= delay_us <= min(cap_us, base_us << min(max(failures - 1, 0), 62))


def test_the_ceiling_doubles_with_each_failure_until_the_cap() -> None:
    almost_one = Constant(1 - 2**-53)
    delays_us = [full_jitter_us(failures, 1000, 5000, almost_one) for failures in (1, 2, 3, 4, 500)]
    assert delays_us == [999, 1999, 3999, 4999, 4999]


def test_delays_are_spread_evenly_over_the_whole_range() -> None:
    random = Random(7)
    delays_us = [full_jitter_us(4, 1000, 10**9, random) for _ in range(10_000)]
    tenths = [sum(1 for each in delays_us if start <= each < start + 800) for start in range(0, 8000, 800)]
    assert min(tenths) > 880
    assert max(tenths) < 1120


def test_the_same_seed_gives_the_same_delays() -> None:
    first, second = Random(3), Random(3)
    assert [full_jitter_us(n, 1000, 10**6, first) for n in range(9)] == [
        full_jitter_us(n, 1000, 10**6, second) for n in range(9)
    ]
