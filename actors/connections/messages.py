"""What the actor of the connections is told."""

from __future__ import annotations

from msgspec import Struct

from holdfast.events.messages import Answer, Inspect, LogIn, ReadOutput, Say
from holdfast.events.records import Target

from ..reply import Request
from ..targets.messages import TargetMessage


class ForTarget(Struct, frozen=True):
    """To be passed on to the runner of this target."""

    target: str
    message: TargetMessage


class Attend(Struct, frozen=True):
    """Whether there is something for this target to do: then, and only then, it is kept connected."""

    target: str
    wanted: bool


class Meet(Struct, frozen=True):
    """A target as it stands now: it is new, or is reached in another way, or a person did something about it.

    `dial`: try it now, needed or not.
    """

    target: Target
    dial: bool = False


class Leave(Struct, frozen=True):
    """A target is no more: its connection, if there is one, is let go of."""

    target: str


class Fetch(Request[Answer], frozen=True):
    """Have a piece of output read, or a cluster looked at, over the way to a target, which is connected for it."""

    request: ReadOutput | Inspect


class Converse(Request[Answer], frozen=True):
    """Log in with a person at hand, or go on with that."""

    request: LogIn | Say


ConnectionsMessage = ForTarget | Attend | Meet | Leave | Fetch | Converse
