"""The fold: how an event changes records. The only way state changes, live, in a rebuild and in an audit."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

from msgspec.structs import astuple, replace

from . import allocations, batches
from .errors import IllegalMove
from .facts import (
    AllocationEnded,
    AllocationGranted,
    AllocationReleased,
    AllocationRequested,
    AllocationRetired,
    AttemptBatched,
    AttemptEnded,
    AttemptLaunched,
    AttemptProgressed,
    AttemptReached,
    AttemptRevoked,
    AttemptStarted,
    AttemptUnreachable,
    BatchAbsent,
    BatchClosed,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
    DialRequested,
    Event,
    FilesStaged,
    FlowSubmitted,
    HomeCreated,
    HomeEvent,
    HostChanged,
    HostTrusted,
    JobEvent,
    JobPrioritised,
    JobRetried,
    JobSubmitted,
    LimitConfigured,
    OfJob,
    StepRecorded,
    SupervisorStarted,
    SupervisorStopped,
    TargetAttached,
    TargetConfigured,
    TargetPaused,
    TargetResumed,
)
from .hosts import IDLE
from .lifecycle import first_state, move
from .records import Attempt, Batch, Ended, Flow, Job, Launched, Limit, Policy, RateMark, Revoked, Started, Target
from .spec import DEFAULT_NEEDS, FUNCTIONS, JobSpec

_LAUNCHED: Final = Launched()
_POLICY: Final = Policy()
_POLICY_VALUES: Final = astuple(_POLICY)
_POLICY_OF_CALLS: Final = Policy(FUNCTIONS, (("calls", 1),))

# What happens to an attempt in flight and leaves it there, or takes it back.
_IN_FLIGHT: Final = (
    AttemptStarted,
    AttemptProgressed,
    FilesStaged,
    AttemptBatched,
    AttemptRevoked,
    AttemptUnreachable,
    AttemptReached,
)

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

    @property
    def batches(self) -> Table[str, Batch]:
        """Batches by name."""
        ...

    def shared(self, policy: Policy, /) -> Policy:
        """The one object that stands for all policies equal to this one."""
        ...


def evolve(records: Records, event: Event, time: int) -> None:
    """Apply `event`, recorded at `time` (microseconds), to `records`.

    Raises IllegalMove, before anything is changed, if it can't happen to what is there.
    """
    # The three that nearly every job has come first, asked for with `is`: see `lifecycle`.
    if type(event) is AttemptLaunched:
        _launched(records, event, time)
    elif type(event) is AttemptEnded:
        _ended(records, event, time)
    elif type(event) is JobSubmitted:
        _submitted(records, event, time)
    elif isinstance(event, OfJob):
        _evolve_job(records, event, time)
    else:
        _evolve_home(records, event, time)


def policy_of(spec: JobSpec) -> Policy:
    """What scheduling must know of a job asked for like this; equal ones have one text, see `Policy`."""
    policy = Policy(
        spec.target,
        _POLICY.needs if spec.needs == DEFAULT_NEEDS else tuple(sorted(spec.needs.items())),
        spec.limits,
        spec.retries,
        spec.retry_on,
        spec.retry_delay_us,
        spec.retry_delay_max_us,
    )
    if policy == _POLICY:  # as most are
        return _POLICY
    if policy == _POLICY_OF_CALLS:  # as most others
        return _POLICY_OF_CALLS
    pairs = zip(astuple(policy), _POLICY_VALUES, strict=True)
    return Policy(*[default if value == default else value for value, default in pairs])


def phase_of(event: Event) -> Launched | Started | Ended | Revoked | None:
    """The phase that an event puts its attempt in; None if it leaves that as it is."""
    if type(event) is AttemptEnded:
        return Ended(event.outcome)
    if type(event) is AttemptLaunched:
        return _LAUNCHED
    if type(event) is AttemptStarted:
        return Started(event.started_at, event.process, event.output)
    if type(event) is AttemptRevoked:
        return Revoked(event.reason)
    return None


def _submitted(records: Records, event: JobSubmitted, time: int) -> None:
    number = event.job
    if records.jobs.get(number) is not None:
        message = f"job {number} was submitted twice"
        raise IllegalMove(message)
    state = first_state(event.state, time)
    spec = event.spec
    records.jobs.put(number, Job(number, records.shared(policy_of(spec)), state, spec.priority))


def _launched(records: Records, event: AttemptLaunched, time: int) -> None:
    job = records.jobs.get(event.job)
    if job is None:
        raise _no_job(event)
    state = move(job.state, event, time)
    number = event.attempt
    if number != job.attempt + 1:
        message = f"job {job.id}: attempt {number} can't follow attempt {job.attempt}"
        raise IllegalMove(message)
    attempt = Attempt(job.id, number, event.token, event.target, time, _LAUNCHED, event.after)
    records.attempts.put((job.id, number), attempt)
    if event.grants:
        for key, arrival_at in event.grants.items():
            records.marks.put(key, RateMark(key, arrival_at))
    place = "" if event.target == job.policy.target else event.target
    records.jobs.put(job.id, Job(job.id, job.policy, state, job.priority, number, job.failures, place))


def _ended(records: Records, event: AttemptEnded, time: int) -> None:
    job = records.jobs.get(event.job)
    if job is None:
        raise _no_job(event)
    state = move(job.state, event, time)
    _change_attempt(records, job, event.attempt, Ended(event.outcome))
    failures = job.failures + 1
    records.jobs.put(job.id, Job(job.id, job.policy, state, job.priority, job.attempt, failures, job.allocation))


def _evolve_job(records: Records, event: JobEvent, time: int) -> None:
    job = records.jobs.get(event.job)
    if job is None:
        raise _no_job(event)
    state = move(job.state, event, time)
    priority, failures = job.priority, job.failures
    if isinstance(event, _IN_FLIGHT):
        _change_attempt(records, job, event.attempt, phase_of(event))
    elif type(event) is JobPrioritised:
        priority = event.priority
    elif type(event) is JobRetried:
        failures = 0
    records.jobs.put(job.id, Job(job.id, job.policy, state, priority, job.attempt, failures, job.allocation))


def _no_job(event: JobEvent) -> IllegalMove:
    return IllegalMove(f"there is no job {event.job} for {type(event).__name__} to happen to")


def _change_attempt(
    records: Records, job: Job, number: int, phase: Launched | Started | Ended | Revoked | None
) -> None:
    """Put the job's newest attempt, which must be in flight, into a phase; None leaves it as it is."""
    key = job.id, number
    attempt = records.attempts.get(key)
    if attempt is None or number != job.attempt or type(attempt.phase) is Ended or type(attempt.phase) is Revoked:
        message = f"job {job.id}: attempt {number} is not in flight, so nothing can happen to it"
        raise IllegalMove(message)
    if phase is not None:
        changed = Attempt(job.id, number, attempt.token, attempt.target, attempt.launched_at, phase, attempt.after)
        records.attempts.put(key, changed)


def _evolve_home(records: Records, event: HomeEvent, time: int) -> None:
    match event:
        case TargetConfigured(target=name, capacity=capacity, ssh=ssh, slurm=slurm):
            records.targets.put(name, replace(_target(records, name), capacity=capacity, ssh=ssh, slurm=slurm))
        case TargetAttached(target=name, journal=journal, boot=boot, pid=pid):
            records.targets.put(name, replace(_target(records, name), journal=journal, boot=boot, pid=pid))
        case TargetPaused(target=name):
            records.targets.put(name, replace(_target(records, name), paused=True))
        case TargetResumed(target=name):
            records.targets.put(name, replace(_target(records, name), paused=False))
        case HostChanged(target=name, host=host):
            records.targets.put(name, replace(_target(records, name), host=host))
        case HostTrusted(target=name, key=key):
            target = _target(records, name)
            # With the key nothing stands in its way any more, also for a supervisor that starts only after this.
            records.targets.put(name, replace(target, trusted=(*target.trusted, key), host=IDLE))
        case LimitConfigured(limit=name, spec=spec, arrivals=arrivals):
            records.limits.put(name, Limit(name, spec))
            for key, arrival_at in arrivals.items():
                records.marks.put(key, RateMark(key, arrival_at))
        case FlowSubmitted(flow=flow, number=number, jobs=jobs, digest=digest):
            records.flows.put(flow, Flow(flow, number, jobs, digest))
        case (
            BatchPlanned(batch=batch)
            | BatchSubmitted(batch=batch)
            | BatchUnclear(batch=batch)
            | BatchAbsent(batch=batch)
            | BatchWaits(batch=batch)
            | BatchClosed(batch=batch)
        ):
            records.batches.put(batch, batches.follow(records.batches.get(batch), event, time))
        case AllocationRequested(allocation=name):
            records.targets.put(name, allocations.ask(records.targets.get(name), event, time))
        case (
            AllocationGranted(allocation=name)
            | AllocationReleased(allocation=name)
            | AllocationEnded(allocation=name)
            | AllocationRetired(allocation=name)
        ):
            records.targets.put(name, allocations.follow(records.targets.get(name), event, time))
        case HomeCreated() | SupervisorStarted() | SupervisorStopped() | StepRecorded() | DialRequested():
            pass  # facts for readers of the log; no record hangs on them


def _target(records: Records, name: str) -> Target:
    return records.targets.get(name) or Target(name)
