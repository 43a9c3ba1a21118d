"""A `Base` in dicts that keeps every job for ever, and the fold of a log from nothing to hold it against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from holdfast.events.capacity import take
from holdfast.events.draft import Dependency, Draft
from holdfast.events.evolve import evolve
from holdfast.events.facts import Event, JobSubmitted
from holdfast.events.records import Attempt, Batch, Flow, Job, Limit, Policy, RateMark, Target
from holdfast.events.states import FINAL, IN_FLIGHT, Held, Waiting

K = TypeVar("K")
V = TypeVar("V")


class Rows(dict[K, V]):
    """A dict as a `Table`."""

    def put(self, key: K, record: V, /) -> None:
        self[key] = record


class Fold:
    """Records that events alone make, from nothing."""

    def __init__(self) -> None:
        self.jobs: Rows[int, Job] = Rows()
        self.attempts: Rows[tuple[int, int], Attempt] = Rows()
        self.targets: Rows[str, Target] = Rows()
        self.limits: Rows[str, Limit] = Rows()
        self.marks: Rows[str, RateMark] = Rows()
        self.flows: Rows[str, Flow] = Rows()
        self.batches: Rows[str, Batch] = Rows()

    def shared(self, policy: Policy, /) -> Policy:
        return policy

    def take(self, event: Event, time: int) -> None:
        """Apply the next event."""
        evolve(self, event, time)

    def tables(self) -> dict[str, dict[object, object]]:
        """All records by table and key, to be compared."""
        return {name: dict(rows) for name, rows in vars(self).items()}


class MemoryBase:
    """See `Base`. `keeps_unmet`: whether it answers `unmet`, or leaves the counting to the draft."""

    def __init__(self, home: str = "home", *, keeps_unmet: bool = True) -> None:
        self.home = home
        self.keeps_unmet = keeps_unmet
        self.records = Fold()
        self.keys: dict[str, int] = {}
        self.steps: dict[tuple[str, str], str] = {}
        self.flow_of: dict[int, str | None] = {}
        self.log: list[tuple[int, Event]] = []
        self._policies: dict[Policy, Policy] = {}
        self._dependents: dict[int, list[Dependency]] = {}
        self._dependencies: dict[int, tuple[Dependency, ...]] = {}
        self._unmet: dict[int, int] = {}
        self._in_flight: dict[int, Job] = {}

    def apply(self, draft: Draft) -> None:
        """Take over what a committed draft changed."""
        records = self.records
        records.jobs.update(draft.jobs.changed)
        records.attempts.update(draft.attempts.changed)
        records.targets.update(draft.targets.changed)
        records.limits.update(draft.limits.changed)
        records.marks.update(draft.marks.changed)
        records.flows.update(draft.flows.changed)
        records.batches.update(draft.batches.changed)
        self.keys.update(draft.keys)
        self.steps.update(draft.steps)
        for needed, edges in draft.edges.items():
            self._dependents.setdefault(needed, []).extend(edges)
        self._dependencies.update(draft.dependencies)
        self._unmet.update(draft.unmet)
        for number, job in draft.jobs.changed.items():
            self._follow(number, job)
        for entry in draft.entries:
            self.log.append((draft.now, entry.event))
            if isinstance(entry.event, JobSubmitted):
                self.flow_of[entry.event.job] = entry.event.flow

    def keep_only_what_planning_needs(self) -> None:
        """Drop what the scheduler leaves in the store: the log, each job's flow, and what a job itself depends on."""
        self.log.clear()
        self.flow_of.clear()
        self._dependencies.clear()

    def _follow(self, number: int, job: Job) -> None:
        if isinstance(job.state, IN_FLIGHT):
            self._in_flight[number] = job
        else:
            self._in_flight.pop(number, None)
        if not isinstance(job.state, Waiting | Held):
            self._unmet.pop(number, None)

    def job(self, job: int, /) -> Job | None:
        return self.records.jobs.get(job)

    def attempt(self, key: tuple[int, int], /) -> Attempt | None:
        return self.records.attempts.get(key)

    def target(self, name: str, /) -> Target | None:
        return self.records.targets.get(name)

    def targets(self) -> list[Target]:
        return list(self.records.targets.values())

    def limit(self, name: str, /) -> Limit | None:
        return self.records.limits.get(name)

    def mark(self, key: str, /) -> RateMark | None:
        return self.records.marks.get(key)

    def marks(self) -> list[RateMark]:
        return list(self.records.marks.values())

    def flow(self, flow: str, /) -> Flow | None:
        return self.records.flows.get(flow)

    def batch(self, name: str, /) -> Batch | None:
        return self.records.batches.get(name)

    def step(self, place: tuple[str, str], /) -> str | None:
        return self.steps.get(place)

    def shared(self, policy: Policy, /) -> Policy:
        return self._policies.setdefault(policy, policy)

    def dependents(self, job: int, /) -> Sequence[Dependency]:
        return self._dependents.get(job, ())

    def dependencies(self, job: int, /) -> Sequence[Dependency]:
        return self._dependencies.get(job, ())

    def unmet(self, job: int, /) -> int | None:
        return self._unmet.get(job) if self.keeps_unmet else None

    def used(self, target: str, /) -> dict[str, int]:
        used: dict[str, int] = {}
        for job in self.in_flight(target):
            take(used, job.policy.needs)
        return used

    def in_flight(self, target: str, /) -> Sequence[Job]:
        return [job for job in self._in_flight.values() if job.place == target]

    def next_job(self) -> int:
        return max(self.records.jobs, default=0) + 1

    def next_flow(self) -> int:
        return len(self.records.flows) + 1

    def jobs_by_key(self, keys: Iterable[str], /) -> dict[str, int]:
        return {key: self.keys[key] for key in keys if key in self.keys}

    def unfinished_flow(self, digest: str, /) -> str | None:
        live = {self.flow_of[number] for number, job in self.records.jobs.items() if not isinstance(job.state, FINAL)}
        same = [flow for flow in self.records.flows.values() if flow.digest == digest and flow.id in live]
        return max(same, key=lambda flow: flow.number).id if same else None
