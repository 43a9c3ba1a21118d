"""The fold of the log: records as `evolve` makes them from events, over whatever holds those that came before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from holdfast.events.draft import Overlay
from holdfast.events.errors import IllegalMove
from holdfast.events.evolve import evolve
from holdfast.events.facts import Event
from holdfast.events.records import (
    Attempt,
    Batch,
    ClosedBatch,
    Ended,
    Flow,
    Job,
    Limit,
    Policy,
    RateMark,
    Revoked,
    Target,
)

from .errors import DamagedLog
from .views import Changes, Numbered

_POLICIES_MAX: Final = 10_000


def _nothing(key: object) -> None:
    del key


class Fold:
    """Records after the events taken so far. `evolve` alone changes them."""

    def __init__(self) -> None:
        self.jobs = Overlay[int, Job](_nothing)
        self.attempts = Overlay[tuple[int, int], Attempt](_nothing)
        self.targets = Overlay[str, Target](_nothing)
        self.limits = Overlay[str, Limit](_nothing)
        self.marks = Overlay[str, RateMark](_nothing)
        self.flows = Overlay[str, Flow](_nothing)
        self.batches = Overlay[str, Batch](_nothing)
        self.numbered = Numbered()
        self._policies: dict[Policy, Policy] = {}
        self._policy: Policy | None = None

    def shared(self, policy: Policy, /) -> Policy:
        """The one object that stands for all policies equal to this one."""
        last = self._policy
        if last is None or (policy is not last and policy != last):  # else that of the job before it, as most are
            if len(self._policies) >= _POLICIES_MAX:
                self._policies.clear()
            last = self._policy = self._policies.setdefault(policy, policy)
        return last

    def take(self, event: Event, seq: int, time: int) -> None:
        """Apply the next event. Raises IllegalMove."""
        evolve(self, event, time)
        self.numbered.note(event, seq, time)

    def changes(self) -> Changes:
        """All records in memory that views hold."""
        return Changes(
            self.jobs.changed,
            self.targets.changed,
            self.limits.changed,
            self.marks.changed,
            self.flows.changed,
            self.batches.changed,
        )


class BoundedFold(Fold):
    """A fold that can let go of its records, and never keeps an attempt that is over: nothing can happen to it."""

    def __init__(self, job: Callable[[int], Job | None]) -> None:
        """`job` looks up a job that was let go of, in what it was written to."""
        super().__init__()
        self.jobs = Overlay[int, Job](job)
        self.attempts = _InFlight(_nothing)

    def forget(self) -> None:
        """Let go of what was written elsewhere and can grow: all but targets, limits and what is in flight."""
        for records in (self.jobs, self.flows, self.marks):
            records.changed.clear()
        open_ = {name: each for name, each in self.batches.changed.items() if not isinstance(each.state, ClosedBatch)}
        self.batches.changed.clear()
        self.batches.changed.update(open_)
        self.numbered.clear()


class _InFlight(Overlay[tuple[int, int], Attempt]):
    __slots__ = ()

    def put(self, key: tuple[int, int], record: Attempt, /) -> None:
        if type(record.phase) is Ended or type(record.phase) is Revoked:
            self.changed.pop(key, None)
        else:
            self.changed[key] = record


def fold_log(
    fold: BoundedFold, facts: Iterable[tuple[int, int, Event]], path: Path, write: Callable[[], None], jobs_max: int
) -> int:
    """Fold the log at `path`, whose events are given as by `read_facts`; returns the last one's seq, 0 without any.

    `write` is called whenever `jobs_max` jobs are in memory, to write them elsewhere and forget them. Raises DamagedLog
    for an event that can't follow those before it.
    """
    seq = 0
    take, jobs = fold.take, fold.jobs.changed
    for seq, time, event in facts:
        try:
            take(event, seq, time)
        except IllegalMove as error:
            raise DamagedLog(path, f"event {seq} can't follow those before it: {error}") from error
        if len(jobs) >= jobs_max:
            write()
    return seq
