"""The store's twin in memory: for unit tests and the simulation. Passes the same suite as the SQLite store.

Its lookups are written apart from those in SQL, so that each checks the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from holdfast.events.capacity import take
from holdfast.events.codec import TYPE_NAMES, decode_event, encode
from holdfast.events.draft import PREVIOUS, Dependency, Draft, Entry
from holdfast.events.facts import AttemptBatched, BatchPlanned, Event, HomeCreated, JobSubmitted
from holdfast.events.graph import Kind
from holdfast.events.records import Attempt, Batch, ClosedBatch, Flow, Job, Limit, Policy, RateMark, Target
from holdfast.events.spec import JobSpec
from holdfast.events.states import IN_FLIGHT, LIVE

from .contract import StoredEvent
from .views import rows_of_dependencies


class MemoryBase:
    """Committed records in dicts; see `Base` and `LiveBase` for what each method means."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.jobs: dict[int, Job] = {}
        self.attempts: dict[tuple[int, int], Attempt] = {}
        self.target_records: dict[str, Target] = {}
        self.limit_records: dict[str, Limit] = {}
        self.mark_records: dict[str, RateMark] = {}
        self.flows: dict[str, Flow] = {}
        self.submissions: dict[int, JobSubmitted] = {}
        self.keys: dict[str, int] = {}
        self.steps: dict[tuple[str, str], str] = {}
        self.batches: dict[str, Batch] = {}
        self.scripts: dict[str, str] = {}
        self.newest_batched: dict[int, AttemptBatched] = {}
        self._dependents: dict[int, list[Dependency]] = {}
        self._dependencies: dict[int, list[Dependency]] = {}
        self._policies: dict[Policy, Policy] = {}

    def apply(self, draft: Draft) -> None:
        """Take over what a committed draft changed."""
        self.jobs.update(draft.jobs.changed)
        self.attempts.update(draft.attempts.changed)
        self.target_records.update(draft.targets.changed)
        self.limit_records.update(draft.limits.changed)
        self.mark_records.update(draft.marks.changed)
        self.flows.update(draft.flows.changed)
        self.steps.update(draft.steps)
        self.batches.update(draft.batches.changed)
        for entry in draft.entries:
            match entry.event:
                case JobSubmitted():
                    self._submitted(entry.event)
                case BatchPlanned(batch=batch, script=script):
                    self.scripts[batch] = script
                case AttemptBatched(job=job):
                    self.newest_batched[job] = entry.event
                case _:
                    pass

    def _submitted(self, event: JobSubmitted) -> None:
        self.submissions[event.job] = event
        if event.spec.key is not None:
            self.keys[event.spec.key] = event.job
        for job, needed, kind in rows_of_dependencies(event):
            dependency = Dependency(job, needed, Kind(kind))
            self._dependents.setdefault(needed, []).append(dependency)
            self._dependencies.setdefault(job, []).append(dependency)

    def job(self, job: int, /) -> Job | None:
        """See `Base`."""
        return self.jobs.get(job)

    def attempt(self, key: tuple[int, int], /) -> Attempt | None:
        """See `Base`."""
        return self.attempts.get(key)

    def target(self, name: str, /) -> Target | None:
        """See `Base`."""
        return self.target_records.get(name)

    def limit(self, name: str, /) -> Limit | None:
        """See `Base`."""
        return self.limit_records.get(name)

    def mark(self, key: str, /) -> RateMark | None:
        """See `Base`."""
        return self.mark_records.get(key)

    def flow(self, flow: str, /) -> Flow | None:
        """See `Base`."""
        return self.flows.get(flow)

    def batch(self, name: str, /) -> Batch | None:
        """See `Base`."""
        return self.batches.get(name)

    def step(self, place: tuple[str, str], /) -> str | None:
        """See `Base`."""
        return self.steps.get(place)

    def shared(self, policy: Policy, /) -> Policy:
        """See `Base`."""
        return self._policies.setdefault(policy, policy)

    def dependents(self, job: int, /) -> Sequence[Dependency]:
        """See `Base`."""
        return sorted(self._dependents.get(job, ()), key=lambda each: (each.job, each.kind))

    def dependencies(self, job: int, /) -> Sequence[Dependency]:
        """See `Base`."""
        return sorted(self._dependencies.get(job, ()), key=lambda each: (each.needed, each.kind))

    def unmet(self, job: int, /) -> int | None:
        """See `Base`."""
        del job
        return None

    def used(self, target: str, /) -> dict[str, int]:
        """See `Base`."""
        used: dict[str, int] = {}
        for job in self.in_flight(target):
            take(used, job.policy.needs)
        return used

    def in_flight(self, target: str, /) -> Sequence[Job]:
        """See `Base`."""
        jobs = (self.jobs[number] for number in sorted(self.jobs))
        return [job for job in jobs if isinstance(job.state, IN_FLIGHT) and job.place == target]

    def next_job(self) -> int:
        """See `Base`."""
        return max(self.jobs, default=0) + 1

    def next_flow(self) -> int:
        """See `Base`."""
        return max((flow.number for flow in self.flows.values()), default=0) + 1

    def jobs_by_key(self, keys: Iterable[str], /) -> dict[str, int]:
        """See `Base`."""
        return {key: self.keys[key] for key in keys if key in self.keys}

    def unfinished_flow(self, digest: str, /) -> str | None:
        """See `Base`."""
        same = [flow for flow in self.flows.values() if flow.digest == digest]
        live = {self.submissions[job.id].flow for job in self.jobs.values() if isinstance(job.state, LIVE)}
        return next((f.id for f in sorted(same, key=lambda each: -each.number) if f.id in live), None)

    def live_jobs(self) -> Iterator[Job]:
        """See `LiveBase`."""
        return (self.jobs[number] for number in sorted(self.jobs) if isinstance(self.jobs[number].state, LIVE))

    def live_edges(self) -> Iterator[Dependency]:
        """See `LiveBase`."""
        for job in self.live_jobs():
            yield from self.dependents(job.id)

    def targets(self) -> list[Target]:
        """See `Base`."""
        return [self.target_records[name] for name in sorted(self.target_records)]

    def limits(self) -> list[Limit]:
        """See `LiveBase`."""
        return [self.limit_records[name] for name in sorted(self.limit_records)]

    def marks(self) -> list[RateMark]:
        """See `LiveBase`."""
        return [self.mark_records[key] for key in sorted(self.mark_records)]

    def specs(self, jobs: Sequence[int]) -> dict[int, JobSpec]:
        """See `LiveBase`."""
        return {job: self.submissions[job].spec for job in jobs if job in self.submissions}

    def secret_names(self) -> set[str]:
        """See `LiveBase`."""
        return {name for job in self.live_jobs() for name in self.submissions[job.id].spec.secrets}

    def open_batches(self, target: str) -> list[Batch]:
        """See `LiveBase`."""
        named = (self.batches[name] for name in sorted(self.batches))
        return [each for each in named if each.target == target and not isinstance(each.state, ClosedBatch)]

    def script(self, batch: str) -> str | None:
        """See `LiveBase`."""
        return self.scripts.get(batch)

    def batched(self, jobs: Sequence[int]) -> dict[int, AttemptBatched]:
        """See `LiveBase`."""
        return {job: self.newest_batched[job] for job in jobs if job in self.newest_batched}


class MemoryStore:
    """A log in a list; see `contract.Store` for what its methods promise."""

    def __init__(self, home: str, now: int, author: str = "holdfast") -> None:
        self.base = MemoryBase(home)
        self.log: list[StoredEvent] = []
        self._last: dict[int, int] = {}
        event = HomeCreated(home)
        self.log.append(StoredEvent(1, now, TYPE_NAMES[HomeCreated], event.VERSION, author, None, encode(event)))

    @property
    def seq(self) -> int:
        """The position of the newest event."""
        return len(self.log)

    def commit(self, drafts: Sequence[Draft]) -> list[int]:
        """See `contract.Store`."""
        starts: list[int] = []
        for draft in drafts:
            start = len(self.log)
            starts.append(start)
            self.log.extend(self._line(draft, entry, start, seq) for seq, entry in enumerate(draft.entries, start + 1))
            self.base.apply(draft)
        return starts

    def _line(self, draft: Draft, entry: Entry, start: int, seq: int) -> StoredEvent:
        event = entry.event
        job = getattr(event, "job", None)
        cause = entry.cause
        if cause == PREVIOUS:
            # A draft names its own entries; so what is asked for here is what the job had last before it.
            cause = self._last.get(job) if isinstance(job, int) else None
        elif cause is not None and cause < 0:
            cause = start - cause
        if isinstance(job, int):
            self._last[job] = seq
        return StoredEvent(seq, draft.now, TYPE_NAMES[type(event)], event.VERSION, entry.author, cause, encode(event))

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        """See `contract.Store`."""
        for stored in self.log[after:]:
            yield stored, decode_event(stored.type, stored.version, stored.data)

    def close(self) -> None:
        """See `contract.Store`."""
