"""The way to another machine: its states, and the pure rules of when it is tried.

    idle ─dial─► connecting ─► up ─► suspect ─► down ─dial, after a back-off─► connecting
                     │                 └─► up
                     ├─► down          the machine did not answer, or the connection broke
                     ├─► refused       its key is not trusted: nothing is tried until a person has looked
                     └─► needs_you     it asks for what only a person can give

Every change is an event, so that `hosts` and an audit say the same. Times are microseconds since the epoch.
"""

from __future__ import annotations

from typing import Final, assert_never, final

from msgspec import Struct

from .backoff import Uniform, full_jitter_us
from .errors import IllegalMove

RETRY_BASE_US: Final = 1_000_000
RETRY_CAP_US: Final = 300_000_000


class _State(Struct, frozen=True, gc=False, tag_field="state", omit_defaults=True):
    """A base for its options only."""


@final
class Idle(_State, frozen=True, gc=False, tag="idle"):
    """Not connected, and nothing there that it would be needed for."""

    since: int = 0


@final
class Connecting(_State, frozen=True, gc=False, tag="connecting"):
    """On the way; `failures` in a row came before, the last of them for `last`."""

    since: int
    failures: int = 0
    last: str = ""


@final
class Up(_State, frozen=True, gc=False, tag="up"):
    """Connected, and the runner there answers; `latency_us`: one question and its answer, when it came up."""

    since: int
    latency_us: int = 0


@final
class Suspect(_State, frozen=True, gc=False, tag="suspect"):
    """Connected, and silent for longer than it should be."""

    since: int
    reason: str


@final
class Down(_State, frozen=True, gc=False, tag="down"):
    """Can't be reached; tried again at `retry_at`."""

    since: int
    reason: str
    retry_at: int
    failures: int = 1


@final
class Refused(_State, frozen=True, gc=False, tag="refused"):
    """It showed a key that nobody vouched for, or another than before: not tried again by itself."""

    since: int
    reason: str
    key: str
    fingerprint: str
    changed: bool = False


@final
class NeedsYou(_State, frozen=True, gc=False, tag="needs_you"):
    """It wants what only a person can give: a password, a passphrase, a one-time code."""

    since: int
    reason: str


HostState = Idle | Connecting | Up | Suspect | Down | Refused | NeedsYou
IDLE: Final = Idle()
NAMES: Final[dict[type[HostState], str]] = {
    Idle: "idle",
    Connecting: "connecting",
    Up: "up",
    Suspect: "suspect",
    Down: "down",
    Refused: "refused",
    NeedsYou: "needs-you",
}


@final
class Dialled(Struct, frozen=True):
    """An attempt to connect begins."""


@final
class Answered(Struct, frozen=True):
    """The runner there answered, `latency_us` after it was asked."""

    latency_us: int


@final
class Silent(Struct, frozen=True):
    """Nothing came for a while, on a connection that stands."""

    reason: str


@final
class Broke(Struct, frozen=True):
    """The attempt failed, or the connection ended."""

    reason: str


@final
class ShowedKey(Struct, frozen=True):
    """It showed a key that is not trusted; `changed`: another one of it is."""

    key: str
    fingerprint: str
    reason: str
    changed: bool


@final
class Asked(Struct, frozen=True):
    """It asked for what only a person can give."""

    reason: str


@final
class Rested(Struct, frozen=True):
    """The connection was let go because nothing needed it; or a person has done their part, so it may be tried."""


Sight = Dialled | Answered | Silent | Broke | ShowedKey | Asked | Rested


def name_of(state: HostState) -> str:
    """The state's name as users see it, such as `needs-you`."""
    return NAMES[type(state)]


def reason_of(state: HostState) -> str | None:
    """Why it can't be used just now, or None if there is nothing wrong."""
    return state.reason if isinstance(state, Suspect | Down | Refused | NeedsYou) else None


def last_error_of(state: HostState) -> str | None:
    """Why it can't be used, or could not be when it was tried before; None if there is nothing wrong."""
    return state.last or None if isinstance(state, Connecting) else reason_of(state)


def is_away(state: HostState) -> bool:
    """Whether nothing is connected, nor about to be."""
    return isinstance(state, Idle | Down | Refused | NeedsYou)


def dial_at(state: HostState) -> int | None:
    """When an attempt to connect may begin, at the earliest; None while one must not, or need not."""
    match state:
        case Idle():
            return 0
        case Down(retry_at=at):
            return at
        case _:
            return None


def follow(state: HostState, sight: Sight, now: int, random: Uniform) -> HostState:
    """The state after this was seen; the same object where nothing changes. Raises IllegalMove."""
    match sight:
        case Dialled():
            if dial_at(state) is None:
                message = f"a host that is {name_of(state)} can't be dialled"
                raise IllegalMove(message)
            return Connecting(now, state.failures, state.reason) if isinstance(state, Down) else Connecting(now)
        case Answered(latency_us=latency_us):
            return state if isinstance(state, Up) else Up(now, latency_us)
        case Silent(reason=reason):
            return Suspect(now, reason) if isinstance(state, Up) else state
        case Broke(reason=reason):
            failures = 1 + (state.failures if isinstance(state, Connecting | Down) else 0)
            wait_us = full_jitter_us(failures, RETRY_BASE_US, RETRY_CAP_US, random)
            return Down(now, reason, now + wait_us, failures)
        case ShowedKey(key=key, fingerprint=fingerprint, reason=reason, changed=changed):
            return Refused(now, reason, key, fingerprint, changed)
        case Asked(reason=reason):
            return NeedsYou(now, reason)
        case Rested():
            return state if isinstance(state, Idle) else Idle(now)
        case _:
            assert_never(sight)
