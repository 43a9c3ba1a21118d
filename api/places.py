"""Calls that wait for other calls: whether any place is left in which what they wait for could ever be called.

A call that waits keeps its place of `calls`, and, if it is not async, its thread. Where all that hold a place wait for
calls that need one, none of them ever ends. The call that waited last is told so; its end frees a place for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import trio
from msgspec import Struct

from holdfast.events.errors import HoldfastError

from .slot import Slot

LOOK_S: Final = 0.2


class NoPlaceLeft(HoldfastError):
    """A call waits for calls that can't be made, as all places are taken by calls that wait as well.

    A function that waits for a call, or for its result, keeps its place of `calls` meanwhile, and, if it is not async,
    its thread of `threads`. Where those that have all of either wait like that, each for a call that needs one, the one
    that began to wait last hears this. Waits with a time-out are left to end by it.
    """

    exit_code = 2

    def __init__(self, held: str) -> None:
        super().__init__(
            f"this call waits for calls that can never begin: all {held} are taken by calls that wait for others; "
            "open Holdfast with more of them, or submit what comes next as jobs with `after`, in place of waiting"
        )


class Place(Struct, frozen=True):
    """What a call holds while it is made, or needs before it can be: always one of `calls`; `thread`: one of those."""

    thread: bool


class _Wait(Struct, frozen=True, eq=False):
    """A call, by its job, that waits until all of some jobs have ended."""

    caller: int
    jobs: tuple[int, ...]
    done: Slot[None]


class Known(Struct, frozen=True):
    """What there is to be known of calls.

    `calls`: how many may be made at once now, which is what the target `functions` offers.
    `running`: those under way, by their jobs. `needed`: the place that a job needs to be done; None: it needs none.
    `recorded`: whether all that has ended is in the log. `without_thread`: how many calls wait for a thread, and keep
    their place meanwhile.
    """

    calls: Callable[[], int]
    threads: int
    running: Callable[[], Mapping[int, Place]]
    needed: Callable[[int], Place | None]
    recorded: Callable[[], bool]
    without_thread: Callable[[], int]


class Places:
    """Who waits for whom; in the engine's thread."""

    def __init__(self, known: Known, nursery: trio.Nursery) -> None:
        self._known = known
        self._nursery = nursery
        self._waits: list[_Wait] = []
        self._needed: dict[int, Place | None] = {}
        self._looks = False

    def note(self, caller: int, jobs: Iterable[int], done: Slot[None]) -> None:
        """A call waits for jobs that have not ended; `done` hears if they never can."""
        self._waits = [wait for wait in self._waits if wait.done.wanted]
        self._waits.append(_Wait(caller, tuple(jobs), done))
        if not self._looks and self._may_be_full():
            self._looks = True
            self._nursery.start_soon(self._look)

    async def _look(self) -> None:
        """Look now and then for as long as it may be. What is found twice is no end that is just being recorded."""
        before: list[_Wait] = []
        while self._may_be_full():
            stuck = self._stuck() if self._known.recorded() else []
            if stuck and stuck == before:
                newest = stuck[-1]
                newest.done.spoil(NoPlaceLeft(self._held(stuck)))
                stuck = []
            before = stuck
            await trio.sleep(LOOK_S)
        self._looks = False

    def _held(self, stuck: Iterable[_Wait]) -> str:
        running = self._known.running()
        if len({wait.caller for wait in stuck}) < self._known.calls() and any(
            running[wait.caller].thread for wait in stuck
        ):
            return f"threads (`threads={self._known.threads}`)"
        return f"places for calls (`calls={self._known.calls()}`)"

    def _may_be_full(self) -> bool:
        self._waits = [wait for wait in self._waits if wait.done.wanted]
        calls, callers = self._known.calls(), {wait.caller for wait in self._waits}
        return len(callers) >= min(calls, self._known.threads or calls)

    def _stuck(self) -> list[_Wait]:
        """The waits that can't end, in their order: what is left when all that can go on has been taken away."""
        running, before = self._known.running(), self._needed
        jobs = dict.fromkeys(job for wait in self._waits for job in wait.jobs)
        self._needed = {job: before[job] if job in before else self._known.needed(job) for job in jobs}
        needed = {job: place for job, place in self._needed.items() if job not in running}
        waits: dict[int, list[_Wait]] = {}
        for wait in self._waits:
            if wait.caller in running:
                waits.setdefault(wait.caller, []).append(wait)
        while True:
            full = self._full(waits, running)
            goes_on = [
                caller
                for caller, each in waits.items()
                if not all(any(_is_stuck(job, waits, needed, full) for job in wait.jobs) for wait in each)
            ]
            if not goes_on:
                return [wait for wait in self._waits if wait.caller in waits]
            for caller in goes_on:
                del waits[caller]

    def _full(self, callers: Collection[int], running: Mapping[int, Place]) -> tuple[bool, bool]:
        """Whether these take all places for calls, and all threads."""
        threads_full = 0 < self._known.threads <= sum(running[caller].thread for caller in callers)
        taken = len(callers) + (self._known.without_thread() if threads_full else 0)
        return taken >= self._known.calls(), threads_full


def _is_stuck(job: int, callers: Collection[int], needed: Mapping[int, Place | None], full: tuple[bool, bool]) -> bool:
    if job in callers:
        return True
    place = needed.get(job)
    calls_full, threads_full = full
    return place is not None and (calls_full or (place.thread and threads_full))
