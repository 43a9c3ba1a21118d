"""Actor: a task that alone owns its state, and changes it by handling batches of messages."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import trio

from .errors import ActorCrashed, ActorStopped, InboxClosed, StopOverdue, Unanswered
from .inbox import Inbox
from .reply import Owed

M = TypeVar("M")


class Actor(ABC, Generic[M]):
    """Handles messages of type M, a union of its own. One object for one run: a restart makes a new one.

    A batch is lost to the actor when `handle` raises: whoever asked hears so, and a restart begins with the messages
    that still wait. So what must outlive a crash is recorded before anything is answered.
    """

    close_bound_s: float = 5.0
    """How long `closed` may take, in seconds."""

    _stopping = False

    @abstractmethod
    async def handle(self, batch: Sequence[M]) -> None:
        """One tick: act on every message of `batch`, in order; empty when `deadline` has come.

        Each request is to be answered once, now or in a later tick; those that were not when the actor ends are
        answered with `ActorCrashed` or `ActorStopped`.
        """

    async def opened(self) -> None:
        """Load state, before the first message; if it raises, `closed` is not called."""

    async def closed(self) -> None:
        """Put things in order, after the last message: also after a crash or when cancelled, within its bound."""

    def deadline(self) -> float:
        """When `handle` must be called even without a message, in seconds on Trio's clock; asked for each tick.

        Messages that wait come first, so `handle` looks at what is due whatever it was called with. One that stays
        in the past after `handle` keeps the actor busy.
        """
        return math.inf

    @property
    def stopping(self) -> bool:
        """Whether the actor was asked to stop; for those that write their own `run`."""
        return self._stopping

    def stop(self, inbox: Inbox[M]) -> None:
        """Ask the actor, which reads `inbox`, to end after the batch in hand; what waits stays in the inbox."""
        self._stopping = True
        inbox.wake()

    async def run(self, inbox: Inbox[M], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Handle what comes to `inbox` until stopped, or until it is closed and empty; raises what `handle` raises.

        Made for `nursery.start`, which returns once `opened` has. Raises `StopOverdue` when `closed` takes too long.
        """
        await self.opened()
        owed = Owed()
        try:
            task_status.started()
            await self._serve_and_close(inbox, owed)
        except BaseException as error:
            owed.fail(_ending(inbox.name, error))
            raise
        owed.fail(_ending(inbox.name, None))

    async def _serve_and_close(self, inbox: Inbox[M], owed: Owed) -> None:
        try:
            await self._serve(inbox, owed)
        except BaseException as error:
            try:
                await self._close(inbox.name)
            except Exception as second:  # noqa: BLE001 - the first error is to be handled; this one rides along
                error.add_note(f"Closing it failed as well: {second!r}")
            raise
        await self._close(inbox.name)

    async def _serve(self, inbox: Inbox[M], owed: Owed) -> None:
        while not self._stopping:
            try:
                batch = await inbox.take_before(self.deadline())
            except InboxClosed:
                return
            if batch or not self._stopping:
                try:
                    await self.handle(batch)
                finally:
                    owed.add(batch)
            del batch  # a large request is not to be held until the next one comes

    async def _close(self, name: str) -> None:
        # Shielded: a cancelled actor still has its say, and the bound keeps it short.
        with trio.move_on_after(self.close_bound_s, shield=True) as bound:
            await self.closed()
        if bound.cancelled_caught:
            raise StopOverdue(name, self.close_bound_s)


def _ending(name: str, error: BaseException | None) -> Callable[[], Unanswered]:
    """What those hear who still wait for an answer: a cancelled actor has not crashed."""

    def make() -> Unanswered:
        if not isinstance(error, Exception):
            return ActorStopped(name)
        crash = ActorCrashed(name)
        crash.__cause__ = error
        return crash

    return make
