"""What people may do to jobs, targets and limits: cancel, hold, release, prioritise, pause, resume, configure.

`retry` has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .checks import check_limit, check_priority, unknown_target
from .draft import Draft
from .facts import (
    CancelRequested,
    JobCancelled,
    JobHeld,
    JobPrioritised,
    JobReleased,
    LimitConfigured,
    TargetConfigured,
    TargetPaused,
    TargetResumed,
)
from .limits import carry_over, limit_of
from .messages import Changed, Unchanged
from .records import Job, Limit, Target
from .remote import check_targets
from .settle import resolve, settle
from .spec import HERE, LOCAL, LimitSpec, TargetSpec
from .states import (
    FINAL,
    Delayed,
    Held,
    Launching,
    Ready,
    Running,
    Unknown,
    Waiting,
    name_of,
)

# None: done; else why not.
_Result = Unchanged | None


def cancel(draft: Draft, jobs: Iterable[int]) -> Changed:
    """End these jobs; what depends on them is skipped. In flight: asked for, and recorded as ended when it has."""
    ended: list[tuple[int, int]] = []

    def one(job: Job) -> _Result:
        match job.state:
            case Waiting() | Held() | Ready() | Delayed():
                ended.append((job.id, draft.record_job(JobCancelled(job.id, "cancelled"), None)))
            case Launching(cancelling=True) | Running(cancelling=True) | Unknown(cancelling=True):
                return Unchanged(job.id, "is being cancelled already", satisfied=True)
            case Launching() | Running() | Unknown():
                draft.record_job(CancelRequested(job.id), None)
            case _:
                return Unchanged(job.id, f"has ended already ({name_of(job.state)})", satisfied=True)
        return None

    answer = _each(draft, jobs, one)
    for job, cause in ended:
        settle(draft, job, cause)
    return answer


def hold(draft: Draft, jobs: Iterable[int]) -> Changed:
    """Keep jobs from starting until they are released. What is in flight can only be cancelled."""

    def one(job: Job) -> _Result:
        match job.state:
            case Waiting():
                draft.record_job(JobHeld(job.id), None)
                return None
            case Ready() | Delayed():
                draft.record_job(JobHeld(job.id), None)
                draft.recount(job.id)  # not kept while it was ready, and a job it waited for may run again
                return None
            case Held():
                return Unchanged(job.id, "is held already", satisfied=True)
            case Launching() | Running() | Unknown():
                return Unchanged(job.id, f"is {name_of(job.state)}: too late to hold it, but it can be cancelled")
            case _:
                return Unchanged(job.id, f"has ended already ({name_of(job.state)})")

    return _each(draft, jobs, one)


def release(draft: Draft, jobs: Iterable[int]) -> Changed:
    """Let held jobs go on."""

    def one(job: Job) -> _Result:
        if isinstance(job.state, Held):
            state = "waiting" if draft.unmet_count(job.id) else "ready"
            draft.record_job(JobReleased(job.id, state), None)
            resolve(draft, job.id)  # it may have been ready, then held, and what it depends on have ended anew
            return None
        return Unchanged(job.id, f"is not held ({name_of(job.state)})", satisfied=not isinstance(job.state, FINAL))

    return _each(draft, jobs, one)


def prioritise(draft: Draft, jobs: Iterable[int], priority: int) -> Changed:
    """Set the priority of jobs that have not ended."""
    check_priority(priority)

    def one(job: Job) -> _Result:
        if isinstance(job.state, FINAL):
            return Unchanged(job.id, f"has ended already ({name_of(job.state)})")
        if job.priority == priority:
            return Unchanged(job.id, f"has the priority {priority} already", satisfied=True)
        draft.record_job(JobPrioritised(job.id, priority), None)
        return None

    return _each(draft, jobs, one)


def pause(draft: Draft, target: str | None) -> Changed:
    """Start nothing more on the target, or on any; what runs goes on."""
    changed: list[str] = []
    for name in _targets(draft, target):
        found = draft.targets.get(name)
        if found is None or not found.paused:
            draft.record(TargetPaused(name))
            changed.append(name)
    return Changed(targets=tuple(changed))


def resume(draft: Draft, target: str | None) -> Changed:
    """Let the target, or all, start attempts again."""
    changed: list[str] = []
    for name in _targets(draft, target):
        found = draft.targets.get(name)
        if found is not None and found.paused:
            draft.record(TargetResumed(name))
            changed.append(name)
    return Changed(targets=tuple(changed))


def configure(draft: Draft, given: Mapping[str, TargetSpec], limits: Mapping[str, LimitSpec]) -> Changed:
    """Set how much of some counted needs targets offer, how those of other machines are reached, and limits."""
    check_targets(draft, given)
    for name, limit in limits.items():
        check_limit(name, limit)
    changed: list[str] = []
    for name, spec in given.items():
        found = draft.targets.get(name)
        after = merged(found, spec)
        if found is None or TargetSpec(found.capacity, found.ssh, found.slurm) != after:
            draft.record(TargetConfigured(name, after.capacity, after.ssh, after.slurm))
            changed.append(name)
    return Changed(targets=tuple(changed), limits=set_limits(draft, limits, None))


def merged(target: Target | None, given: TargetSpec) -> TargetSpec:
    """A target as before, but for the needs, and the way there, that are given."""
    if target is None:
        return given
    capacity = {**target.capacity, **given.capacity}
    # Host and cluster are one way: what says either says whether there is the other.
    way = target if given.ssh is None and given.slurm is None else given
    return TargetSpec(capacity, way.ssh, way.slurm)


def set_limits(draft: Draft, limits: Mapping[str, LimitSpec], cause: int | None) -> tuple[str, ...]:
    """Record limits that were checked; returns those that were not so already."""
    changed: list[str] = []
    for name, spec in limits.items():
        before = draft.limits.get(name)
        if before is None or before.spec != spec:
            draft.record(LimitConfigured(name, spec, _carried_over(draft, before, spec)), cause)
            changed.append(name)
    return tuple(changed)


def _carried_over(draft: Draft, limit: Limit | None, spec: LimitSpec) -> dict[str, int]:
    """What is remembered of the keys of a limit that is to change."""
    if limit is None:
        return {}
    marks = (draft.marks.get(mark.key) or mark for mark in draft.base.marks() if limit_of(mark.key) == limit.name)
    return carry_over({mark.key: mark.arrival_at for mark in marks}, draft.now, limit.spec, spec)


def _targets(draft: Draft, target: str | None) -> tuple[str, ...]:
    if target is None:
        # No function was ever called in most homes.
        return tuple(dict.fromkeys((LOCAL, *(each.name for each in draft.base.targets() if each.allocation is None))))
    if not _exists(draft, target):
        raise unknown_target(target)
    return (target,)


def _exists(draft: Draft, target: str) -> bool:
    return target in HERE or draft.targets.get(target) is not None


def _each(draft: Draft, jobs: Iterable[int], one: Callable[[Job], _Result]) -> Changed:
    """Apply `one` to each job once. All ids are looked up first, so an unknown one refuses the whole command."""
    found = [draft.known_job(job) for job in dict.fromkeys(jobs)]
    changed: list[int] = []
    unchanged: list[Unchanged] = []
    for job in found:
        current = draft.jobs.get(job.id) or job
        result = one(current)
        if result is None:
            changed.append(job.id)
        else:
            unchanged.append(result)
    return Changed(tuple(changed), (), tuple(unchanged))
