"""The scheduler's part that asks clusters for allocations, and gives them back: when, says `events.pilots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from holdfast.events.allocations import is_open, name_of
from holdfast.events.backoff import full_jitter_us
from holdfast.events.draft import Draft
from holdfast.events.facts import AllocationEnded, AllocationReleased, AllocationRequested
from holdfast.events.pilots import Load, Standing, offers, size
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Granted, Over, Retired, Target
from holdfast.events.spec import PilotSpec

from .live import Live

AGAIN_BASE_US: Final = 15_000_000
AGAIN_CAP_US: Final = 900_000_000
"""After an allocation whose runner never answered, the next one is asked for only after a back-off."""
_IDLE: Final = "it had nothing to do"


class Pilots:
    """The allocations of all clusters that work so."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._idle: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._again_at: dict[str, int] = {}
        self._look_at: dict[str, int] = {}

    @property
    def wake_at(self) -> int | None:
        """When to look again, if nothing happens before, in microseconds since the epoch."""
        return min(self._look_at.values(), default=None)

    def note_ends(self, draft: Draft) -> None:
        """Follow which allocations are over: one whose runner never answered was of no use."""
        for entry in draft.entries:
            event = entry.event
            if isinstance(event, AllocationEnded):
                target = draft.targets.get(event.allocation)
                if target is not None and target.allocation is not None:
                    self._note_end(draft, target, target.allocation.cluster)

    def _note_end(self, draft: Draft, target: Target, cluster: str) -> None:
        assert target.allocation is not None, "only allocations end"
        if target.journal is not None or target.allocation.released:
            self._failures.pop(cluster, None)
            self._again_at.pop(cluster, None)
            return
        failures = self._failures[cluster] = self._failures.get(cluster, 0) + 1
        wait_us = AGAIN_BASE_US + full_jitter_us(failures, AGAIN_BASE_US, AGAIN_CAP_US, draft.random)
        self._again_at[cluster] = draft.now + wait_us

    def plan(self, draft: Draft, cluster: Target, spec: PilotSpec, queue: ReadyQueue, begun: Mapping[str, int]) -> None:
        """Ask for allocations of a cluster, or give some back; `begun`: how many launches this draft has, by place."""
        name = cluster.name
        there = [each for each in self._all(draft, name) if not _is_over(each)]
        load = None if cluster.paused else self._load(name, queue, draft.now)
        wish = size(spec, offers(cluster.capacity, spec), load, self._standing(draft, there, load, begun), draft.now)
        again_at = self._again_at.get(name, 0)
        if wish.more and draft.now < again_at:
            self._look(name, again_at)
            return
        # Their tokens have the number alone, so no two clusters of a home have the same one.
        taken = (each.allocation.number for each in draft.targets.changed.values() if each.allocation is not None)
        number = max(self._live.next_allocation, 1 + max(taken, default=0))
        for each in range(number, number + wish.more):
            capacity = offers(cluster.capacity, spec)
            draft.record(AllocationRequested(name_of(name, each), name, each, capacity, spec.time_us))
        for allocation in wish.back:
            draft.record(AllocationReleased(allocation, _IDLE))
        self._look(name, wish.look_at)

    def forget(self, cluster: str) -> None:
        """The target has no allocations to be asked for, or not any more."""
        self._look_at.pop(cluster, None)

    def _look(self, cluster: str, at: int | None) -> None:
        if at is None:
            self._look_at.pop(cluster, None)
        else:
            self._look_at[cluster] = at

    def _all(self, draft: Draft, cluster: str) -> list[Target]:
        """The allocations of a cluster, as they are in the draft."""
        found = {each.name: each for each in self._live.allocations(cluster)}
        changed = ((name, target, target.allocation) for name, target in draft.targets.changed.items())
        found |= {name: target for name, target, its in changed if its is not None and its.cluster == cluster}
        return list(found.values())

    def _load(self, cluster: str, queue: ReadyQueue, now: int) -> Load | None:
        needs = queue.load()
        if not needs and queue.empty:
            self._waiting.pop(cluster, None)
            return None
        return Load(needs, self._waiting.setdefault(cluster, now)) if needs else None

    def _standing(
        self, draft: Draft, there: Sequence[Target], load: Load | None, begun: Mapping[str, int]
    ) -> list[Standing]:
        found: list[Standing] = []
        for target in there:
            allocation = target.allocation
            assert allocation is not None, "only allocations are looked at here"
            ended = sum(job.place == target.name for job in draft.released)
            busy = self._live.flying(target.name) + begun.get(target.name, 0) - ended > 0
            up = isinstance(allocation.state, Granted) and target.journal is not None  # its runner has answered
            if busy or (load is not None and not up):
                self._idle.pop(target.name, None)
            idle_since = self._idle.setdefault(target.name, draft.now) if not busy else draft.now
            leaving = not is_open(target)
            found.append(Standing(target.name, up, leaving, busy, idle_since, allocation.state.since))
        self._idle = {name: since for name, since in self._idle.items() if draft.targets.get(name) is not None}
        return found


def _is_over(target: Target) -> bool:
    return target.allocation is None or isinstance(target.allocation.state, Over | Retired)
