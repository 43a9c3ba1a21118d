"""A slot for one answer, filled in one thread and awaited in another; and the box where a loop finds its calls."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

T = TypeVar("T")

Call = Callable[[], object]


class Slot(Generic[T]):
    """Takes one value or error, and gives it to the one who waits.

    It is what `concurrent.futures.Future` would be without a lock of its own for each, which costs more than all the
    rest of a submission's way through the threads.
    """

    __slots__ = ("_error", "_left", "_value", "_wake", "done")

    def __init__(self) -> None:
        self.done = False
        self._left = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._wake: Call | None = None

    def fill(self, value: T) -> None:
        """Put the value in, unless there is something in it."""
        if not self.done:
            self._value = value
            self._finish()

    def spoil(self, error: BaseException) -> None:
        """Put an error in, to be raised where somebody waits, unless there is something in it."""
        if not self.done:
            self._error = error
            self._finish()

    def leave(self) -> None:
        """Nobody waits any more."""
        self._left = True

    @property
    def wanted(self) -> bool:
        """Whether somebody may still wait for it."""
        return not (self.done or self._left)

    def when_done(self, wake: Call) -> None:
        """Have `wake` called once there is something in it, in whichever thread puts it there; perhaps twice."""
        assert self._wake is None, "two wait for one answer"
        # In this order, and the other way round in `_finish`: one of the two sees what the other has done.
        self._wake = wake
        if self.done:
            wake()

    def result(self, timeout: float | None = None) -> T:
        """What is in it, or raise the error; in a thread without a loop, wait for it.

        Raises TimeoutError after `timeout` seconds.
        """
        if not self.done:
            arrived = threading.Event()
            self.when_done(arrived.set)
            try:
                if not arrived.wait(timeout):
                    raise TimeoutError
            finally:
                self.leave()
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def _finish(self) -> None:
        self.done = True
        if self._wake is not None:
            self._wake()


class Mailbox:
    """Calls to be made in one loop, left by any thread, in order; the loop is woken once for all that wait."""

    __slots__ = ("_calls", "_post", "_woken")

    def __init__(self, post: Callable[[Call], object]) -> None:
        """`post`: the loop's way to have something called in it from any thread, which wakes it each time."""
        self._post = post
        self._calls: deque[Call] = deque()
        self._woken = False

    def put(self, call: Call) -> bool:
        """Have something called there; False if the loop has ended, and then the call stays in the box."""
        self._calls.append(call)
        if not self._woken:
            self._woken = True
            try:
                self._post(self.empty)
            except RuntimeError:  # as asyncio and Trio have it
                self._woken = False
                return False
            except BaseException:
                self._woken = False
                raise
        return True

    def empty(self) -> None:
        """Make the calls that wait; others get their turn before those that come meanwhile."""
        self._woken = False  # first: what comes from now on wakes the loop again
        for _ in range(len(self._calls)):
            self._calls.popleft()()
