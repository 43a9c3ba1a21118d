"""Named limits, against a model that remembers every grant: never more at once, never more in any window."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from holdfast.events.limits import Denial, Grant, LimitTable, carry_over, limit_of
from holdfast.events.spec import LimitSpec

SPECS = {
    "seats": LimitSpec(concurrent=2),
    "api": LimitSpec(interval_us=100, burst=3),
    "both": LimitSpec(concurrent=1, interval_us=70),
    "free": LimitSpec(),
}
KEYS = st.lists(
    st.sampled_from(["seats", "seats:a", "api", "api:a", "api:b", "both", "free"]), unique=True, max_size=4
).map(tuple)
STEPS = st.lists(st.tuples(st.sampled_from(["acquire", "acquire", "release"]), KEYS, st.integers(0, 150)))


class Model(Struct):
    """Every grant ever, by key, and who holds what."""

    grants: dict[str, list[int]]
    held: Counter[str]

    def check(self) -> None:
        """No key is held too often, and no window of any length holds more grants than GCRA lets through."""
        for key, count in self.held.items():
            concurrent = SPECS[limit_of(key)].concurrent
            assert concurrent is None or count <= concurrent
        for key, times in self.grants.items():
            spec = SPECS[limit_of(key)]
            if spec.interval_us is not None:
                for first, start in enumerate(times):
                    for last in range(first, len(times)):
                        window_us = times[last] - start
                        assert last - first + 1 <= spec.burst + window_us // spec.interval_us

    def due_at(self, key: str, now: int) -> int:
        """When the next grant of the key is due by the definition: with it, no window holds too many."""
        spec = SPECS[limit_of(key)]
        if spec.interval_us is None:
            return now
        times = self.grants.get(key, [])
        needed = [start + (len(times) - place + 1 - spec.burst) * spec.interval_us for place, start in enumerate(times)]
        return max([now, *needed])


@given(STEPS)
def test_a_limit_is_never_passed_and_nothing_is_denied_without_need(
    steps: list[tuple[str, tuple[str, ...], int]],
) -> None:
    table, model, now = LimitTable(SPECS), Model({}, Counter()), 0
    holders: list[tuple[str, ...]] = []
    for kind, keys, passed_us in steps:
        now += passed_us
        if kind == "release" and holders:
            released = holders.pop(0)
            table.release(released)
            model.held.subtract(released)
        elif kind == "acquire":
            full = [k for k in keys if (most := SPECS[limit_of(k)].concurrent) is not None and model.held[k] >= most]
            early = [key for key in keys if model.due_at(key, now) > now]
            answer = table.acquire(keys, now)
            if isinstance(answer, Denial):
                assert answer.key in {*full, *early}
                assert answer.retry_at == (None if answer.key in full else model.due_at(answer.key, now))
            else:
                assert not full
                assert not early
                assert set(answer.arrivals) == {key for key in keys if SPECS[limit_of(key)].interval_us is not None}
                holders.append(keys)
                model.held.update(keys)
                for key in keys:
                    model.grants.setdefault(key, []).append(now)
        model.check()
        assert {key: table.held(key) for key in model.held} == dict(model.held)


def test_a_denial_takes_none_of_the_limits_asked_for() -> None:
    table = LimitTable(SPECS)
    assert isinstance(table.acquire(("both",), 0), Grant)
    assert table.acquire(("seats", "api", "both"), 0) == Denial("both", None)
    assert table.held("seats") == 0
    assert [type(table.acquire(("api",), 0)) for _ in range(4)] == [Grant, Grant, Grant, Denial]


def test_each_key_of_a_limit_is_counted_apart() -> None:
    table = LimitTable(SPECS)
    assert [type(table.acquire((key,), 0)) for key in ("seats:a", "seats:a", "seats:b", "seats:a")] == [
        Grant,
        Grant,
        Grant,
        Denial,
    ]


def test_nothing_can_be_released_that_was_not_taken() -> None:
    with pytest.raises(AssertionError, match="more often than taken"):
        LimitTable(SPECS).release(("seats",))


@given(STEPS)
def test_a_restart_from_what_the_log_says_changes_no_answer(steps: list[tuple[str, tuple[str, ...], int]]) -> None:
    table, now = LimitTable(SPECS), 0
    holders: list[tuple[str, ...]] = []
    arrivals: dict[str, int] = {}
    for kind, keys, passed_us in steps:
        now += passed_us
        restarted = LimitTable(SPECS)
        restarted.restore([key for each in holders for key in each], arrivals)
        if kind == "release" and holders:
            table.release(holders.pop(0))
        elif kind == "acquire":
            answer = table.acquire(keys, now)
            assert restarted.acquire(keys, now) == answer
            if isinstance(answer, Grant):
                holders.append(keys)
                arrivals |= answer.arrivals


@given(st.integers(0, 10**9), st.integers(1, 10**15))
def test_a_clock_that_is_set_back_delays_by_one_interval_at_most_and_lets_no_more_through(now: int, back: int) -> None:
    table = LimitTable(SPECS)
    while isinstance(table.acquire(("api",), now), Grant):
        pass
    denied = table.acquire(("api",), now - back)
    assert isinstance(denied, Denial)
    assert denied.retry_at is not None
    assert denied.retry_at <= now - back + 100
    assert isinstance(table.acquire(("api",), denied.retry_at - 1), Denial)
    assert isinstance(table.acquire(("api",), denied.retry_at), Grant)
    assert isinstance(table.acquire(("api",), denied.retry_at), Denial)


def test_the_table_stays_as_small_as_what_is_in_use_however_many_keys_come_by() -> None:
    table = LimitTable(SPECS)
    largest = 0
    for number in range(50_000):
        keys = (f"api:{number}",)
        assert isinstance(table.acquire(keys, number * 10), Grant)
        table.release(keys)
        largest = max(largest, len(table))
    assert largest <= 2 * 1024


def test_a_bound_that_is_lowered_lets_nothing_in_until_enough_have_left() -> None:
    table = LimitTable(SPECS)
    table.acquire(("seats",), 0)
    table.acquire(("seats",), 0)
    table.configure("seats", LimitSpec(concurrent=1), {})
    table.release(("seats",))
    assert table.acquire(("seats",), 0) == Denial("seats", None)
    table.release(("seats",))
    assert isinstance(table.acquire(("seats",), 0), Grant)


RATES = st.builds(LimitSpec, interval_us=st.sampled_from([10, 100, 1000]), burst=st.integers(1, 4))
PAUSES = st.lists(st.integers(0, 150), min_size=1)


@given(RATES, PAUSES, RATES, PAUSES)
def test_a_rate_that_is_changed_lets_no_more_through_than_the_wider_of_its_bounds(
    before: LimitSpec, pauses: list[int], after: LimitSpec, later: list[int]
) -> None:
    table, now = LimitTable({"api": before}), 0
    starts: list[int] = []
    arrivals: dict[str, int] = {}
    for spec, pauses_us in ((before, pauses), (after, later)):
        table.configure("api", spec, carry_over(arrivals, now, before, spec))
        for pause_us in pauses_us:
            while isinstance(answer := table.acquire(("api",), now), Grant):
                arrivals |= answer.arrivals
                starts.append(now)
            now += pause_us
    burst, interval_us = max(before.burst, after.burst), min(before.interval_us or 0, after.interval_us or 0)
    for place, begin in enumerate(starts):
        for count, end in enumerate(starts[place:], 1):
            assert count <= burst + (end - begin) // interval_us
