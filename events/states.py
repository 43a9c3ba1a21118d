"""The states a job can be in; each owns exactly the fields that make sense in it.

Times are integer microseconds since the epoch, UTC. `since` is when the state was entered. What leads from one
state to the next stands in `lifecycle`.
"""

from __future__ import annotations

from typing import Final, TypeGuard, final

from msgspec import Struct


class _State(Struct, frozen=True, gc=False, tag=str.lower, tag_field="state", omit_defaults=True):
    """A base for its options only: `{"state": "running", "since": ...}` in JSON."""


@final
class Waiting(_State, frozen=True, gc=False):
    """For jobs that it depends on."""

    since: int


@final
class Held(_State, frozen=True, gc=False):
    """By a person; goes on only when released."""

    since: int


@final
class Ready(_State, frozen=True, gc=False):
    """To be launched as soon as its target has room, its limits allow and nothing more urgent comes first."""

    since: int


@final
class Delayed(_State, frozen=True, gc=False):
    """Between two attempts: the back-off ends at `due_at`. `reason` says how the last attempt ended."""

    since: int
    due_at: int
    reason: str


@final
class Launching(_State, frozen=True, gc=False):
    """The launch is in the log; whether the process exists is not known yet."""

    since: int
    cancelling: bool = False


@final
class Running(_State, frozen=True, gc=False):
    """The runner says that the process exists; `since` is when it was started."""

    since: int
    cancelling: bool = False


@final
class Unknown(_State, frozen=True, gc=False):
    """Its target can't be reached: neither running nor ended can be claimed."""

    since: int
    reason: str
    started_at: int | None = None
    cancelling: bool = False


@final
class Succeeded(_State, frozen=True, gc=False):
    """Ended with exit code 0."""

    started_at: int
    ended_at: int


@final
class Failed(_State, frozen=True, gc=False):
    """Ended otherwise, timed out, or could not be started (then `started_at` is None)."""

    ended_at: int
    reason: str
    started_at: int | None = None
    exit_code: int | None = None


@final
class Cancelled(_State, frozen=True, gc=False):
    """Ended by a person's wish, before or while it ran."""

    ended_at: int
    reason: str
    started_at: int | None = None
    exit_code: int | None = None


@final
class Skipped(_State, frozen=True, gc=False):
    """Never started: job `because` ended in a way that this one must not follow.

    `unneeded`: nothing went wrong, there was just no call for it (an `after_failed` of a job that succeeded).
    """

    ended_at: int
    because: int
    reason: str
    unneeded: bool = False
    held: bool = False


@final
class Lost(_State, frozen=True, gc=False):
    """It can't be known how, or whether, the attempt ran; never guessed to have failed."""

    ended_at: int
    reason: str
    started_at: int | None = None


LiveState = Waiting | Held | Ready | Delayed | Launching | Running | Unknown
FinalState = Succeeded | Failed | Cancelled | Skipped | Lost
JobState = LiveState | FinalState

LIVE: tuple[type[LiveState], ...] = (Waiting, Held, Ready, Delayed, Launching, Running, Unknown)
FINAL: tuple[type[FinalState], ...] = (Succeeded, Failed, Cancelled, Skipped, Lost)
IN_FLIGHT = (Launching, Running, Unknown)

_FINAL: Final = frozenset[type[JobState]](FINAL)
_IN_FLIGHT: Final = frozenset[type[JobState]](IN_FLIGHT)

NAMES: dict[type[JobState], str] = {state: state.__name__.lower() for state in (*LIVE, *FINAL)}


# Every event asks these. `isinstance` tries one class after the other, and takes ten times as long to say no.
def has_ended(state: JobState) -> TypeGuard[FinalState]:
    """Whether a job in this state has ended."""
    return type(state) in _FINAL


def is_in_flight(state: JobState) -> TypeGuard[Launching | Running | Unknown]:
    """Whether a job in this state has an attempt in flight."""
    return type(state) in _IN_FLIGHT


def name_of(state: JobState) -> str:
    """The state's name as users see it, such as `running`."""
    return NAMES[type(state)]
