"""Waiting, in whichever event loop the caller runs, for what the engine's thread answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

import anyio
import sniffio
import trio

T = TypeVar("T")


async def answer_of(future: Future[T]) -> T:
    """What `future` comes to, or raise what it raises; cancelled, the future is cancelled and what it asked for is not.

    For a task of Trio or of asyncio.
    """
    if not future.done():
        arrived = anyio.Event()
        post = post_to_this_loop()

        def wake(_: Future[T]) -> None:
            # The loop may have ended without waiting for us; then nobody is to be woken.
            with suppress(RuntimeError, trio.RunFinishedError):
                post(arrived.set)

        future.add_done_callback(wake)
        try:
            await arrived.wait()
        finally:
            future.cancel()
    return future.result()


def post_to_this_loop() -> Callable[[Callable[[], None]], object]:
    """A way to have something called in this task's loop, from any thread."""
    if sniffio.current_async_library() == "trio":
        return trio.lowlevel.current_trio_token().run_sync_soon
    # One of two places that know asyncio; the other opens a loop of it for SSH.
    import asyncio  # noqa: PLC0415 - a Trio program does without

    return asyncio.get_running_loop().call_soon_threadsafe
