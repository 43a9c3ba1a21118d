"""Making the calls that jobs ask for: async functions in the program's loop, others in a bounded number of threads."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol, cast

import anyio
import trio
from msgspec import Struct

from holdfast.actors.targets.calling import CallRunner
from holdfast.actors.targets.messages import Order
from holdfast.actors.world import Clock
from holdfast.events.errors import HoldfastError
from holdfast.events.messages import AttemptStatus
from holdfast.events.spec import Call

from .functions import GIVEN_UNTIL, Attempt, Callee, CallStopped, Registry
from .loops import Task, post_to_this_loop, scope_until, tasks
from .places import Place
from .slot import Mailbox

CALLS: Final = 100
THREADS: Final = 40
_ERROR_CHARACTERS_MAX: Final = 2_000
_US: Final = 1_000_000


class Spawner(Protocol):
    """Where async functions run."""

    def spawn(self, run: Task, /) -> None:
        """Start a task there; called in the engine's thread."""
        ...

    def post(self, call: Callable[[], None], /) -> None:
        """Call something there; from the engine's thread."""
        ...


class _Running:
    """A call that was started. Its scope is there once an async one has begun."""

    __slots__ = ("attempt", "cancel", "in_thread", "overdue")

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.cancel: Callable[[], None] | None = None
        self.overdue = False
        self.in_thread = False


class Caller:
    """Calls functions, and tells the `CallRunner` what comes of it; made and asked in the engine's thread."""

    def __init__(self, registry: Registry, spawner: Spawner, threads: int, nursery: trio.Nursery) -> None:
        """`threads`: as many functions that are not async run at once; 0: one at a time, in the loop itself.

        `nursery`: of the engine, for its own tasks.
        """
        self._registry = registry
        self._spawner = spawner
        self._nursery = nursery
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._running: dict[str, _Running] = {}
        self._in_threads = 0
        self._news = Mailbox(trio.lowlevel.current_trio_token().run_sync_soon)
        self._runner: CallRunner | None = None
        self._leaving = False

    def report_to(self, runner: CallRunner) -> None:
        """Whom to tell."""
        self._runner = runner

    def close(self) -> None:
        """Let go of the threads; one that still runs a function ends with it."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    @property
    def threads(self) -> int:
        """How many functions that are not async run at once; 0: one at a time, in the loop itself."""
        return self._threads

    def running(self) -> dict[int, Place]:
        """The calls under way, by their jobs."""
        return {each.attempt.job: Place(each.in_thread) for each in self._running.values()}

    def place_for(self, call: Call) -> Place:
        """What it needs to be made."""
        function = self._registry.find(call.function)
        return Place(thread=function is not None and not function.is_async and self._threads > 0)

    def knows(self, order: Order) -> bool:
        """See `Executor`."""
        return self._registry.find(_call(order).function) is not None

    def has_room(self, order: Order) -> bool:
        """See `Executor`."""
        function = self._registry.find(_call(order).function)
        return function is None or function.is_async or self._threads == 0 or self._in_threads < self._threads

    def start(self, order: Order) -> None:
        """See `Executor`."""
        function = self._registry.find(_call(order).function)
        assert function is not None, "only what is known is started"
        attempt = Attempt(order.job, order.attempt, order.token, partial(self._progress, order.token))
        running = self._running[order.token] = _Running(attempt)
        if function.is_async:
            self._spawner.spawn(partial(self._call_async, function, order, running))
        elif self._threads == 0:
            self._call_sync(function, order, running)
        else:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="holdfast function")
            running.in_thread = True
            self._in_threads += 1
            self._pool.submit(self._call_sync, function, order, running)
            if order.spec.timeout_us is not None:
                self._nursery.start_soon(self._expire, order.token, order.spec.timeout_us / _US)

    def stop(self, token: str) -> None:
        """See `Executor`."""
        running = self._running.get(token)
        if running is not None:
            running.attempt.stop()
            if running.cancel is not None:
                self._spawner.post(running.cancel)

    async def _expire(self, token: str, timeout_s: float) -> None:
        await trio.sleep(timeout_s)
        running = self._running.get(token)
        if running is not None:
            running.overdue = True
            running.attempt.stop()

    def leave(self) -> None:
        """Stop all calls, because the program leaves: not by their jobs' wish, so they count as lost."""
        self._leaving = True
        for token in list(self._running):
            self.stop(token)

    def _progress(self, token: str, fraction: float | None, message: str) -> None:
        self._tell(lambda: self._listener.progressed(token, fraction, message))

    def _end(self, status: AttemptStatus) -> None:
        self._tell(partial(self._take_end, status))

    def _take_end(self, status: AttemptStatus) -> None:
        running = self._running.pop(status.token, None)
        if running is not None:
            self._in_threads -= running.in_thread
            self._listener.ended(status)

    def _tell(self, news: Callable[[], None]) -> None:
        """Have the runner told in its own thread; from any."""
        self._news.put(news)  # after the end there is nobody to be told

    @property
    def _listener(self) -> CallRunner:
        assert self._runner is not None, "nothing is called before there is somebody to tell"
        return self._runner

    def _call_sync(self, function: Callee, order: Order, running: _Running) -> None:
        try:
            running.attempt.check()  # it may have waited for a thread
            end = _succeeded(order, function, function.invoke(_call(order), running.attempt))
        except BaseException as error:  # noqa: BLE001 - whatever it raises is how it ended
            end = self._failed(order, running, error)
        self._end(end)

    async def _call_async(self, function: Callee, order: Order, running: _Running) -> None:
        timeout_us = order.spec.timeout_us
        until = math.inf if timeout_us is None else anyio.current_time() + timeout_us / _US
        with scope_until(until) as scope:
            running.cancel = scope.cancel
            if running.attempt.stopped:  # before it began
                scope.cancel()
            try:
                result = await cast("Awaitable[object]", function.invoke(_call(order), running.attempt))
                self._end(_succeeded(order, function, result))
            except Exception as error:  # noqa: BLE001 - whatever it raises is how it ended
                self._end(self._failed(order, running, error))
            except BaseException as error:
                if not scope.cancel_called and anyio.current_effective_deadline() == -math.inf:
                    self._end(_left(order))
                    raise
                cancelled = isinstance(error, anyio.get_cancelled_exc_class())
                running.overdue = scope.cancel_called and not running.attempt.stopped
                self._end(self._failed(order, running, CallStopped() if scope.cancel_called else error))
                # What the function was cancelled with by itself, or by a library of asyncio's, ends its attempt alone.
                if scope.cancel_called or not cancelled:
                    raise

    def _failed(self, order: Order, running: _Running, error: BaseException) -> AttemptStatus:
        token = order.token
        if isinstance(error, CallStopped) and (running.overdue or running.attempt.stopped):
            if running.overdue:
                return AttemptStatus(token, "ended", how="timeout")
            if self._leaving:
                return _left(order)
            return AttemptStatus(token, "ended", how="stopped")
        return AttemptStatus(token, "ended", how="exited", exit_code=1, error=_text_of(error))


def _left(order: Order) -> AttemptStatus:
    why = "the program that had called it left before it ended"
    return AttemptStatus(order.token, "ended", how="lost", error=why)


def _text_of(error: BaseException) -> str:
    """What it says, as it can be recorded, whatever it does when it is asked."""
    kind = type(error).__name__
    try:
        text = str(error)
        if isinstance(error, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", error)
            text = "; ".join([text, *map(_text_of, group.exceptions)])
    except Exception:  # noqa: BLE001 - a broken error is an error all the same
        return f"{kind}: it can't be put into words"
    plain = text if isinstance(error, HoldfastError) else f"{kind}: {text}"
    return plain.encode(errors="replace").decode()[:_ERROR_CHARACTERS_MAX]


def _call(order: Order) -> Call:
    assert order.spec.call is not None, "a job on this target calls a function"
    return order.spec.call


def _succeeded(order: Order, function: Callee, result: object) -> AttemptStatus:
    """The end of a call that returned. Raises BadInput for a result that can't be recorded."""
    return AttemptStatus(order.token, "ended", how="exited", exit_code=0, result=function.encode(result))


class Calls(Struct, frozen=True):
    """Who makes the calls, who remembers them, and how many there may be `at_once`."""

    caller: Caller
    runner: CallRunner
    at_once: int


class Callables(Struct, frozen=True):
    """What a program lets jobs call. `spawner`: where async ones run; None: beside the supervisor, in Trio.

    `at_once`: how many calls, of which `threads` of functions that are not async; 0 threads: those run in the loop.
    """

    registry: Registry
    spawner: Spawner | None
    at_once: int
    threads: int

    def made(self, nursery: trio.Nursery, clock: Clock) -> Calls:
        """Ready to be called; in the engine's thread. `nursery`: for the engine's own tasks."""
        spawner = BesideTheSupervisor(nursery) if self.spawner is None else self.spawner
        caller = Caller(self.registry, spawner, self.threads, nursery)
        runner = CallRunner(caller, clock, os.getpid())
        caller.report_to(runner)
        return Calls(caller, runner, self.at_once)


class BesideTheSupervisor:
    """Runs async functions in the engine's own loop, for programs that have none."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    def spawn(self, run: Task, /) -> None:
        """See `Spawner`."""
        self._nursery.start_soon(run)

    def post(self, call: Callable[[], None], /) -> None:
        """See `Spawner`."""
        call()


class InTheLoop:
    """Runs async functions in the loop of the program, for as long as `serve` does there."""

    def __init__(self) -> None:
        """Made in that loop."""
        self._box = Mailbox(post_to_this_loop())
        self._waiting: deque[Task] = deque()
        self._told = False
        self._come = anyio.Event()

    def spawn(self, run: Task, /) -> None:
        """See `Spawner`."""
        self._waiting.append(run)
        if not self._told:  # else the loop is about to look
            self._told = True
            self.post(self._look)

    def post(self, call: Callable[[], None], /) -> None:
        """See `Spawner`."""
        self._box.put(call)  # a loop that has ended has ended its calls

    def _look(self) -> None:
        self._told = False  # first: what comes from now on is told anew
        self._come.set()

    async def serve(self) -> None:
        """Start what comes, until cancelled; from this task, so that functions find the program's context variables."""
        async with tasks() as start:
            while True:
                if self._waiting:
                    GIVEN_UNTIL.set(anyio.current_effective_deadline())  # each task begins with a copy of it
                while self._waiting:
                    start(self._waiting.popleft())
                self._come = anyio.Event()
                await self._come.wait()
