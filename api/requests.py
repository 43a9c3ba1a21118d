"""Requests on their way from any thread into the engine's, each with the slot that takes its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import NoReturn

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
        """Hand it to who receives them, or let it wait for somebody who takes it; none overtakes another.

        One that nobody wants any more, as its caller was cancelled meanwhile, is dropped.
        """
        if not pending.answer.wanted:
            return
        if self._receive is not None and not self._waiting and self._receive(pending):
            return
        self._waiting.append(pending)
        if self._takers:
            self._takers.unpark()

    async def take(self) -> Pending:
        """The next one that is still wanted."""
        await self._look()
        return self._waiting.popleft()

    async def hand_on(self, tell: Callable[[Pending], Awaitable[None]]) -> NoReturn:
        """Tell those that wait, one after the other; each stays first in line until it is told, so none passes it."""
        while True:
            await tell(await self._look())
            self._waiting.popleft()

    async def _look(self) -> Pending:
        """The first that is still wanted, once there is one; it stays where it is."""
        while True:
            while self._waiting:
                if self._waiting[0].answer.wanted:
                    return self._waiting[0]
                self._waiting.popleft()
            await self._takers.park()

    def fail(self, error: Callable[[], Exception]) -> None:
        """Refuse whatever waits, each with an `error` of its own."""
        while self._waiting:
            self._waiting.popleft().answer.spoil(error())
