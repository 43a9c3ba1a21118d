"""Virtual time, and a hand on every step of Trio's scheduler, so that something can happen at each await in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import trio
from trio.testing import MockClock

T = TypeVar("T")


async def pause(seconds: float) -> None:
    """Let virtual time pass; refuses to wait for a real clock."""
    assert isinstance(trio.lowlevel.current_clock(), MockClock), "pause is for tests on virtual time"
    await trio.sleep(seconds)


class AtStep(trio.abc.Instrument):
    """Calls `act` just before the `step`-th step (from 0) that any task of the scenario takes."""

    def __init__(self, step: int, act: Callable[[], object]) -> None:
        self._left = step
        self._act = act
        self.reached = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        del task  # any will do
        if self._left == 0:
            self.reached = True
            self._act()
        self._left -= 1


def run_virtual(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run `scenario` on a clock that jumps whenever all tasks wait."""
    return trio.run(scenario, clock=MockClock(autojump_threshold=0))


def at_every_step(scenario: Callable[[Callable[[Callable[[], object]], AtStep]], Awaitable[None]]) -> Iterator[int]:
    """Run `scenario` again and again; what it arms happens one step later each time, until it is over before that.

    The scenario is given `arm`, to call once with what shall happen. Yields the number of each run.
    """
    step = 0
    while True:
        armed: list[AtStep] = []

        async def run(step: int = step, armed: list[AtStep] = armed) -> None:
            def arm(act: Callable[[], object]) -> AtStep:
                instrument = AtStep(step, act)
                trio.lowlevel.add_instrument(instrument)
                armed.append(instrument)
                return instrument

            await scenario(arm)

        run_virtual(run)
        if not armed[0].reached:
            return
        yield step
        step += 1
