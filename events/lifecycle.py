"""A job's life cycle as one table of legal moves, and the function that makes them.

`MOVES[state][event]` are the states that the event may lead to; what is not in the table can't happen: `move` raises
`IllegalMove` and changes nothing. The picture in docs/lifecycle.md is drawn from this table, and a test
walks every state with every event.
"""

from __future__ import annotations

from typing import Final, assert_never

from .errors import IllegalMove
from .facts import (
    AttemptBatched,
    AttemptEnded,
    AttemptLaunched,
    AttemptProgressed,
    AttemptReached,
    AttemptRevoked,
    AttemptStarted,
    AttemptUnreachable,
    CancelRequested,
    FilesStaged,
    JobCancelled,
    JobEvent,
    JobHeld,
    JobPrioritised,
    JobReady,
    JobReleased,
    JobRetried,
    JobSkipped,
    JobSubmitted,
)
from .states import (
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

_Moves = dict[type[JobEvent], tuple[type[JobState], ...]]

_REASONS: Final = {
    "timeout": "timed out",
    "lost": "its end could not be seen",
    "not_started": "could not be started",
    "killed": "ended by the cluster",
}
_ENDS: Final = (Succeeded, Failed, Cancelled, Lost, Delayed)
_AGAIN: Final[_Moves] = {JobRetried: (Waiting, Ready, Held)}

MOVES: Final[dict[type[JobState], _Moves]] = {
    Waiting: {
        JobReady: (Ready,),
        AttemptLaunched: (Launching,),
        JobHeld: (Held,),
        JobSkipped: (Skipped,),
        JobCancelled: (Cancelled,),
        JobPrioritised: (Waiting,),
    },
    Held: {
        JobReleased: (Waiting, Ready),
        JobSkipped: (Skipped,),
        JobCancelled: (Cancelled,),
        JobPrioritised: (Held,),
    },
    Ready: {
        AttemptLaunched: (Launching,),
        JobHeld: (Held,),
        JobCancelled: (Cancelled,),
        JobPrioritised: (Ready,),
    },
    Delayed: {
        JobReady: (Ready, Waiting),
        JobHeld: (Held,),
        JobCancelled: (Cancelled,),
        JobPrioritised: (Delayed,),
    },
    Launching: {
        AttemptStarted: (Running,),
        AttemptProgressed: (Launching,),
        AttemptBatched: (Launching,),
        FilesStaged: (Launching,),
        AttemptEnded: _ENDS,
        AttemptRevoked: (Ready, Waiting),
        AttemptUnreachable: (Unknown,),
        CancelRequested: (Launching,),
        JobPrioritised: (Launching,),
    },
    Running: {
        AttemptProgressed: (Running,),
        FilesStaged: (Running,),
        AttemptEnded: _ENDS,
        AttemptUnreachable: (Unknown,),
        CancelRequested: (Running,),
        JobPrioritised: (Running,),
    },
    Unknown: {
        AttemptBatched: (Unknown,),
        FilesStaged: (Unknown,),
        AttemptStarted: (Running,),
        AttemptReached: (Launching, Running),
        AttemptEnded: _ENDS,
        AttemptRevoked: (Ready, Waiting),
        CancelRequested: (Unknown,),
        JobPrioritised: (Unknown,),
    },
    Succeeded: {},
    Failed: _AGAIN,
    Cancelled: _AGAIN,
    Skipped: _AGAIN,
    Lost: _AGAIN,
}


def move(state: JobState, event: JobEvent, time: int) -> JobState:
    """The state that `event`, recorded at `time` (microseconds), leads to from `state`.

    Raises IllegalMove if the table does not allow it.
    """
    event_type = type(event)
    allowed = MOVES[type(state)].get(event_type)
    if allowed is None:
        message = f"job {event.job} is {name_of(state)}: {event_type.__name__} can't happen to it"
        raise IllegalMove(message)
    # Every event comes here, so these two are spared a call.
    if event_type is AttemptLaunched:
        after: JobState = Launching(time)
    elif type(event) is AttemptEnded:
        after = _ended(state, event, time)
    else:
        after = _after(state, event, time)
    if type(after) not in allowed:
        message = f"job {event.job}: {event_type.__name__} can't lead from {name_of(state)} to {name_of(after)}"
        raise IllegalMove(message)
    return after


def first_state(name: str, time: int) -> Waiting | Held | Ready:
    """The state that a job is put in that is submitted, released, retried, or whose attempt was taken back.

    Raises IllegalMove for any other name.
    """
    if name == "ready":
        return Ready(time)
    if name == "waiting":
        return Waiting(time)
    if name == "held":
        return Held(time)
    message = f"no job can be put into the state {name!r}"
    raise IllegalMove(message)


def failure_reason(event: AttemptEnded) -> str:
    """Why the attempt counts as failed, in words for users."""
    outcome = event.outcome
    if outcome.error is not None:
        return outcome.error
    if outcome.how in _REASONS:
        return _REASONS[outcome.how]
    if outcome.signal is not None:
        return f"killed by signal {outcome.signal}"
    return f"exit code {outcome.exit_code}"


def _after(state: JobState, event: JobEvent, time: int) -> JobState:
    """Where `event` leads to from a state that the table lets it happen to. In the order of how often they come.

    Not a `match`: a class pattern takes ten times as long as `is` where it does not fit, and every event comes here.
    """
    if type(event) is AttemptLaunched:
        return Launching(time)
    if type(event) is AttemptEnded:
        return _ended(state, event, time)
    if type(event) is AttemptStarted:
        return Running(event.started_at, _cancelling(state))
    if type(event) is JobReady:
        return Ready(time) if event.state == "ready" else first_state(event.state, time)
    if type(event) is JobSkipped:
        return Skipped(time, event.because, event.reason, event.unneeded, held=type(state) is Held)
    if type(event) is JobCancelled:
        return Cancelled(time, event.reason)
    if type(event) is JobHeld:
        return Held(time)
    if type(event) is JobPrioritised or type(event) is AttemptProgressed or type(event) is FilesStaged:
        return state
    if type(event) is AttemptBatched:
        return state
    if type(event) is CancelRequested:
        return _cancel_requested(state)
    if type(event) is AttemptUnreachable:
        return Unknown(time, event.reason, known_start(state), _cancelling(state))
    if type(event) is AttemptReached:
        return _reached(state, time)
    if type(event) is AttemptRevoked or type(event) is JobReleased:
        return first_state(event.state, time)
    if type(event) is JobSubmitted or type(event) is JobRetried:
        return first_state(event.state, time)
    assert_never(event)


def _ended(state: JobState, event: AttemptEnded, time: int) -> JobState:
    outcome = event.outcome
    started_at = outcome.started_at if outcome.started_at is not None else known_start(state)
    if event.retry_at is not None:
        return Delayed(time, event.retry_at, failure_reason(event))
    if outcome.how == "exited" and outcome.exit_code == 0:
        return Succeeded(outcome.ended_at if started_at is None else started_at, outcome.ended_at)
    if outcome.how == "lost":
        return Lost(outcome.ended_at, failure_reason(event), started_at)
    if outcome.how == "stopped" or (_cancelling(state) and outcome.exit_code != 0):
        return Cancelled(outcome.ended_at, outcome.error or "cancelled", started_at, outcome.exit_code)
    return Failed(outcome.ended_at, failure_reason(event), started_at, outcome.exit_code)


def _reached(state: JobState, time: int) -> JobState:
    started_at, cancelling = known_start(state), _cancelling(state)
    return Launching(time, cancelling) if started_at is None else Running(started_at, cancelling)


def known_start(state: JobState) -> int | None:
    """When the attempt in flight was started, as far as that is known; microseconds."""
    if type(state) is Running:
        return state.since
    return state.started_at if type(state) is Unknown else None


def _cancelling(state: JobState) -> bool:
    return (type(state) is Launching or type(state) is Running or type(state) is Unknown) and state.cancelling


def _cancel_requested(state: JobState) -> JobState:
    match state:
        case Launching(since=since):
            return Launching(since, cancelling=True)
        case Running(since=since):
            return Running(since, cancelling=True)
        case Unknown(since=since, reason=reason, started_at=started_at):
            return Unknown(since, reason, started_at, cancelling=True)
        case _:
            return state
