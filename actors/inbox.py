"""Inbox: the bounded queue in front of an actor, which hands over all that waits at once.

Trio's memory channel would do, at one task switch a message. Here only a sender who must wait and a reader who
must wait are switched; a message in between costs an append, so a batch costs little more than its first message.
The price: `put` lets other tasks run only when it has to wait for room, which the bound makes it do soon enough.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from types import TracebackType
from typing import Generic, TypeVar

import trio
from trio.lowlevel import Abort, Task, checkpoint, checkpoint_if_cancelled, current_task, enable_ki_protection

from .errors import InboxClosed, InboxFull
from .reply import reply_of

M = TypeVar("M")


class Inbox(Generic[M]):
    """Messages for one reader, in the order in which they were put; it outlives the actors that read it.

    It holds at most `capacity` messages, and the batch in the reader's hands is no larger, so no more than twice
    `capacity` are alive. As a context manager it is closed at the end, and requests that nobody took are refused
    with `InboxClosed`.
    """

    __slots__ = ("_closed", "_messages", "_reader", "_senders", "capacity", "name")

    def __init__(self, name: str, capacity: int) -> None:
        """`name` is the reader's, for error messages; `capacity` counts messages and is at least 1."""
        assert capacity >= 1, f"an inbox for {capacity} messages would never take one"
        self.name = name
        self.capacity = capacity
        self._closed = False
        self._messages: list[M] = []
        self._reader: Task | None = None
        # Senders wait only while the inbox is full, and `_take` lets them in before anybody else can see the room.
        self._senders: OrderedDict[Task, M] = OrderedDict()

    def __len__(self) -> int:
        """How many messages wait to be taken; senders who wait for room are not counted."""
        return len(self._messages)

    def __enter__(self) -> Inbox[M]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        for message in self._take():
            reply = reply_of(message)
            if reply is not None and reply.pending:
                reply.fail(InboxClosed(self.name))

    @enable_ki_protection
    def put_nowait(self, message: M) -> None:
        """Leave `message`; raises `InboxFull` where there is no room, and `InboxClosed`."""
        if self._closed:
            raise InboxClosed(self.name)
        if len(self._messages) >= self.capacity:
            raise InboxFull(self.name, self.capacity)
        self._messages.append(message)
        if self._reader is not None:
            self.wake()

    @enable_ki_protection
    async def put(self, message: M) -> None:
        """Leave `message`, after waiting for room if need be; raises `InboxClosed`.

        A cancelled `put` has not left its message. It can always be cancelled but, unlike most of Trio, lets other
        tasks run only when it has to wait.
        """
        await checkpoint_if_cancelled()
        if len(self._messages) < self.capacity or self._closed:
            self.put_nowait(message)
            return
        task = current_task()
        self._senders[task] = message

        def give_up(_: object) -> Abort:
            del self._senders[task]
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(give_up)
        # Whoever woke us has either taken the message in or, closing, left it with us.
        if task in self._senders:
            del self._senders[task]
            raise InboxClosed(self.name)

    async def take(self) -> list[M]:
        """All messages that wait, at least one; raises `InboxClosed` once it is closed and empty.

        Other tasks get their turn first, so what they are about to put is gathered too. A cancelled `take` has
        taken nothing.
        """
        while True:
            batch = await self.take_before(math.inf)
            if batch:
                return batch

    def take_nowait(self) -> list[M]:
        """All messages that wait, perhaps none."""
        return self._take()

    @enable_ki_protection
    async def take_before(self, deadline: float) -> list[M]:
        """All messages that wait; none if there are none at `deadline` (seconds on Trio's clock) or after `wake`.

        Raises `InboxClosed` once it is closed and empty. A cancelled call has taken nothing.
        """
        if self._messages or self._closed:
            await checkpoint()
        elif deadline == math.inf:
            await self._wait()
        else:
            with trio.move_on_at(deadline):
                await self._wait()
        if self._closed and not self._messages:
            raise InboxClosed(self.name)
        return self._take()

    @enable_ki_protection
    def wake(self) -> None:
        """Let a reader who waits in `take_before` go on, although nothing has come."""
        reader, self._reader = self._reader, None
        if reader is not None:
            trio.lowlevel.reschedule(reader)

    @enable_ki_protection
    def close(self) -> None:
        """Take no more messages; those that wait can still be taken. Senders who wait get `InboxClosed`."""
        if self._closed:
            return
        self._closed = True
        for sender in self._senders:
            trio.lowlevel.reschedule(sender)
        self.wake()

    @enable_ki_protection
    def _take(self) -> list[M]:
        batch, self._messages = self._messages, []
        if self._senders and not self._closed:
            for _ in range(min(self.capacity, len(self._senders))):
                sender, message = self._senders.popitem(last=False)
                self._messages.append(message)
                trio.lowlevel.reschedule(sender)
        return batch

    async def _wait(self) -> None:
        assert self._reader is None, f"two readers at the inbox of {self.name!r}"
        self._reader = current_task()

        def give_up(_: object) -> Abort:
            self._reader = None
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(give_up)
