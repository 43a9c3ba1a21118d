"""Tasks side by side, of which the first error comes out alone, as if the work had been done one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from ..errors import is_group

T = TypeVar("T")


@asynccontextmanager
async def first_error() -> AsyncGenerator[trio.Nursery]:
    """A nursery whose first error, in the order of its group, is raised in place of the group."""
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def each_of(items: Iterable[T], work: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do the work for all of them, `at_once` at a time; the first error ends the others and is raised."""
    waiting = iter(items)

    async def go_on() -> None:
        for item in waiting:
            await work(item)

    async with first_error() as nursery:
        for _ in range(at_once):
            nursery.start_soon(go_on)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """An error rather than a cancellation, which an error of a task beside it may have caused."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop(0)
        if is_group(error):
            waiting[:0] = error.exceptions
        else:
            found.append(error)
    return next((error for error in found if not isinstance(error, trio.Cancelled)), found[0])
