"""Waiting, in whichever event loop the caller runs, for what the engine's thread answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import anyio
import sniffio
import trio
from anyio.lowlevel import RunVar

from .slot import Call, Mailbox, Slot

T = TypeVar("T")

Task = Callable[[], Coroutine[object, object, None]]

# One for each loop: who waits in it is woken through it. Trio's own is much faster than that for both.
_IN_TRIO: Final[trio.lowlevel.RunVar[Mailbox | None]] = trio.lowlevel.RunVar("holdfast")
_IN_ASYNCIO: Final[RunVar[Mailbox | None]] = RunVar("holdfast")


async def answer_of(slot: Slot[T]) -> T:
    """What is put into the slot, or raise the error that is; cancelled, it is left, and what was asked for goes on.

    For a task of Trio or of asyncio.
    """
    if not slot.done:
        try:
            await (_wait_in_trio(slot) if _in_trio() else _wait_in_asyncio(slot))
        finally:
            slot.leave()
    return slot.result()


def post_to_this_loop() -> Callable[[Call], object]:
    """A way to have something called in this task's loop, from any thread."""
    if _in_trio():
        return trio.lowlevel.current_trio_token().run_sync_soon
    # This module is one of two that know asyncio; the other opens a loop of it for SSH.
    import asyncio  # noqa: PLC0415 - a Trio program does without

    return asyncio.get_running_loop().call_soon_threadsafe


@asynccontextmanager
async def tasks() -> AsyncGenerator[Callable[[Task], object]]:
    """A way to start tasks in this loop; leaving waits for them, and cancelled, cancels them."""
    if _in_trio():  # anyio's group, and its scope below, would do as well, and take 2.5 times as long
        async with trio.open_nursery() as nursery:
            yield nursery.start_soon
    else:
        async with anyio.create_task_group() as group:
            yield group.start_soon


def scope_until(deadline: float) -> trio.CancelScope | anyio.CancelScope:
    """A scope of this task that can be cancelled, and is at `deadline`, in seconds on the loop's clock."""
    return trio.CancelScope(deadline=deadline) if _in_trio() else anyio.CancelScope(deadline=deadline)


def _in_trio() -> bool:
    return sniffio.current_async_library() == "trio"


async def _wait_in_trio(slot: Slot[T]) -> None:
    box = _IN_TRIO.get(None)
    if box is None:
        box = Mailbox(post_to_this_loop())
        _IN_TRIO.set(box)
    sleeper = _Sleeper(box, trio.lowlevel.current_task())
    try:
        slot.when_done(sleeper.wake)
        await trio.lowlevel.wait_task_rescheduled(sleeper.abort)
    finally:
        sleeper.leave()  # also where Ctrl-C came before it slept: Trio breaks if one who is awake is woken


async def _wait_in_asyncio(slot: Slot[T]) -> None:
    import asyncio  # noqa: PLC0415 - see above

    box = _IN_ASYNCIO.get(None)
    if box is None:
        box = Mailbox(post_to_this_loop())
        _IN_ASYNCIO.set(box)
    arrived = asyncio.get_running_loop().create_future()

    def arrive() -> None:
        if not arrived.done():
            arrived.set_result(None)

    slot.when_done(lambda: box.put(arrive))
    await arrived


class _Sleeper:
    """A task of Trio that waits for a slot."""

    __slots__ = ("_box", "_task")

    def __init__(self, box: Mailbox, task: trio.lowlevel.Task) -> None:
        self._box = box
        self._task: trio.lowlevel.Task | None = task

    def wake(self) -> None:
        """Let it go on; from any thread."""
        self._box.put(self._go_on)  # if the loop has ended without waiting for it, nobody is to be woken

    def leave(self) -> None:
        """It sleeps no more, and is not to be woken."""
        self._task = None

    def abort(self, _: object) -> trio.lowlevel.Abort:
        """It is cancelled."""
        self.leave()
        return trio.lowlevel.Abort.SUCCEEDED

    def _go_on(self) -> None:
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self.leave()
