"""Which jobs the scheduler launches in a turn: ready queues, the limiter's grants, and how far ahead of free slots."""

from __future__ import annotations

from collections import Counter
from typing import Final

from holdfast.events.allocations import cluster_of, is_open
from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptRevoked, JobSubmitted, LimitConfigured
from holdfast.events.hosts import Up
from holdfast.events.launches import MANY, NO_LIMITS, launch, plan
from holdfast.events.limits import Denial, Grant, limit_of
from holdfast.events.pilots import has_time, usable_us
from holdfast.events.ready import TOO_LARGE, ReadyQueue
from holdfast.events.records import Granted, Job, Over, Retired, Target
from holdfast.events.states import Ready

from .address import Address
from .limiter import Acquire, Keys, LimiterMessage, Release, Restore, SetLimit
from .live import Live
from .natives import Natives
from .pace import Pace
from .pilots import Pilots
from .ratewaits import RateWaits
from .runner import CLOSING

TURN_MAX: Final = 1000
"""Of a cluster, which has room for any number, no more are launched in a turn, so that others are heard in between."""
STEP_US: Final = 50_000
"""What goes through a step of Slurm's may be held back for 5 ms, there and back (`targets/prompting.py`), longer where
processors are busy, as it goes through four processes. By several times as much launches are soon as far ahead as they
have to be."""

_LIMITED_MIN: Final = 8
LATE_MAX: Final = 100
"""So many jobs that an allocation has no time for are looked past in one turn."""


class Launching:
    """The scheduler's part that decides what to launch. `up`: targets that answer; `draining`: start nothing more."""

    def __init__(self, live: Live, limiter: Address[LimiterMessage], here: list[str]) -> None:
        self._live = live
        self._limiter = limiter
        self._queues = {name: ReadyQueue() for name in here}
        self._taken: list[Job] = []
        self._granted: list[Keys] = []
        self._released: list[Keys] = []
        self._rate_waits = RateWaits()
        self._freed = False
        self._paces = {name: Pace() for name in here}
        self._begun: Counter[str] = Counter()
        self._pilots = Pilots(live)
        self._natives = Natives(live)
        self.up: set[str] = set()
        self.draining = False

    def _queue(self, target: str) -> ReadyQueue:
        queue = self._queues.get(target)
        if queue is None:
            queue = self._queues[target] = ReadyQueue()
            self._paces[target] = Pace()
        return queue

    def has_ready(self, target: str) -> bool:
        """Whether jobs are ready that go to this target."""
        queue = self._queues.get(target)
        return queue is not None and not queue.empty

    async def restore(self) -> None:
        """Fill the queues and the limiter from what the log says."""
        for target in self._live.targets():
            if target.slurm is not None and target.slurm.pilot is not None:
                self._queue(target.name)  # its allocations may have nothing to do
        for job in self._live.jobs.values():
            if isinstance(job.state, Ready):
                self._queue(job.policy.target).push(job)
        self._natives.restore()
        await self._restore_limits()

    async def _restore_limits(self) -> None:
        held = [key for job in self._live.all_in_flight() for key in job.policy.limits]
        arrivals = {mark.key: mark.arrival_at for mark in self._live.marks()}
        specs = {name: limit.spec for name, limit in self._live.limits.items()}
        await self._limiter.ask(Restore, specs, held, arrivals)

    @property
    def wake_at(self) -> int | None:
        """When to look again for something to launch, in microseconds since the epoch: a limit may have room then."""
        if self.draining:
            return None
        times = [at for at in (self._rate_waits.next_at, self._pilots.wake_at) if at is not None]
        return 0 if self._freed or self._natives.fresh else min(times, default=None)

    async def plan(self, draft: Draft) -> None:
        """Record launches for all that fits and is allowed now."""
        self._forget_turn()
        self._freed = self._natives.fresh = False
        await self._release(draft)
        self._note_ends(draft)
        self._note_closing(draft)
        for name, changed in draft.targets.changed.items():
            if changed.allocation is not None and isinstance(changed.allocation.state, Over | Retired):
                self.up.discard(name)
                self._paces.pop(name, None)
            # What was too large for an allocation asks for no other one; it is judged anew by those that are there.
            if name == cluster_of(name) or name in self.up:
                self._queue(cluster_of(name)).unpark(TOO_LARGE)
        if draft.targets.changed:
            self._pilots.note_ends(draft)
        for job in draft.ready:
            self._queue(job.policy.target).push(job)
        if self.draining:
            return
        if draft.limits.changed:
            # The limiter hears of it after the commit, and until then would grant by the old bounds: launch next turn.
            self._freed = True
            return
        for key in self._rate_waits.due(draft.now):
            self._unpark(key)
        for name, queue in self._queues.items():
            target = draft.targets.get(name)
            if target is None:
                continue
            if target.slurm is not None and target.slurm.pilot is not None:
                await self._plan_allocations(draft, queue, target)
                self._pilots.plan(draft, target, target.slurm.pilot, queue, self._begun)
                continue
            self._pilots.forget(name)
            if name in self.up:
                await self._plan_target(draft, queue, target)
        self._plan_natives(draft)

    def _plan_natives(self, draft: Draft) -> None:
        """After all that is ready: those that are to wait in their cluster's queue."""
        for name in self._natives.targets:
            target = draft.targets.get(name)
            if target is not None and name in self.up:
                self._natives.plan(draft, target, self._room(draft, target))

    async def _release(self, draft: Draft) -> None:
        """Give back the limits of what ended: whatever takes its place is launched in the same commit."""
        self._released = [job.policy.limits for job in draft.released if job.policy.limits]
        if self._released:
            await self._limiter.tell(Release(self._released))
            for key in dict.fromkeys(key for keys in self._released for key in keys):
                self._unpark(key)

    def _note_ends(self, draft: Draft) -> None:
        ends = Counter([job.place for job in draft.released])
        for name, pace in self._paces.items():
            pace.note(ends[name], draft.now)

    def _note_closing(self, draft: Draft) -> None:
        """A runner that gives back what it was sent, as its allocation ends, is sent nothing more.

        Its allocation may have minutes yet for what runs: all that while it would be given each job, and give it back.
        """
        places = {job.id: job.place for job in draft.released if job.allocation}
        if places:
            events = (entry.event for entry in draft.entries)
            self.up -= {
                places[event.job]
                for event in events
                if type(event) is AttemptRevoked and event.reason == CLOSING and event.job in places
            }

    def _forget_turn(self) -> None:
        self._taken = []
        self._granted = []
        self._released = []
        self._begun.clear()

    async def _plan_allocations(self, draft: Draft, queue: ReadyQueue, cluster: Target) -> None:
        """Launch in the allocations of a cluster, for as long as they have time."""
        late: list[Job] = []
        for name in sorted(self.up):
            target = draft.targets.get(name) if cluster_of(name) == cluster.name and name != cluster.name else None
            if target is not None and is_open(target) and not cluster.paused:
                await self._plan_target(draft, queue, target, late)
        for job in late:
            queue.push(job)

    def _have_time(self, draft: Draft, picked: list[Job], target: Target, late: list[Job]) -> list[Job]:
        """Those of the picked jobs that can end before the allocation does; the others are put aside in `late`."""
        allocation = target.allocation
        if allocation is None or not isinstance(allocation.state, Granted) or not picked:
            return picked
        ends_at = allocation.state.since + usable_us(allocation.time_us)
        specs = self._live.specs([job.id for job in picked])
        if len(specs) < len(picked):
            events = (entry.event for entry in draft.entries)
            specs |= {event.job: event.spec for event in events if type(event) is JobSubmitted}
        fit: list[Job] = []
        for job in picked:
            (fit if has_time(ends_at, specs[job.id].timeout_us, draft.now) else late).append(job)
        return fit

    async def _plan_target(
        self, draft: Draft, queue: ReadyQueue, target: Target, late: list[Job] | None = None
    ) -> None:
        # What a limit holds back leaves room for others, so it is tried again until nothing more was held back.
        limited_max = _LIMITED_MIN + len(self._released)
        latency_us = target.host.latency_us if isinstance(target.host, Up) else 0
        if target.allocation is not None:
            latency_us += STEP_US
        pace = self._paces.setdefault(target.name, Pace())
        ahead = 0 if target.slurm is not None else pace.ahead(latency_us)
        while True:
            picked = plan(draft, queue, target, ahead, limited_max, self._room(draft, target))
            late_before = 0 if late is None else len(late)
            if late is not None:
                picked = self._have_time(draft, picked, target, late)
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
                    self._begun[target.name] += 1
                    launch(draft, job, grant, target.name)
            # What has no time there leaves room for what is behind it.
            is_late = late is not None and late_before < len(late) < LATE_MAX
            if not denied and len(limited) < limited_max and not is_late:
                self._freed = self._freed or (target.slurm is not None and self._begun[target.name] >= TURN_MAX)
                return
            limited_max *= 2

    def _room(self, draft: Draft, target: Target) -> int:
        """How many attempts more a cluster's queue may have from this turn."""
        if target.slurm is None:
            return MANY
        ended = sum(job.policy.target == target.name for job in draft.released)
        begun = sum(job.policy.target == target.name for job in self._taken)
        room = target.slurm.max_queued - self._live.flying(target.name) + ended
        return max(0, min(room, TURN_MAX) - begun)

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
            self._rate_waits.note(denial.key, denial.retry_at)

    def _unpark(self, key: str) -> None:
        for queue in self._queues.values():
            queue.unpark(key)

    async def settle(self, draft: Draft) -> None:
        """After the commit: changed limits hold from now on."""
        self._forget_turn()
        self._natives.settle(draft)
        for entry in draft.entries if draft.limits.changed else ():
            event = entry.event
            if isinstance(event, LimitConfigured):
                await self._limiter.tell(SetLimit(event.limit, event.spec, event.arrivals))
                self._unpark_limit(event.limit)

    def _unpark_limit(self, name: str) -> None:
        for queue in self._queues.values():
            for key in queue.parked_keys():
                if limit_of(key) == name:
                    self._free(key)

    def _free(self, key: str) -> None:
        self._freed = True
        self._unpark(key)

    async def undo(self, draft: Draft) -> None:
        """After a refused commit: back into the queue with what was taken, and the limits stand where they stood.

        From the log, because a rate can't be given back otherwise. What was held back for a limit is judged anew:
        there may be nobody left whose end would free it.
        """
        self._natives.undo()
        for job in self._taken:
            self._queue(job.policy.target).push(job)
        if self._granted or self._released:
            await self._restore_limits()
            for queue in self._queues.values():
                for key in queue.parked_keys():
                    self._free(key)
        for name in draft.targets.changed:
            self._queue(cluster_of(name)).unpark(TOO_LARGE)
        self._forget_turn()
        for number in draft.jobs.changed:
            unchanged = self._live.jobs.get(number)
            if unchanged is not None and isinstance(unchanged.state, Ready):
                self._queues[unchanged.policy.target].push(unchanged)
