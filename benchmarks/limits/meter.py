"""Where a loop's time goes: an instrument of Trio's, which sees each step of each task. Only benchmarks switch it on.

For each task's name, time on the clock and time on the processor are summed up: what is on the clock alone was spent
waiting in a step, for the disk or for Python's lock. The depth of an actor's inbox is looked at as the actor is about
to take all that is in it, so the deepest is the true one. A step costs 1.7 us more, and 3.3 us with processor time,
which is therefore counted for actors alone: they take many messages in a step.
"""

from __future__ import annotations

import gc
import threading
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter_ns, thread_time_ns
from typing import Final, TypeGuard

import trio
from msgspec import Struct

from holdfast.actors.inbox import Inbox


class Busy(Struct):
    """What one kind of task took so far, in nanoseconds, and in how many steps."""

    clock_ns: int = 0
    processor_ns: int = 0
    steps: int = 0


class Meter(trio.abc.Instrument):
    """Counts for the loop of the thread that makes it. `whose`: what to count a task of this name under."""

    def __init__(self, whose: Callable[[str], str], *, processor: bool) -> None:
        """To be added by `trio.lowlevel.add_instrument`. `processor`: count that time too, which is a system call."""
        self.thread: Final = threading.get_native_id()
        self.busy: defaultdict[str, Busy] = defaultdict(Busy)
        self.idle_ns = 0
        self.deepest: dict[str, int] = {}
        self._whose = whose
        self._processor_clock = thread_time_ns if processor else _no_time
        self._owners: dict[str, str] = {}
        self._inboxes: dict[str, Inbox[object]] = {}
        self._clock_ns = self._processor_ns = self._idle_since = 0

    def watch_inboxes(self) -> None:
        """Look at the depths of all inboxes there are, from now on; the tree keeps them to itself."""
        self._inboxes = {each.name: each for each in gc.get_objects() if _is_inbox(each)}
        self.deepest = dict.fromkeys(self._inboxes, 0)

    def so_far(self) -> dict[str, Busy]:
        """A copy of what was counted, by owner."""
        return {name: Busy(each.clock_ns, each.processor_ns, each.steps) for name, each in list(self.busy.items())}

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `Instrument`."""
        inbox = self._inboxes.get(task.name)
        if inbox is not None and len(inbox) > self.deepest[task.name]:
            self.deepest[task.name] = len(inbox)
        self._clock_ns, self._processor_ns = perf_counter_ns(), self._processor_clock()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """See `Instrument`."""
        processor_ns, clock_ns = self._processor_clock(), perf_counter_ns()
        owner = self._owners.get(task.name)
        if owner is None:
            owner = self._owners[task.name] = self._whose(task.name)
        busy = self.busy[owner]
        busy.processor_ns += processor_ns - self._processor_ns
        busy.clock_ns += clock_ns - self._clock_ns
        busy.steps += 1

    def before_io_wait(self, timeout: float) -> None:
        """See `Instrument`."""
        del timeout
        self._idle_since = perf_counter_ns()

    def after_io_wait(self, timeout: float) -> None:
        """See `Instrument`."""
        del timeout
        self.idle_ns += perf_counter_ns() - self._idle_since


def _no_time() -> int:
    return 0


def _is_inbox(thing: object) -> TypeGuard[Inbox[object]]:
    return isinstance(thing, Inbox)
