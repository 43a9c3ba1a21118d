"""The way to a machine: any sights lead to legal states, and what only a person can help is left to them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.errors import IllegalMove
from holdfast.events.hosts import (
    IDLE,
    NAMES,
    RETRY_BASE_US,
    RETRY_CAP_US,
    Answered,
    Asked,
    Broke,
    Connecting,
    Dialled,
    Down,
    HostState,
    Idle,
    NeedsYou,
    Refused,
    Rested,
    ShowedKey,
    Sight,
    Silent,
    Suspect,
    Up,
    dial_at,
    follow,
    last_error_of,
    name_of,
    reason_of,
)

KEY = ShowedKey("ssh-ed25519 AAAA", "SHA256:x", "its key is not known", changed=False)
SIGHTS: Sequence[Sight] = (
    Dialled(),
    Answered(7),
    Silent("nothing was heard"),
    Broke("it broke"),
    KEY,
    Asked("a password"),
    Rested(),
)


class Least:
    """A source of chance that gives the largest back-off there may be."""

    def uniform(self, low: float, high: float) -> float:
        del low
        return high

    def random(self) -> float:
        return 1.0


def walk(sights: Sequence[Sight]) -> list[HostState]:
    """The states after each of these, a second apart; a machine that may not be dialled is not."""
    random, states = Random(1), list[HostState]()
    current: HostState = IDLE
    for number, sight in enumerate(sights, 1):
        if isinstance(sight, Dialled) and dial_at(current) is None:
            continue
        current = follow(current, sight, number * 1_000_000, random)
        states.append(current)
    return states


@given(st.lists(st.sampled_from(SIGHTS), max_size=40))
def test_any_sequence_of_sights_leads_to_states_with_a_name_a_time_and_a_reason_where_something_is_wrong(
    sights: list[Sight],
) -> None:
    for state in walk(sights):
        assert name_of(state) in NAMES.values()
        assert state.since >= 0
        wrong = isinstance(state, Suspect | Down | Refused | NeedsYou)
        assert (reason_of(state) is not None) == wrong


@given(st.lists(st.sampled_from(SIGHTS), max_size=40))
def test_p8_what_only_a_person_can_help_is_never_dialled_by_itself(sights: list[Sight]) -> None:
    for state in walk(sights):
        if isinstance(state, Refused | NeedsYou):
            assert dial_at(state) is None
            with pytest.raises(IllegalMove):
                follow(state, Dialled(), 1, Random(1))
            assert dial_at(follow(state, Rested(), 1, Random(1))) == 0


@given(st.lists(st.sampled_from(SIGHTS), max_size=40))
def test_a_machine_is_dialled_only_while_it_is_idle_or_down_and_not_before_its_time(sights: list[Sight]) -> None:
    for state in walk(sights):
        at = dial_at(state)
        assert (at is None) == (not isinstance(state, Idle | Down))
        if isinstance(state, Down):
            assert at == state.retry_at
            assert 0 <= state.retry_at - state.since <= RETRY_CAP_US


def test_the_back_off_grows_from_failure_to_failure_up_to_its_cap_and_ends_with_an_answer() -> None:
    state: HostState = IDLE
    waits: list[int] = []
    for _ in range(12):
        state = follow(state, Dialled(), 0, Least())
        state = follow(state, Broke("no route"), 0, Least())
        assert isinstance(state, Down)
        waits.append(state.retry_at)
    assert waits[0] == RETRY_BASE_US
    assert all(after == min(2 * before, RETRY_CAP_US) for before, after in pairwise(waits))
    assert waits[-1] == RETRY_CAP_US
    answered = follow(follow(state, Dialled(), 0, Least()), Answered(5), 0, Least())
    assert answered == Up(0, 5)
    again = follow(answered, Broke("cut"), 0, Least())
    assert again == Down(0, "cut", RETRY_BASE_US, failures=1)


def test_while_it_is_tried_again_it_still_says_what_was_wrong() -> None:
    again = follow(follow(Connecting(1), Broke("no route"), 2, Random(1)), Dialled(), 9, Random(1))
    assert again == Connecting(9, 1, "no route")
    assert last_error_of(again) == "no route"
    assert last_error_of(follow(again, Answered(5), 10, Random(1))) is None


def test_nothing_changes_where_nothing_is_new() -> None:
    up = Up(3, 5)
    assert follow(up, Answered(9), 8, Random(1)) is up
    assert follow(IDLE, Rested(), 8, Random(1)) is IDLE
    suspect = follow(up, Silent("11 s"), 8, Random(1))
    assert suspect == Suspect(8, "11 s")
    assert follow(suspect, Silent("16 s"), 9, Random(1)) is suspect
    assert follow(Connecting(1), Silent("11 s"), 9, Random(1)) == Connecting(1)


def test_a_key_that_is_not_trusted_is_kept_with_what_a_person_needs_to_judge_it() -> None:
    shown = follow(Connecting(1, failures=4), KEY, 9, Random(1))
    assert shown == Refused(9, KEY.reason, KEY.key, KEY.fingerprint, KEY.changed)
