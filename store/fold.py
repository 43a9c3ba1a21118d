"""The fold of the log: records as `evolve` makes them from events, over whatever holds those that came before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.events.draft import Overlay
from holdfast.events.evolve import evolve
from holdfast.events.facts import Event
from holdfast.events.records import Attempt, Flow, Job, Limit, Policy, RateMark, Target

from .views import Changes, Numbered

_POLICIES_MAX: Final = 10_000


def _nothing(key: object) -> None:
    del key


class Fold:
    """Records after the events taken so far. `evolve` alone changes them."""

    def __init__(
        self,
        job: Callable[[int], Job | None] = _nothing,
        attempt: Callable[[tuple[int, int]], Attempt | None] = _nothing,
    ) -> None:
        """`job` and `attempt` look up records that were flushed from memory (default: none ever is)."""
        self.jobs = Overlay[int, Job](job)
        self.attempts = Overlay[tuple[int, int], Attempt](attempt)
        self.targets = Overlay[str, Target](_nothing)
        self.limits = Overlay[str, Limit](_nothing)
        self.marks = Overlay[str, RateMark](_nothing)
        self.flows = Overlay[str, Flow](_nothing)
        self.numbered = Numbered()
        self._policies: dict[Policy, Policy] = {}

    def shared(self, policy: Policy, /) -> Policy:
        """The one object that stands for all policies equal to this one."""
        if len(self._policies) >= _POLICIES_MAX:
            self._policies.clear()
        return self._policies.setdefault(policy, policy)

    def take(self, event: Event, seq: int, time: int) -> None:
        """Apply the next event. Raises IllegalMove."""
        evolve(self, event, time)
        self.numbered.note(event, seq, time)

    def changes(self) -> Changes:
        """All records in memory."""
        return Changes(
            self.jobs.changed,
            self.attempts.changed,
            self.targets.changed,
            self.limits.changed,
            self.marks.changed,
            self.flows.changed,
        )

    def forget(self) -> None:
        """Drop from memory what was written elsewhere and can grow: all but targets and limits."""
        for records in (self.jobs, self.attempts, self.flows, self.marks):
            records.changed.clear()
        for table in (self.numbered.heads, self.numbered.last, self.numbered.flows):
            table.clear()
        self.numbered.dependencies.clear()
