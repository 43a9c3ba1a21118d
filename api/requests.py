"""Requests on their way from any thread into the engine's, each with the slot that takes its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio
from msgspec import Struct

from holdfast.actors.reply import Reply
from holdfast.events.messages import Answer, Refusal, Request

from .slot import Slot


class Pending(Struct, frozen=True):
    """A request, and who waits for its answer."""

    request: Request
    answer: Slot[Answer]

    def give(self, answer: Answer) -> None:
        """Answer it; a refusal is raised where the caller waits."""
        if isinstance(answer, Refusal):
            self.answer.spoil(answer.error())
        else:
            self.answer.fill(answer)


class Relay(Reply[Answer]):
    """The reply of a request that came from another thread: passes on what an actor answers, without a task."""

    __slots__ = ("_pending",)

    def __init__(self, pending: Pending) -> None:
        super().__init__()
        self._pending = pending

    def send(self, value: Answer) -> None:
        """See `Reply`."""
        super().send(value)
        self._pending.give(value)

    def fail(self, error: Exception) -> None:
        """See `Reply`."""
        super().fail(error)
        self._pending.answer.spoil(error)


class Requests:
    """Those that no supervisor has taken yet, in the engine's thread. Each has a caller who waits: that bounds them."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()
        self._takers = trio.lowlevel.ParkingLot()

    def put(self, pending: Pending) -> None:
        """Add one."""
        self._waiting.append(pending)
        if self._takers:
            self._takers.unpark()

    async def take(self) -> Pending:
        """The next one that is still wanted."""
        while True:
            while self._waiting:
                pending = self._waiting.popleft()
                if pending.answer.wanted:
                    return pending
            await self._takers.park()

    async def take_all(self) -> deque[Pending]:
        """All that wait and are still wanted, at least one: what is handed on together is committed together."""
        taken = deque([await self.take()])
        taken.extend(pending for pending in self._waiting if pending.answer.wanted)
        self._waiting.clear()
        return taken

    def fail(self, error: Callable[[], Exception]) -> None:
        """Refuse whatever waits, each with an `error` of its own."""
        while self._waiting:
            self._waiting.popleft().answer.spoil(error())
