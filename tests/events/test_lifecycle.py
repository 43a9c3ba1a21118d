"""The job life cycle: every state with every event does what the table says, or raises and changes nothing."""

from __future__ import annotations

from typing import get_args

import pytest

from holdfast.events.errors import IllegalMove
from holdfast.events.evolve import evolve
from holdfast.events.facts import (
    AttemptEnded,
    AttemptLaunched,
    AttemptProgressed,
    AttemptReached,
    AttemptRevoked,
    AttemptStarted,
    AttemptUnreachable,
    JobEvent,
    JobReady,
    JobReleased,
    JobRetried,
    JobSubmitted,
)
from holdfast.events.lifecycle import MOVES, failure_reason, first_state, move
from holdfast.events.records import Attempt, Ended, Job, Launched, Outcome, Policy, Process, Progress, Revoked, Started
from holdfast.events.spec import JobSpec
from holdfast.events.states import (
    FINAL,
    IN_FLIGHT,
    LIVE,
    Cancelled,
    Delayed,
    Failed,
    Held,
    JobState,
    Launching,
    Lost,
    Ready,
    Running,
    Skipped,
    Succeeded,
    Unknown,
    Waiting,
    name_of,
)

from .memory_base import Fold
from .samples import JOB, JOB_EVENTS, OUTCOMES, STATES

ATTEMPT_EVENTS = (AttemptStarted, AttemptEnded, AttemptRevoked, AttemptUnreachable, AttemptReached)
PHASES = (Launched(), Started(2, Process(100, 5)), Ended(OUTCOMES[0]), Revoked("taken back"))


def records(state: JobState) -> Fold:
    """A job in this state, with the attempt that makes sense in it."""
    fold = Fold()
    flying = isinstance(state, IN_FLIGHT)
    fold.jobs.put(JOB, Job(JOB, Policy(), state, attempt=1 if flying else 0))
    if flying:
        phase = PHASES[1] if isinstance(state, Running) or getattr(state, "started_at", None) else PHASES[0]
        fold.attempts.put((JOB, 1), Attempt(JOB, 1, f"home.{JOB}.1", "local", 1, phase))
    return fold


def ends_of(state: JobState, event: JobEvent) -> tuple[type[JobState], ...]:
    """Where the table lets this very event lead to: one that names a state leads to no other."""
    ends = MOVES[type(state)].get(type(event), ())
    return tuple(end for end in ends if not isinstance(event, JobReady) or end.__name__.lower() == event.state)


def test_the_samples_hold_every_state_and_every_event_of_a_job() -> None:
    assert {type(state) for state in STATES} == {*LIVE, *FINAL} == set(MOVES)
    assert {type(event) for event in JOB_EVENTS} == set(get_args(JobEvent))


@pytest.mark.parametrize("event", JOB_EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", STATES, ids=name_of)
def test_every_event_in_every_state_leads_where_the_table_says_or_changes_nothing(
    state: JobState, event: JobEvent
) -> None:
    fold = records(state)
    before = fold.tables()
    allowed = ends_of(state, event)
    if not allowed:
        with pytest.raises(IllegalMove):
            fold.take(event, 10)
        assert fold.tables() == before
    else:
        fold.take(event, 10)
        assert type(fold.jobs[JOB].state) in allowed


def test_every_move_of_the_table_is_made_by_some_sample() -> None:
    made: set[tuple[str, str, str]] = set()
    for state in STATES:
        for event in JOB_EVENTS:
            if ends_of(state, event):
                made.add((name_of(state), type(event).__name__, name_of(move(state, event, 10))))
    written = {
        (start.__name__.lower(), event.__name__, end.__name__.lower())
        for start, moves in MOVES.items()
        for event, ends in moves.items()
        for end in ends
    }
    assert made == written


def test_an_event_that_leads_beside_the_table_is_refused() -> None:
    with pytest.raises(IllegalMove, match="can't lead from held to held"):
        move(Held(1), JobReleased(JOB, "held"), 2)


def test_a_job_can_be_put_into_no_state_but_ready_waiting_and_held() -> None:
    assert [name_of(first_state(name, 1)) for name in ("ready", "waiting", "held")] == ["ready", "waiting", "held"]
    with pytest.raises(IllegalMove, match="'running'"):
        first_state("running", 1)


def test_the_only_way_out_of_an_end_is_a_retry_and_a_success_has_none() -> None:
    assert {state: set(MOVES[state]) for state in FINAL} == {
        state: set() if state is Succeeded else {JobRetried} for state in FINAL
    }


def test_that_an_attempt_says_how_far_it_is_changes_no_record_and_takes_one_that_is_in_flight() -> None:
    fold = records(Running(2))
    before = fold.tables()
    fold.take(AttemptProgressed(JOB, 1, Progress(0.5)), 10)
    assert fold.tables() == before
    with pytest.raises(IllegalMove, match="attempt 2 is not in flight"):
        fold.take(AttemptProgressed(JOB, 2, Progress(0.5)), 10)


def test_every_live_state_can_be_left_and_every_state_be_reached() -> None:
    reached = {end for moves in MOVES.values() for ends in moves.values() for end in ends}
    assert {*LIVE, *FINAL} == reached
    assert all(any(end is not state for ends in MOVES[state].values() for end in ends) for state in LIVE)


@pytest.mark.parametrize("phase", [*PHASES, None], ids=lambda phase: type(phase).__name__)
@pytest.mark.parametrize("newest", [1, 2])
@pytest.mark.parametrize("event_type", ATTEMPT_EVENTS, ids=lambda each: each.__name__)
def test_something_happens_only_to_the_newest_attempt_and_only_while_it_is_not_over(
    event_type: type[JobEvent], newest: int, phase: Launched | Started | Ended | Revoked | None
) -> None:
    (event, *_) = (each for each in JOB_EVENTS if type(each) is event_type)
    fold = Fold()
    state = Launching(3) if event_type is AttemptUnreachable else Unknown(3, "no answer")
    fold.jobs.put(JOB, Job(JOB, Policy(), state, attempt=newest))
    if phase is not None:
        fold.attempts.put((JOB, 1), Attempt(JOB, 1, f"home.{JOB}.1", "local", 1, phase))
    before = fold.tables()
    if newest == 1 and isinstance(phase, Launched | Started):
        fold.take(event, 10)
        assert fold.tables() != before
    else:
        with pytest.raises(IllegalMove, match="attempt 1 is not in flight"):
            fold.take(event, 10)
        assert fold.tables() == before


@pytest.mark.parametrize("number", [0, 1, 3])
def test_attempts_are_numbered_without_gaps(number: int) -> None:
    fold = records(Ready(1))
    fold.jobs.put(JOB, Job(JOB, Policy(), Ready(1), attempt=1))
    before = fold.tables()
    with pytest.raises(IllegalMove, match="can't follow"):
        fold.take(AttemptLaunched(JOB, number, f"home.{JOB}.{number}", "local", {"api": 5}), 10)
    assert fold.tables() == before


def test_nothing_happens_to_a_job_that_does_not_exist_and_none_is_submitted_twice() -> None:
    fold = Fold()
    with pytest.raises(IllegalMove, match="no job 7"):
        evolve(fold, JobReady(JOB), 1)
    evolve(fold, JobSubmitted(JOB, "held", JobSpec("true")), 1)
    before = fold.tables()
    with pytest.raises(IllegalMove, match="twice"):
        evolve(fold, JobSubmitted(JOB, "ready", JobSpec("true")), 2)
    with pytest.raises(IllegalMove, match="'running'"):
        evolve(fold, JobSubmitted(JOB + 1, "running", JobSpec("true")), 2)
    assert fold.tables() == before


@pytest.mark.parametrize(
    "state,outcome,end",
    [
        (Running(2), Outcome("exited", 5, 2, 0), Succeeded(2, 5)),
        (Running(2), Outcome("exited", 5, None, 0), Succeeded(2, 5)),
        (Launching(1), Outcome("exited", 5, None, 0), Succeeded(5, 5)),
        (Running(2), Outcome("exited", 5, 2, 3), Failed(5, "exit code 3", 2, 3)),
        (Running(2), Outcome("exited", 5, 2, None, 9), Failed(5, "killed by signal 9", 2)),
        (Running(2), Outcome("timeout", 5, 2, None, 15), Failed(5, "timed out", 2)),
        (Launching(1), Outcome("not_started", 5, error="no such command"), Failed(5, "no such command")),
        (Launching(1), Outcome("not_started", 5), Failed(5, "could not be started")),
        (Running(2), Outcome("stopped", 5, 2, 143), Cancelled(5, "cancelled", 2, 143)),
        (Unknown(3, "no answer", 2), Outcome("lost", 5), Lost(5, "its end could not be seen", 2)),
        (Running(2, cancelling=True), Outcome("exited", 5, 2, 1), Cancelled(5, "cancelled", 2, 1)),
        (Running(2, cancelling=True), Outcome("exited", 5, 2, 0), Succeeded(2, 5)),
        (Running(2, cancelling=True), Outcome("timeout", 5, 2, None, 15), Cancelled(5, "cancelled", 2)),
        (Running(2, cancelling=True), Outcome("lost", 5, 2), Lost(5, "its end could not be seen", 2)),
    ],
)
def test_an_end_means_what_its_outcome_says(state: JobState, outcome: Outcome, end: JobState) -> None:
    assert move(state, AttemptEnded(JOB, 1, outcome), 9) == end


def test_a_delayed_job_says_how_its_last_attempt_ended() -> None:
    lost = AttemptEnded(JOB, 1, Outcome("lost", 5), retry_at=20)
    assert move(Running(2), lost, 9) == Delayed(9, 20, failure_reason(lost))
    assert failure_reason(lost) == "its end could not be seen"


def test_what_is_known_of_an_attempt_survives_that_its_target_is_unreachable() -> None:
    away = move(Running(2, cancelling=True), AttemptUnreachable(JOB, 1, "no answer"), 9)
    assert away == Unknown(9, "no answer", 2, cancelling=True)
    assert move(away, AttemptReached(JOB, 1), 12) == Running(2, cancelling=True)
    away = move(Launching(2), AttemptUnreachable(JOB, 1, "no answer"), 9)
    assert move(away, AttemptReached(JOB, 1), 12) == Launching(12)


def test_a_retry_gives_all_tries_back_and_an_end_uses_one_up() -> None:
    fold = Fold()
    fold.jobs.put(JOB, Job(JOB, Policy(), Skipped(1, 2, "after job 2"), failures=3, attempt=3))
    fold.take(JobRetried(JOB, "waiting"), 5)
    assert fold.jobs[JOB] == Job(JOB, Policy(), Waiting(5), attempt=3)
    fold = records(Running(2))
    fold.take(AttemptEnded(JOB, 1, OUTCOMES[1], 8), 6)
    assert fold.jobs[JOB].failures == 1
