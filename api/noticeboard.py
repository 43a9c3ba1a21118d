"""Who waits for what the log says next: for jobs to end, or for the log to grow. All of it in one thread.

A commit costs what it changes, whatever the number of those who wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from holdfast.events.records import Job
from holdfast.events.states import has_ended

from .slot import Slot

_PRUNE_AT: Final = 64


class _Ends:
    """Somebody who waits until all of some jobs have ended."""

    __slots__ = ("done", "pending")

    def __init__(self, pending: set[int], done: Slot[None]) -> None:
        self.pending = pending
        self.done = done


class Noticeboard:
    """Slots that commits fill."""

    def __init__(self) -> None:
        self._ends: dict[int, list[_Ends]] = {}
        self._growth: list[Slot[int]] = []
        self._count = 0
        self._prune_at = _PRUNE_AT

    @property
    def waiting(self) -> bool:
        """Whether anybody waits for a job to end."""
        return bool(self._ends)

    def wait_for_ends(self, jobs: Iterable[int], done: Slot[None]) -> None:
        """Fill `done` when all these jobs, none of which has ended yet, have."""
        waiting = _Ends(set(jobs), done)
        if not waiting.pending:
            done.fill(None)
            return
        for job in waiting.pending:
            self._ends.setdefault(job, []).append(waiting)
        self._count += len(waiting.pending)
        if self._count > self._prune_at:
            self._prune()

    def wait_for_growth(self, grown: Slot[int]) -> None:
        """Fill `grown` with the log's newest seq at the next commit."""
        self._growth.append(grown)

    def note(self, jobs: Iterable[Job], seq: int) -> None:
        """Take in a commit: the jobs that it changed, and the log's newest seq."""
        if self._growth:
            growth, self._growth = self._growth, []
            for grown in growth:
                grown.fill(seq)
        if self._ends:
            for job in jobs:
                if job.id in self._ends and has_ended(job.state):
                    self._note_end(job.id)

    def recheck(self, live_among: Callable[[Sequence[int]], list[int]]) -> None:
        """Take in what ended while nothing was noted."""
        waited = list(self._ends)
        live = set(live_among(waited))
        for job in waited:
            if job not in live:
                self._note_end(job)

    def _note_end(self, job: int) -> None:
        for waiting in self._ends.pop(job):
            self._count -= 1
            waiting.pending.discard(job)
            if not waiting.pending:
                waiting.done.fill(None)

    def fail(self, error: Callable[[], Exception]) -> None:
        """Nothing more will be noted: tell everybody who waits why, each with an `error` of its own."""
        ends, self._ends = self._ends, {}
        growth, self._growth = self._growth, []
        self._count = 0
        for waiters in ends.values():
            for waiting in waiters:
                waiting.done.spoil(error())
        for grown in growth:
            grown.spoil(error())

    def _prune(self) -> None:
        """Forget those who have gone; whenever their number has doubled, so that memory follows who waits."""
        for job, waiters in list(self._ends.items()):
            left = [waiting for waiting in waiters if waiting.done.wanted]
            if left:
                self._ends[job] = left
            else:
                del self._ends[job]
        self._growth = [grown for grown in self._growth if grown.wanted]
        self._count = sum(len(waiters) for waiters in self._ends.values())
        self._prune_at = max(_PRUNE_AT, 2 * self._count)
