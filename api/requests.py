"""Requests on their way from any thread into the engine's, each with the future that takes its answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

import trio
from msgspec import Struct

from holdfast.actors.reply import Reply
from holdfast.events.messages import Answer, Refusal, Request

from .noticeboard import fill, spoil


class Pending(Struct, frozen=True):
    """A request, and who waits for its answer."""

    request: Request
    answer: Future[Answer]

    def give(self, answer: Answer) -> None:
        """Answer it; a refusal is raised where the caller waits."""
        if isinstance(answer, Refusal):
            spoil(self.answer, answer.error())
        else:
            fill(self.answer, answer)


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
        spoil(self._pending.answer, error)


class Requests:
    """Those that no supervisor has taken yet, in the engine's thread. Each has a caller who waits: that bounds them."""

    def __init__(self) -> None:
        self._in, self._out = trio.open_memory_channel[Pending](math.inf)

    def put(self, pending: Pending) -> None:
        """Add one."""
        self._in.send_nowait(pending)

    async def take(self) -> Pending:
        """The next one that is still wanted."""
        while True:
            pending = await self._out.receive()
            if not pending.answer.cancelled():
                return pending

    async def take_all(self) -> list[Pending]:
        """All that wait and are still wanted, at least one: what is handed on together is committed together."""
        taken = [await self.take()]
        with suppress(trio.WouldBlock):
            while True:
                pending = self._out.receive_nowait()
                if not pending.answer.cancelled():
                    taken.append(pending)
        return taken

    def fail(self, error: Callable[[], Exception]) -> None:
        """Refuse whatever waits, each with an `error` of its own."""
        while self._out.statistics().current_buffer_used:
            spoil(self._out.receive_nowait().answer, error())
