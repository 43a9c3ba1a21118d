"""The fold: how an event changes records. The only way state changes, live, in a rebuild and in an audit."""

from __future__ import annotations

from typing import Protocol, TypeVar, assert_never

from msgspec.structs import replace

from .errors import IllegalMove
from .facts import (
    AttemptEnded,
    AttemptLaunched,
    AttemptReached,
    AttemptRevoked,
    AttemptStarted,
    AttemptUnreachable,
    CancelRequested,
    Event,
    FlowSubmitted,
    HomeCreated,
    HomeEvent,
    JobCancelled,
    JobEvent,
    JobHeld,
    JobPrioritised,
    JobReady,
    JobReleased,
    JobRetried,
    JobSkipped,
    JobSubmitted,
    LimitConfigured,
    OfJob,
    SupervisorStarted,
    SupervisorStopped,
    TargetAttached,
    TargetConfigured,
    TargetPaused,
    TargetResumed,
)
from .lifecycle import first_state, move
from .records import Attempt, Ended, Flow, Job, Launched, Limit, Policy, RateMark, Revoked, Started, Target
from .spec import JobSpec
from .states import JobState

Key_contra = TypeVar("Key_contra", contravariant=True)
Record = TypeVar("Record")


class Table(Protocol[Key_contra, Record]):
    """Records of one kind by key: what `evolve` reads and puts."""

    def get(self, key: Key_contra, /) -> Record | None:
        """The record, or None if there is none."""
        ...

    def put(self, key: Key_contra, record: Record, /) -> None:
        """Set the record."""
        ...


class Records(Protocol):
    """All the tables that events change."""

    @property
    def jobs(self) -> Table[int, Job]:
        """Jobs by id."""
        ...

    @property
    def attempts(self) -> Table[tuple[int, int], Attempt]:
        """Attempts by (job, number)."""
        ...

    @property
    def targets(self) -> Table[str, Target]:
        """Targets by name."""
        ...

    @property
    def limits(self) -> Table[str, Limit]:
        """Limits by name."""
        ...

    @property
    def marks(self) -> Table[str, RateMark]:
        """Rate marks by limit key."""
        ...

    @property
    def flows(self) -> Table[str, Flow]:
        """Flows by id."""
        ...

    def shared(self, policy: Policy, /) -> Policy:
        """The one object that stands for all policies equal to this one."""
        ...


def evolve(records: Records, event: Event, time: int) -> None:
    """Apply `event`, recorded at `time` (microseconds), to `records`.

    Raises IllegalMove, before anything is changed, if it can't happen to what is there.
    """
    if isinstance(event, JobSubmitted):
        _submitted(records, event, time)
    elif isinstance(event, OfJob):
        _evolve_job(records, event, time)
    else:
        _evolve_home(records, event)


def policy_of(spec: JobSpec) -> Policy:
    """What scheduling must know of a job asked for like this."""
    needs = spec.needs.items()
    return Policy(
        spec.target,
        tuple(sorted(needs) if len(needs) > 1 else needs),
        spec.limits,
        spec.retries,
        spec.retry_on,
        spec.retry_delay_us,
        spec.retry_delay_max_us,
    )


def _submitted(records: Records, event: JobSubmitted, time: int) -> None:
    if records.jobs.get(event.job) is not None:
        message = f"job {event.job} was submitted twice"
        raise IllegalMove(message)
    policy = records.shared(policy_of(event.spec))
    records.jobs.put(event.job, Job(event.job, policy, first_state(event.state, time), event.spec.priority))


def _evolve_job(records: Records, event: JobEvent, time: int) -> None:
    job = records.jobs.get(event.job)
    if job is None:
        message = f"there is no job {event.job} for {type(event).__name__} to happen to"
        raise IllegalMove(message)
    state = move(job.state, event, time)
    match event:
        case AttemptLaunched(attempt=number):
            _launch(records, job, event, time)
            changed = Job(job.id, job.policy, state, job.priority, number, job.failures)
        case AttemptEnded():
            _change_attempt(records, job, event.attempt, Ended(event.outcome))
            changed = Job(job.id, job.policy, state, job.priority, job.attempt, job.failures + 1)
        case JobReady() | JobSkipped():
            changed = _with_state(job, state)
        case AttemptStarted():
            _change_attempt(records, job, event.attempt, Started(event.started_at, event.process, event.output))
            changed = _with_state(job, state)
        case AttemptRevoked():
            _change_attempt(records, job, event.attempt, Revoked(event.reason))
            changed = _with_state(job, state)
        case AttemptUnreachable() | AttemptReached():
            _newest_attempt(records, job, event.attempt)
            changed = _with_state(job, state)
        case JobPrioritised(priority=priority):
            changed = replace(job, priority=priority)
        case JobRetried():
            changed = replace(job, state=state, failures=0)
        case JobHeld() | JobReleased() | JobCancelled() | CancelRequested() | JobSubmitted():
            changed = _with_state(job, state)
        case _:
            assert_never(event)
    records.jobs.put(job.id, changed)


def _with_state(job: Job, state: JobState) -> Job:
    return Job(job.id, job.policy, state, job.priority, job.attempt, job.failures)


def _launch(records: Records, job: Job, event: AttemptLaunched, time: int) -> None:
    if event.attempt != job.attempt + 1:
        message = f"job {job.id}: attempt {event.attempt} can't follow attempt {job.attempt}"
        raise IllegalMove(message)
    attempt = Attempt(job.id, event.attempt, event.token, event.target, time, Launched())
    records.attempts.put((job.id, event.attempt), attempt)
    for key, arrival_at in event.grants.items():
        records.marks.put(key, RateMark(key, arrival_at))


def _change_attempt(records: Records, job: Job, number: int, phase: Started | Ended | Revoked) -> None:
    attempt = _newest_attempt(records, job, number)
    changed = Attempt(job.id, number, attempt.token, attempt.target, attempt.launched_at, phase)
    records.attempts.put((job.id, number), changed)


def _newest_attempt(records: Records, job: Job, number: int) -> Attempt:
    attempt = records.attempts.get((job.id, number))
    if attempt is None or number != job.attempt or isinstance(attempt.phase, Ended | Revoked):
        message = f"job {job.id}: attempt {number} is not in flight, so nothing can happen to it"
        raise IllegalMove(message)
    return attempt


def _evolve_home(records: Records, event: HomeEvent) -> None:
    match event:
        case TargetConfigured(target=name, capacity=capacity):
            records.targets.put(name, replace(_target(records, name), capacity=capacity))
        case TargetAttached(target=name, journal=journal, boot=boot, pid=pid):
            records.targets.put(name, replace(_target(records, name), journal=journal, boot=boot, pid=pid))
        case TargetPaused(target=name):
            records.targets.put(name, replace(_target(records, name), paused=True))
        case TargetResumed(target=name):
            records.targets.put(name, replace(_target(records, name), paused=False))
        case LimitConfigured(limit=name, spec=spec, arrivals=arrivals):
            records.limits.put(name, Limit(name, spec))
            for key, arrival_at in arrivals.items():
                records.marks.put(key, RateMark(key, arrival_at))
        case FlowSubmitted(flow=flow, number=number, jobs=jobs, digest=digest):
            records.flows.put(flow, Flow(flow, number, jobs, digest))
        case HomeCreated() | SupervisorStarted() | SupervisorStopped():
            pass  # facts for readers of the log; no record hangs on them


def _target(records: Records, name: str) -> Target:
    return records.targets.get(name) or Target(name)
