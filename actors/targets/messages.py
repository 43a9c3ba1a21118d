"""What the scheduler says to a target. All of it is derived from records, so it can be said again after any crash.

`session` is the number of the connection that the scheduler last heard of (`Attached`): what was meant for an earlier
one is dropped by the target, because the scheduler will look at what the new one reports first.
"""

from __future__ import annotations

from msgspec import Struct

from holdfast.events.messages import Attached
from holdfast.events.spec import JobSpec

# A rate that the runner keeps as well, at the moment of the start: (key, microseconds for each grant, burst).
Rate = tuple[str, int, int]


class Order(Struct, frozen=True):
    """Launch this attempt; `after`: once these have ended so, as `AttemptLaunched` has it: only to a cluster."""

    job: int
    attempt: int
    token: str
    spec: JobSpec
    rates: tuple[Rate, ...] = ()
    after: dict[str, str] = {}


class Launch(Struct, frozen=True):
    """Start these, in this order, as soon as their needs fit; one whose token is known is never started again."""

    session: int
    orders: tuple[Order, ...]


class Stop(Struct, frozen=True):
    """End these: revoke what is queued, SIGTERM and later SIGKILL what runs."""

    session: int
    tokens: tuple[str, ...]


class Revoke(Struct, frozen=True):
    """Take back those of these that have not started."""

    session: int
    tokens: tuple[str, ...]


class Acknowledge(Struct, frozen=True):
    """The ends of these are in the log, at the place that the receipt names."""

    session: int
    tokens: tuple[str, ...]
    receipt: str


class SetCapacity(Struct, frozen=True):
    """Never have more than this in use."""

    session: int
    capacity: dict[str, int]


class Settle(Struct, frozen=True):
    """Only to a cluster: find out what the runner of its allocation of this number wrote, which is over."""

    session: int
    number: int


TargetMessage = Launch | Stop | Revoke | Acknowledge | SetCapacity | Settle


class Connected(Struct, frozen=True):
    """A target's runner answers: the report, and the number of this connection."""

    session: int
    report: Attached


class CutOff(Struct, frozen=True):
    """What a target has was done for another log than this one has become: `seen` says what it is."""

    target: str
    seen: str
