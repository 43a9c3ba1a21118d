"""The types of what Holdfast uses of trio_asyncio, which has none of its own."""

from abc import ABCMeta
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")

current_loop: ContextVar[AbstractEventLoop | None]

def trio_as_aio(proc: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]: ...

class TrioExecutor:
    async def submit(self, func: Callable[..., object], *args: object) -> object: ...

class BaseTrioEventLoop(AbstractEventLoop, metaclass=ABCMeta):
    def set_default_executor(self, executor: TrioExecutor | None) -> None: ...  # type: ignore[override]

def open_loop(queue_len: int | None = None) -> AbstractAsyncContextManager[BaseTrioEventLoop]: ...
@overload
def aio_as_trio(proc: Callable[P, Awaitable[T]], *, loop: AbstractEventLoop | None = None) -> Callable[P, Awaitable[T]]: ...
@overload
def aio_as_trio(
    proc: AbstractAsyncContextManager[T], *, loop: AbstractEventLoop | None = None
) -> AbstractAsyncContextManager[T]: ...
@overload
def aio_as_trio(proc: AsyncIterator[T], *, loop: AbstractEventLoop | None = None) -> AsyncIterator[T]: ...
@overload
def aio_as_trio(proc: Awaitable[T], *, loop: AbstractEventLoop | None = None) -> Awaitable[T]: ...
