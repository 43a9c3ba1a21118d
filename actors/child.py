"""Child: how a supervisor makes, runs and stops one of its children, whatever messages it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import trio
from msgspec import Struct

from .actor import Actor
from .inbox import Inbox

M = TypeVar("M")

STOP_BOUND_S = 10.0
"""How long a child may take to stop, in seconds, where nothing else was said."""


class Part(Protocol):
    """What can be supervised: an actor with its inbox, or another supervisor."""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Call `task_status.started()` once it serves, and serve until stopped."""
        ...

    def stop(self) -> None:
        """Ask `run` to return soon; may be called more than once."""
        ...


class Child(Struct, frozen=True):
    """One child of a supervisor: its name, how to make it anew for each start, and how long it may take to stop.

    A child that has not ended `stop_bound_s` seconds after it was asked to is cancelled.
    """

    name: str
    make: Callable[[], Part]
    stop_bound_s: float


def actor_child(make: Callable[[], Actor[M]], inbox: Inbox[M], *, stop_bound_s: float = STOP_BOUND_S) -> Child:
    """A child that reads `inbox`, and has its name; `make` is called for each start, and may fail like the actor.

    When cancelled it still has the time of its `close_bound_s`.
    """
    return Child(inbox.name, lambda: _ActorPart(make(), inbox), stop_bound_s)


def supervisor_child(name: str, make: Callable[[], Part], *, stop_bound_s: float = math.inf) -> Child:
    """A child that is a supervisor; without a bound of its own it has as long as its children have together."""
    return Child(name, make, stop_bound_s)


class _ActorPart(Generic[M]):
    """An actor beside its inbox: here ends the type of its messages, which a supervisor need not know."""

    def __init__(self, actor: Actor[M], inbox: Inbox[M]) -> None:
        self._actor = actor
        self._inbox = inbox

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        await self._actor.run(self._inbox, task_status=task_status)

    def stop(self) -> None:
        self._actor.stop(self._inbox)
