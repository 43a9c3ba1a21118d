"""Requests on their way from any thread into the engine's, each with the slot that takes its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

import trio

from holdfast.actors.reply import Reply
from holdfast.events.messages import Answer, Refusal, Request

from .slot import Slot


class Pending(Reply[Answer]):
    """A request, and who waits for its answer in another thread: passes on what an actor answers, without a task."""

    __slots__ = ("answer", "request")

    def __init__(self, request: Request, answer: Slot[Answer]) -> None:
        super().__init__()
        self.request = request
        self.answer = answer

    def give(self, answer: Answer) -> None:
        """Answer it; a refusal is raised where the caller waits."""
        if type(answer) is Refusal:
            self.answer.spoil(answer.error())
        else:
            self.answer.fill(answer)

    def send(self, value: Answer) -> None:
        """See `Reply`."""
        super().send(value)
        self.give(value)

    def fail(self, error: Exception) -> None:
        """See `Reply`."""
        super().fail(error)
        self.answer.spoil(error)


class Requests:
    """Those that no supervisor has taken yet, in the engine's thread. Each has a caller who waits: that bounds them."""

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()
        self._takers = trio.lowlevel.ParkingLot()
        self._receive: Callable[[Pending], bool] | None = None

    @contextmanager
    def handed_to(self, receive: Callable[[Pending], bool]) -> Generator[None]:
        """Let those that come be received at once, for as long as the context lasts; False: it has no room for it."""
        self._receive = receive
        try:
            yield
        finally:
            self._receive = None

    def put(self, pending: Pending) -> None:
        """Hand it to who receives them, or let it wait for somebody who takes it; none overtakes another."""
        if self._receive is not None and not self._waiting and self._receive(pending):
            return
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
