"""Reply: the slot in a request that takes its one answer; Owed: the answers that an actor has yet to give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar, cast

import trio
from msgspec import Struct
from trio.lowlevel import Abort, Task, current_task, enable_ki_protection

T = TypeVar("T")

_PRUNE_AT = 64


class _Nothing:
    """Stands for an answer not given yet; None may well be one."""


_NOTHING = _Nothing()


class Reply(Generic[T]):
    """Takes one answer, a value or an error, and gives it to the one task that waits for it."""

    __slots__ = ("_asker", "_error", "_left", "_value")

    def __init__(self) -> None:
        self._value: T | _Nothing = _NOTHING
        self._error: Exception | None = None
        self._asker: Task | None = None
        self._left = False

    @property
    def answered(self) -> bool:
        """Whether `send` or `fail` was called."""
        return self._value is not _NOTHING or self._error is not None

    @property
    def pending(self) -> bool:
        """Whether an answer is still wanted: none was given, and the asker was not cancelled."""
        return not self.answered and not self._left

    @enable_ki_protection
    def send(self, value: T) -> None:
        """Answer with `value`; harmless if the asker has gone. Nothing may be answered twice."""
        assert not self.answered, "this request was answered before: an actor must answer each request once"
        self._value = value
        self._wake()

    @enable_ki_protection
    def fail(self, error: Exception) -> None:
        """Answer by raising `error` where the asker waits; harmless if the asker has gone."""
        assert not self.answered, "this request was answered before: an actor must answer each request once"
        self._error = error
        self._wake()

    @enable_ki_protection
    async def wait(self) -> T:
        """The answer, once it is there; raises what `fail` was given. For one task, once.

        Cancelled, it has left before there was one: an answer may be something that has to be given back.
        """
        if self.answered:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await self._park()
        if self._error is not None:
            raise self._error
        assert not isinstance(self._value, _Nothing), "woken without an answer"
        return self._value

    async def _park(self) -> None:
        assert self._asker is None, "two tasks wait for one answer"
        self._asker = current_task()

        def leave(_: object) -> Abort:
            self._asker = None
            self._left = True
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    def _wake(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            trio.lowlevel.reschedule(asker)


class Request(Struct, Generic[T], frozen=True):
    """The base of messages that want an answer of type T: `class Count(Request[int], frozen=True): ...`.

    By it the runtime finds the askers to tell when an actor ends with requests in hand.
    """

    reply: Reply[T]


def reply_of(message: object) -> Reply[object] | None:
    """The slot for the answer to `message`, None if it wants none."""
    if isinstance(message, Request):
        # Whoever fails an answer need not know what it would have been.
        return cast("Request[object]", message).reply
    return None


class Owed:
    """The replies that were taken and not given, so that nobody waits for an actor that has ended.

    An actor may answer a request many batches later. Looking through all of them after each batch would cost more
    than the batch; they are looked through whenever their number has doubled, so memory follows what is pending.
    """

    __slots__ = ("_prune_at", "_replies")

    def __init__(self) -> None:
        self._replies: list[Reply[object]] = []
        self._prune_at = _PRUNE_AT

    def __len__(self) -> int:
        """How many replies are kept: all that are pending, and no more than about as many that are not."""
        return len(self._replies)

    def add(self, batch: Iterable[object]) -> None:
        """Keep the pending replies of the messages in `batch`."""
        for message in batch:
            reply = reply_of(message)
            if reply is not None and reply.pending:
                self._replies.append(reply)
        if len(self._replies) > self._prune_at:
            self._replies = [reply for reply in self._replies if reply.pending]
            self._prune_at = max(_PRUNE_AT, 2 * len(self._replies))

    def fail(self, error: Callable[[], Exception]) -> None:
        """Answer all that are pending, each with an `error` of its own: a traceback belongs to one asker."""
        replies, self._replies = self._replies, []
        for reply in replies:
            if reply.pending:
                reply.fail(error())
