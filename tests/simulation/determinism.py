"""Deterministic runs of Trio: virtual time, an order of tasks that a seed decides, and a hand on every step.

Everything private of Trio that the simulation leans on is in this file; `test_determinism` fails when Trio changes it.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from random import Random
from types import CoroutineType
from typing import Final, TypeVar
from unittest.mock import patch

import outcome
import trio
from trio._core import _run
from trio.testing import MockClock

T = TypeVar("T")

_SWITCH: Final = "_ALLOW_DETERMINISTIC_SCHEDULING"
_SOURCE: Final = "_r"
_NURSERY_WAITS: Final = "_nested_child_finished"


class Crash(Exception):
    """A mistake in an actor, put there by the simulation."""


class Steps(trio.abc.Instrument):
    """Counts the steps that tasks take, and does something just before a certain one."""

    def __init__(self) -> None:
        self.taken = 0
        self._act: Callable[[], object] | None = None
        self._act_at = 0
        self._victim: str | None = None
        self._crash_at = 0

    def arm(self, steps: int, act: Callable[[], object]) -> None:
        """Call `act` just before the step that follows the next `steps` ones."""
        self._act, self._act_at = act, self.taken + steps

    def arm_crash(self, steps: int, name: str) -> None:
        """Have the first await of a task below `name` that comes back after `steps` steps raise a `Crash`."""
        self._victim, self._crash_at = name, self.taken + steps

    def disarm(self) -> None:
        """Do nothing of it any more."""
        self._act = self._victim = None

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.taken += 1
        if self._act is not None and self.taken > self._act_at:
            act, self._act = self._act, None
            act()
        if self._victim is not None and self.taken > self._crash_at and _is_below(task, self._victim):
            error = Crash(f"planted in {self._victim} at step {self.taken}")
            if make_raise(task, error):
                self._victim = None


def make_raise(task: trio.lowlevel.Task, error: Exception) -> bool:
    """Have the await that `task` is about to come back from raise `error`; whether that can be done there.

    It can't before a task's first step, where something is raised already, and where a nursery waits for its children,
    which is code of Trio that nothing raises in.
    """
    if not isinstance(task._next_send, outcome.Outcome) or _NURSERY_WAITS in awaited(task):
        return False
    task._next_send = outcome.Error(error)
    return True


def awaited(task: trio.lowlevel.Task) -> list[str]:
    """The names of the coroutines that a task is in, from the outermost to the innermost."""
    names: list[str] = []
    found: object = task.coro
    while isinstance(found, CoroutineType):
        names.append(found.cr_code.co_name)
        found = found.cr_await
    return names


def _is_below(task: trio.lowlevel.Task, name: str) -> bool:
    found: trio.lowlevel.Task | None = task
    while found is not None:
        if found.name == name:
            return True
        found = found.parent_nursery.parent_task if found.parent_nursery is not None else None
    return False


async def _at_once(function: Callable[..., T], *arguments: object) -> T:
    """In place of a thread, whose end no seed decides."""
    await trio.lowlevel.checkpoint()
    return function(*arguments)


@contextmanager
def ordered(seed: int) -> Generator[None]:
    """Let `seed` alone decide the order of Trio's tasks.

    The garbage collector rests meanwhile: what it finalizes, and when, depends on everything else in the process.
    """
    names = _run.__dict__
    source = names[_SOURCE]
    assert isinstance(source, Random), "Trio keeps its randomness elsewhere now; see trio._core._run"
    before, state, collecting = names[_SWITCH], source.getstate(), gc.isenabled()
    names[_SWITCH] = True
    source.seed(seed)
    gc.disable()
    try:
        with patch.object(trio.to_thread, "run_sync", _at_once):
            yield
    finally:
        names[_SWITCH] = before
        source.setstate(state)
        if collecting:
            gc.enable()


def run(scenario: Callable[[], Awaitable[T]], seed: int, steps: Steps) -> T:
    """Run `scenario` on a clock that jumps whenever all tasks wait, in the order of `seed`."""
    with ordered(seed):
        return trio.run(scenario, clock=MockClock(autojump_threshold=0), instruments=[steps])


def now_us() -> int:
    """The true time of the simulation, in microseconds: it starts at 0 and never jumps."""
    return round(trio.current_time() * 1_000_000)
