"""The scheduler's memory: live jobs, what is in flight, and the dependencies between live jobs.

All of it is derived from records; what has ended is looked up in the store. A restart loads it at the cost of what is
alive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.events.capacity import give_back, take
from holdfast.events.draft import Dependency, Draft
from holdfast.events.facts import AttemptBatched
from holdfast.events.records import Attempt, Batch, Flow, Job, Limit, Policy, RateMark, Retired, Target
from holdfast.events.spec import JobSpec
from holdfast.events.states import NAMES, Held, Waiting, has_ended, is_in_flight
from holdfast.store.contract import LiveBase

_NONE: Final[tuple[Dependency, ...]] = ()


class Live:
    """Committed state of what is alive; the `Base` of the scheduler's drafts (see there for what each method means)."""

    def __init__(self, stored: LiveBase) -> None:
        """Load everything that is alive from `stored`, which stays the place to look for what is not."""
        self._stored = stored
        self.home = stored.home
        self.jobs: dict[int, Job] = {}
        self.counts: Counter[str] = Counter()
        self._in_flight: dict[int, Job] = {}
        self._flying: Counter[str] = Counter()
        self._attempts: dict[int, Attempt] = {}
        self._used: dict[str, dict[str, int]] = {}
        self._dependents: dict[int, list[Dependency]] = {}
        self._unmet: dict[int, int] = {}
        self._targets: dict[str, Target] = {}
        self.next_allocation = 1
        """The number that the next allocation gets."""
        for target in stored.targets():
            self._put_target(target)
        self.limits: dict[str, Limit] = {each.name: each for each in stored.limits()}
        self._next_job = stored.next_job()
        self._next_flow = stored.next_flow()
        for job in stored.live_jobs():
            self._put(job)
        for edge in stored.live_edges():
            self._dependents.setdefault(edge.needed, []).append(edge)
            if edge.job in self.jobs:
                self._unmet[edge.job] = self._unmet.get(edge.job, 0) + 1

    def apply(self, draft: Draft) -> None:
        """Take over what a committed draft changed."""
        changed = draft.jobs.changed.values()
        retried = [job.id for job in changed if self._lives_again(job)]
        for job in changed:
            self._put(job)
        for (number, _), attempt in draft.attempts.changed.items():
            if number in self._in_flight:
                self._attempts[number] = attempt
            else:
                self._attempts.pop(number, None)
        for needed, edges in draft.edges.items():
            if needed in self.jobs:
                self._dependents.setdefault(needed, []).extend(edges)
        for number, count in draft.unmet.items():
            waiting = self.jobs.get(number)
            if waiting is not None and isinstance(waiting.state, Waiting | Held):
                self._unmet[number] = count
            else:
                self._unmet.pop(number, None)
        for number in retried:
            # Its edges were let go when it ended; what depends on it, whoever is retried when, follows its next end.
            self._dependents[number] = list(self._stored.dependents(number))
        for target in draft.targets.changed.values():
            self._put_target(target)
        self.limits.update(draft.limits.changed)
        self._next_job += draft.new_jobs
        self._next_flow += draft.new_flows

    def _put_target(self, target: Target) -> None:
        allocation = target.allocation
        if allocation is not None:
            self.next_allocation = max(self.next_allocation, allocation.number + 1)
        if allocation is not None and isinstance(allocation.state, Retired):
            self._targets.pop(target.name, None)  # there may be many in a long life, and none is of any use
            if not self._flying[target.name]:
                del self._flying[target.name]
                self._used.pop(target.name, None)
        else:
            self._targets[target.name] = target

    def allocations(self, cluster: str) -> list[Target]:
        """The allocations of a cluster that are not retired, by number."""
        found = [each for each in self._targets.values() if each.allocation and each.allocation.cluster == cluster]
        return sorted(found, key=lambda target: target.allocation.number if target.allocation else 0)

    def specs(self, jobs: Sequence[int]) -> dict[int, JobSpec]:
        """What was asked for, for each of these jobs."""
        return self._stored.specs(jobs)

    def batched(self, target: str) -> list[tuple[AttemptBatched, Batch]]:
        """The attempts in flight on a cluster that are in an open batch, and that batch."""
        jobs = {job.id: job for job in self.in_flight(target)}
        open_batches = {batch.name: batch for batch in self._stored.open_batches(target)} if jobs else {}
        placed = self._stored.batched(list(jobs)).values() if open_batches else ()
        newest = [each for each in placed if each.attempt == jobs[each.job].attempt]
        return [(each, open_batches[each.batch]) for each in newest if each.batch in open_batches]

    def _lives_again(self, job: Job) -> bool:
        """Whether the job had ended before it changed, and has not now."""
        return job.id < self._next_job and job.id not in self.jobs and not has_ended(job.state)

    def _put(self, job: Job) -> None:
        before = self.jobs.get(job.id)
        if before is not None:
            self._count(before, -1)
        if has_ended(job.state):
            self.jobs.pop(job.id, None)
            self._unmet.pop(job.id, None)
            self._dependents.pop(job.id, None)
        else:
            self.jobs[job.id] = job
            self._count(job, 1)
        self._follow_flight(job)

    def _follow_flight(self, job: Job) -> None:
        was, flies = self._in_flight.get(job.id), is_in_flight(job.state)
        if flies:
            self._in_flight[job.id] = job
            # One commit may have the end of an attempt at one place, and the launch of the next at another.
            if was is not None and was.place == job.place:
                return
        if was is not None:
            if not flies:
                del self._in_flight[job.id]
            self._flying[was.place] -= 1
            give_back(self._used[was.place], job.policy.needs)
        if flies:
            self._flying[job.place] += 1
            take(self._used.setdefault(job.place, {}), job.policy.needs)

    def _count(self, job: Job, step: int) -> None:
        self.counts[NAMES[type(job.state)]] += step

    def job(self, job: int, /) -> Job | None:
        """A live job from memory, another from the store."""
        found = self.jobs.get(job)
        return found if found is not None or job >= self._next_job else self._stored.job(job)

    def attempt(self, key: tuple[int, int], /) -> Attempt | None:
        """See `Base`."""
        found = self._attempts.get(key[0])
        if found is not None and found.number == key[1]:
            return found
        stored = self._stored.attempt(key)
        flying = self._in_flight.get(key[0])
        if stored is not None and flying is not None and flying.attempt == key[1]:
            self._attempts[key[0]] = stored  # of an earlier supervisor; it comes up again when it ends
        return stored

    def target(self, name: str, /) -> Target | None:
        """See `Base`."""
        return self._targets.get(name)

    def targets(self) -> list[Target]:
        """See `Base`; by name."""
        return [self._targets[name] for name in sorted(self._targets)]

    def limit(self, name: str, /) -> Limit | None:
        """See `Base`."""
        return self.limits.get(name)

    def mark(self, key: str, /) -> RateMark | None:
        """See `Base`."""
        return self._stored.mark(key)

    def marks(self) -> list[RateMark]:
        """All rate marks; read once at a start."""
        return self._stored.marks()

    def flow(self, flow: str, /) -> Flow | None:
        """See `Base`."""
        return self._stored.flow(flow)

    def batch(self, name: str, /) -> Batch | None:
        """See `Base`."""
        return self._stored.batch(name)

    def step(self, place: tuple[str, str], /) -> str | None:
        """See `Base`."""
        return self._stored.step(place)

    def shared(self, policy: Policy, /) -> Policy:
        """See `Base`."""
        return self._stored.shared(policy)

    def dependents(self, job: int, /) -> Sequence[Dependency]:
        """From memory for a live job; for one that has ended (a retry asks) from the store."""
        if job in self.jobs:
            return self._dependents.get(job, _NONE)
        return self._stored.dependents(job) if job < self._next_job else _NONE

    def dependencies(self, job: int, /) -> Sequence[Dependency]:
        """See `Base`."""
        return self._stored.dependencies(job) if job < self._next_job else _NONE

    def unmet(self, job: int, /) -> int | None:
        """See `Base`."""
        return self._unmet.get(job)

    def used(self, target: str, /) -> dict[str, int]:
        """See `Base`."""
        return dict(self._used.get(target, {}))

    def in_flight(self, target: str, /) -> Sequence[Job]:
        """See `Base`."""
        return [job for job in self._in_flight.values() if job.place == target]

    def all_in_flight(self) -> Iterable[Job]:
        """The jobs that have an attempt in flight anywhere."""
        return self._in_flight.values()

    def flying(self, target: str) -> int:
        """How many attempts are in flight on the target."""
        return self._flying[target]

    def next_job(self) -> int:
        """See `Base`."""
        return self._next_job

    def next_flow(self) -> int:
        """See `Base`."""
        return self._next_flow

    def jobs_by_key(self, keys: Iterable[str], /) -> dict[str, int]:
        """See `Base`."""
        return self._stored.jobs_by_key(keys)

    def unfinished_flow(self, digest: str, /) -> str | None:
        """See `Base`."""
        return self._stored.unfinished_flow(digest)
