"""One tick's working copy: what `decide` reads and writes before anything is committed.

A draft sees the committed state through `Base` and keeps every change to itself. If the commit is refused, it is
dropped and nothing has happened. Beside the records it keeps what follows from them and planning needs at once: what
each target has in use, which dependencies are still unmet, which jobs became ready.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from msgspec import Struct

from .backoff import Uniform
from .capacity import give_back, take
from .errors import BadInput
from .evolve import evolve
from .facts import Event, HomeEvent, JobEvent
from .graph import Kind, Verdict, judge
from .records import Attempt, Batch, Flow, Job, Limit, Policy, RateMark, Target
from .states import Ready, has_ended, is_in_flight

K = TypeVar("K")
V = TypeVar("V")

# `Entry.cause`: a positive number is a seq; a negative one, -n, is the n-th entry of the same commit.
ROOT: Final = None
PREVIOUS: Final = 0  # the event that the job (of a job event) had last before this one


class Entry(Struct, frozen=True, gc=False):
    """An event to be committed, who did it, and what caused it (ROOT: the author's own wish)."""

    event: Event
    author: str
    cause: int | None


class Dependency(Struct, frozen=True, gc=False):
    """Job `job` depends on job `needed` in this way."""

    job: int
    needed: int
    kind: Kind


class Base(Protocol):
    """The committed state that a draft starts from; the scheduler's memory, or the store itself."""

    @property
    def home(self) -> str:
        """The home's id."""
        ...

    def job(self, job: int, /) -> Job | None:
        """The job, ended or not."""
        ...

    def attempt(self, key: tuple[int, int], /) -> Attempt | None:
        """The attempt (job, number); at least the newest of each job in flight."""
        ...

    def target(self, name: str, /) -> Target | None:
        """The target."""
        ...

    def targets(self) -> Sequence[Target]:
        """All targets."""
        ...

    def limit(self, name: str, /) -> Limit | None:
        """The limit."""
        ...

    def mark(self, key: str, /) -> RateMark | None:
        """The rate mark of a limit's key."""
        ...

    def marks(self) -> list[RateMark]:
        """All rate marks."""
        ...

    def flow(self, flow: str, /) -> Flow | None:
        """The flow."""
        ...

    def batch(self, name: str, /) -> Batch | None:
        """The batch."""
        ...

    def step(self, place: tuple[str, str], /) -> str | None:
        """The result that was recorded for a step, by its name and key."""
        ...

    def shared(self, policy: Policy, /) -> Policy:
        """The one object that stands for all policies equal to this one."""
        ...

    def dependents(self, job: int, /) -> Sequence[Dependency]:
        """What depends on `job`, ended or not: what has ended may be retried in this very draft."""
        ...

    def dependencies(self, job: int, /) -> Sequence[Dependency]:
        """What `job` depends on."""
        ...

    def unmet(self, job: int, /) -> int | None:
        """How many dependencies of a waiting or held job are not met, or None if it is not kept: count them then."""
        ...

    def used(self, target: str, /) -> dict[str, int]:
        """A copy of what the attempts in flight on `target` need in sum."""
        ...

    def in_flight(self, target: str, /) -> Sequence[Job]:
        """The jobs that have an attempt in flight on `target`."""
        ...

    def next_job(self) -> int:
        """The id that the next job gets."""
        ...

    def next_flow(self) -> int:
        """The number that the next flow gets."""
        ...

    def jobs_by_key(self, keys: Iterable[str], /) -> dict[str, int]:
        """The jobs that were submitted with these keys."""
        ...

    def unfinished_flow(self, digest: str, /) -> str | None:
        """The newest flow of this digest that still has unfinished jobs."""
        ...


class Overlay(Generic[K, V]):
    """A table of records: changes over what is committed."""

    __slots__ = ("_base", "changed")

    def __init__(self, base: Callable[[K], V | None]) -> None:
        self._base = base
        self.changed: dict[K, V] = {}

    def get(self, key: K, /) -> V | None:
        """The record as it is after the changes."""
        found = self.changed.get(key)
        return self._base(key) if found is None else found

    def put(self, key: K, record: V, /) -> None:
        """Change it, over what is committed."""
        self.changed[key] = record


class _Jobs(Overlay[int, Job]):
    """The jobs; what follows from a change of one is kept up at once.

    It does not know its draft: whoever lets go of a draft, however large, has its memory back at once.
    """

    __slots__ = ("_base_used", "_used", "changed_targets", "ready", "released")

    def __init__(self, base: Base) -> None:
        super().__init__(base.job)
        self._base_used = base.used
        self._used: dict[str, dict[str, int]] = {}
        self.ready: list[Job] = []
        self.released: list[Job] = []
        self.changed_targets: set[str] = set()

    def expect_new(self, first: int) -> None:
        """Jobs from `first` on are of this draft, so they are not looked for in what is committed."""
        committed: Callable[[int], Job | None] = self._base

        def before(job: int) -> Job | None:
            return None if job >= first else committed(job)

        self._base = before

    def put(self, key: int, record: Job, /) -> None:
        if record.attempt:  # else it never was in flight
            before = self.get(key)
            was = before is not None and is_in_flight(before.state)
            is_now = is_in_flight(record.state)
            if was != is_now:
                self._count_use(record, taken=is_now)
        if type(record.state) is Ready:
            self.ready.append(record)
        self.changed[key] = record

    def used(self, target: str) -> dict[str, int]:
        """What attempts in flight on the target need in sum."""
        used = self._used.get(target)
        if used is None:
            used = self._used[target] = self._base_used(target)
        return used

    def _count_use(self, job: Job, *, taken: bool) -> None:
        """Follow an attempt into flight or out of it."""
        place = job.place
        self.changed_targets.add(place)
        if taken:
            take(self.used(place), job.policy.needs)
        else:
            give_back(self.used(place), job.policy.needs)
            self.released.append(job)


class Draft:
    """One tick's events, and the records as they are after them."""

    def __init__(self, base: Base, now: int, random: Uniform, author: str) -> None:
        """`now`: the tick's time, microseconds since the epoch. `author`: who does what `record` names nobody for."""
        self.base = base
        self.now = now
        self.random = random
        self.author = author
        self.entries: list[Entry] = []
        self.jobs = _Jobs(base)
        # Annotated, not `Overlay[str, Target](...)`: subscripting costs a microsecond, and every tick has a draft.
        self.attempts: Overlay[tuple[int, int], Attempt] = Overlay(base.attempt)
        self.targets: Overlay[str, Target] = Overlay(base.target)
        self.limits: Overlay[str, Limit] = Overlay(base.limit)
        self.marks: Overlay[str, RateMark] = Overlay(base.mark)
        self.flows: Overlay[str, Flow] = Overlay(base.flow)
        self.batches: Overlay[str, Batch] = Overlay(base.batch)
        self.ready = self.jobs.ready
        self.released = self.jobs.released
        self.edges: dict[int, list[Dependency]] = {}
        self.dependencies: dict[int, tuple[Dependency, ...]] = {}
        self.unmet: dict[int, int] = {}
        self.acknowledged: dict[str, list[str]] = {}
        """By target: attempts whose end it need not keep any longer."""
        self.keys: dict[str, int] = {}
        self.steps: dict[tuple[str, str], str] = {}
        self.new_jobs = 0
        self.new_flows = 0
        self.changed_targets = self.jobs.changed_targets
        """Targets whose use changed in this draft."""
        self._flows_by_digest: dict[str, list[tuple[str, range]]] = {}
        self._last: dict[int, int] = {}
        self._policy: tuple[Policy, Policy] | None = None

    def shared(self, policy: Policy, /) -> Policy:
        """The one object that stands for all policies equal to this one."""
        last = self._policy
        if last is None or policy is not last[0]:  # else that of the job before it, as most are
            last = self._policy = policy, self.base.shared(policy)
        return last[1]

    def record(self, event: HomeEvent, cause: int | None = ROOT, author: str | None = None) -> int:
        """Let `event` happen in this draft; returns what later entries of it name as their cause.

        Raises IllegalMove, with nothing changed, if it can't happen.
        """
        evolve(self, event, self.now)
        self.entries.append(Entry(event, author or self.author, cause))
        return -len(self.entries)

    def record_job(self, event: JobEvent, cause: int | None = PREVIOUS, author: str | None = None) -> int:
        """The same for a job's event, which by default is caused by the job's previous one."""
        evolve(self, event, self.now)
        if cause == PREVIOUS:
            cause = self._last.get(event.job, PREVIOUS)
        self.entries.append(Entry(event, author or self.author, cause))
        entry = self._last[event.job] = -len(self.entries)
        return entry

    def known_job(self, job: int) -> Job:
        """The job. Raises BadInput if there is none."""
        found = self.jobs.get(job)
        if found is None:
            raise BadInput(f"there is no job {job} in this home", remedy="`holdfast jobs` lists them")
        return found

    def used(self, target: str) -> dict[str, int]:
        """What attempts in flight on the target need in sum, in this draft; not to be changed."""
        return self.jobs.used(target)

    def add_dependencies(self, job: int, dependencies: Sequence[Dependency]) -> None:
        """A job that is being submitted depends on others in these ways."""
        # Python's collector of garbage goes over lists again and again, but drops a tuple of these at the first look.
        self.dependencies[job] = tuple(dependencies)
        for each in dependencies:
            self.edges.setdefault(each.needed, []).append(each)

    def dependents(self, job: int) -> Sequence[Dependency]:
        """What depends on `job`, in this draft."""
        committed = self.base.dependents(job)
        new = self.edges.get(job)
        return [*committed, *new] if new else committed

    def dependencies_of(self, job: int) -> Sequence[Dependency]:
        """What `job` depends on."""
        return self.dependencies.get(job) or self.base.dependencies(job)

    def unmet_count(self, job: int) -> int:
        """How many dependencies of a waiting or held job are not met, as far as ends were followed (see `settle`)."""
        count = self.unmet.get(job)
        if count is None:
            count = self.base.unmet(job)
        if count is None:
            # Ends of this very draft are followed one by one, each taking one off. So count without them.
            count = _count_unmet(self.base.dependencies(job), self.base.job)
        return count

    def recount(self, job: int, again: Container[int] = ()) -> int:
        """Count a job's unmet dependencies afresh; jobs `again` count as not ended, whatever their record says."""
        count = _count_unmet(self.dependencies_of(job), self.jobs.get, again)
        self.unmet[job] = count
        return count

    def jobs_by_key(self, keys: Sequence[str]) -> dict[str, int]:
        """The jobs that were submitted with these keys, before this draft or in it."""
        return self.base.jobs_by_key(keys) | {key: self.keys[key] for key in keys if key in self.keys}

    def add_flow(self, digest: str, flow: str, jobs: range) -> None:
        """A flow with this digest was submitted; `jobs` are its new ones."""
        self._flows_by_digest.setdefault(digest, []).append((flow, jobs))

    def unfinished_flow(self, digest: str) -> str | None:
        """The newest flow of this digest that still has unfinished jobs."""
        for flow, jobs in reversed(self._flows_by_digest.get(digest, ())):
            if any(not has_ended(self.known_job(job).state) for job in jobs):
                return flow
        return self.base.unfinished_flow(digest)


def _count_unmet(
    dependencies: Sequence[Dependency], job: Callable[[int], Job | None], again: Container[int] = ()
) -> int:
    count = 0
    for each in dependencies:
        needed = job(each.needed)
        assert needed is not None, f"job {each.job} depends on job {each.needed}, which does not exist"
        state = needed.state
        if each.needed in again or not has_ended(state) or judge(each.kind, state) is not Verdict.MET:
            count += 1
    return count
