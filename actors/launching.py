"""Which jobs the scheduler launches in a turn: ready queues, the limiter's grants, and how far ahead of free slots."""

from __future__ import annotations

from typing import Final

from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptEnded, LimitConfigured
from holdfast.events.launches import NO_LIMITS, launch, plan
from holdfast.events.limits import Denial, Grant, limit_of
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Job, Target
from holdfast.events.states import Ready

from .address import Address
from .limiter import Acquire, Keys, LimiterMessage, Release, Restore, SetLimit
from .live import Live

AHEAD_MAX: Final = 32
AHEAD_S: Final = 0.008
GATHER_S: Final = 0.003
_MEMORY_S: Final = 0.25
_US: Final = 1_000_000


class Launching:
    """The scheduler's part that decides what to launch. `up`: targets that answer; `draining`: start nothing more."""

    def __init__(self, live: Live, limiter: Address[LimiterMessage], targets: set[str]) -> None:
        self._live = live
        self._limiter = limiter
        self._queues = {name: ReadyQueue() for name in sorted(targets)}
        self._taken: list[Job] = []
        self._granted: list[Keys] = []
        self._rate_waits: dict[str, int] = {}
        self._planned_at = 0
        self._freed = False
        self._ends_per_s = 0.0
        self._ends_at = 0
        self.up: set[str] = set()
        self.draining = False

    async def restore(self) -> None:
        """Fill the queues and the limiter from what the log says."""
        for job in self._live.jobs.values():
            if isinstance(job.state, Ready):
                self._queues[job.policy.target].push(job)
        await self._restore_limits()

    async def _restore_limits(self) -> None:
        held = [key for name in self._queues for job in self._live.in_flight(name) for key in job.policy.limits]
        arrivals = {mark.key: mark.arrival_at for mark in self._live.marks()}
        specs = {name: limit.spec for name, limit in self._live.limits.items()}
        await self._limiter.ask(Restore, specs, held, arrivals)

    @property
    def wake_at(self) -> int | None:
        """When to look again for something to launch, in microseconds since the epoch: a limit may have room then."""
        if self.draining:
            return None
        return 0 if self._freed else min(self._rate_waits.values(), default=None)

    async def plan(self, draft: Draft) -> int:
        """Record launches for all that fits and is allowed now; returns how many."""
        self._taken = []
        self._granted = []
        self._freed = False
        self._note_ends(draft)
        for job in draft.ready:
            self._queues[job.policy.target].push(job)
        if self.draining:
            return 0
        if any(isinstance(entry.event, LimitConfigured) for entry in draft.entries):
            # The limiter hears of it after the commit, and until then would grant by the old bounds: launch next turn.
            self._freed = True
            return 0
        self._unpark_due(draft.now)
        for name, queue in self._queues.items():
            target = draft.targets.get(name)
            if target is not None and name in self.up:
                await self._plan_target(draft, queue, target)
        return len(self._taken)

    async def _plan_target(self, draft: Draft, queue: ReadyQueue, target: Target) -> None:
        # What a limit holds back leaves room for others, so it is tried again until nothing more was held back.
        while True:
            picked = plan(draft, queue, target, self._ahead())
            if not picked:
                return
            limited = [job for job in picked if job.policy.limits]
            grants = await self._ask(limited, draft.now)
            denied = 0
            for job in picked:
                grant = grants.get(job.id, NO_LIMITS)
                if isinstance(grant, Denial):
                    self._park(queue, job, grant)
                    denied += 1
                else:
                    self._taken.append(job)
                    launch(draft, job, grant)
            if not denied:
                return

    async def _ask(self, jobs: list[Job], now: int) -> dict[int, Grant | Denial]:
        if not jobs:
            return {}
        wanted = [job.policy.limits for job in jobs]
        results = await self._limiter.ask(Acquire, wanted, now)
        self._granted += [keys for keys, result in zip(wanted, results, strict=True) if isinstance(result, Grant)]
        return {job.id: result for job, result in zip(jobs, results, strict=True)}

    def _park(self, queue: ReadyQueue, job: Job, denial: Denial) -> None:
        queue.park(job, denial.key)
        if denial.retry_at is not None:
            self._rate_waits[denial.key] = denial.retry_at

    def _unpark_due(self, now: int) -> None:
        set_back = now < self._planned_at  # then what the clock will show when a rate has room again is not known
        self._planned_at = now
        for key in [key for key, at in self._rate_waits.items() if at <= now or set_back]:
            self._unpark(key)

    def _unpark(self, key: str) -> None:
        self._rate_waits.pop(key, None)
        for queue in self._queues.values():
            queue.unpark(key)

    def _ahead(self) -> int:
        """As many as are expected to end within a few milliseconds, so that long jobs never queue in a runner."""
        return min(AHEAD_MAX, int(self._ends_per_s * AHEAD_S))

    def _note_ends(self, draft: Draft) -> None:
        ends = sum(1 for entry in draft.entries if isinstance(entry.event, AttemptEnded))
        passed_s = max(0, draft.now - self._ends_at) / _US
        self._ends_at = draft.now
        self._ends_per_s *= max(0.0, 1.0 - passed_s / _MEMORY_S)
        self._ends_per_s += ends / _MEMORY_S

    def gather_s(self, launched: int) -> float:
        """How long to wait for more ends before the next turn, in seconds; 0 if a slot might stay empty meanwhile."""
        return GATHER_S if launched and self._ahead() > 1 else 0.0

    async def settle(self, draft: Draft) -> None:
        """After the commit: limits of ended attempts are free, changed limits hold from now on."""
        self._taken = []
        self._granted = []
        released = [job.policy.limits for job in draft.released if job.policy.limits]
        if released:
            await self._limiter.tell(Release(released))
            for keys in released:
                for key in keys:
                    self._free(key)
        for entry in draft.entries:
            if isinstance(entry.event, LimitConfigured):
                event = entry.event
                await self._limiter.tell(SetLimit(event.limit, event.spec, event.arrivals))
                self._unpark_limit(event.limit)

    def _unpark_limit(self, name: str) -> None:
        for queue in self._queues.values():
            for key in queue.parked_keys():
                if limit_of(key) == name:
                    self._free(key)

    def _free(self, key: str) -> None:
        if any(key in queue.parked_keys() for queue in self._queues.values()):
            self._freed = True
            self._unpark(key)

    async def undo(self, draft: Draft) -> None:
        """After a refused commit: back into the queue with what was taken, and the limits stand where they stood.

        From the log, because a rate can't be given back otherwise. What was held back for a limit is judged anew:
        there may be nobody left whose end would free it.
        """
        for job in self._taken:
            self._queues[job.policy.target].push(job)
        if self._granted:
            await self._restore_limits()
            for queue in self._queues.values():
                for key in queue.parked_keys():
                    self._free(key)
        self._taken = []
        self._granted = []
        for number in draft.jobs.changed:
            unchanged = self._live.jobs.get(number)
            if unchanged is not None and isinstance(unchanged.state, Ready):
                self._queues[unchanged.policy.target].push(unchanged)
