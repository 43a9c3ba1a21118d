"""What the end of a job means for those that depend on it: ready, skipped, or one dependency fewer to wait for."""

from __future__ import annotations

from .draft import PREVIOUS, Dependency, Draft
from .facts import JobReady, JobSkipped
from .graph import Verdict, judge
from .states import FinalState, Held, Waiting, has_ended, name_of


def settle(draft: Draft, ended: int, cause: int | None = PREVIOUS) -> None:
    """Follow the end of job `ended`, recorded as `cause`, through all that depend on it, however deep."""
    todo = [(ended, cause)]
    while todo:
        needed, why = todo.pop()
        job = draft.jobs.get(needed)
        assert job is not None, f"job {needed} ended without existing"
        assert has_ended(job.state), f"job {needed} is settled before its end"
        for dependency in draft.dependents(needed):
            skipped = _follow(draft, dependency, job.state, why)
            if skipped is not None:
                todo.append((dependency.job, skipped))


def _follow(draft: Draft, dependency: Dependency, end: FinalState, cause: int | None) -> int | None:
    """One dependency of a job that ended; returns the cause for those further down if the dependent was skipped."""
    job = draft.jobs.get(dependency.job)
    if job is None or not (type(job.state) is Waiting or type(job.state) is Held):
        return None
    verdict = judge(dependency.kind, end)
    if verdict is not Verdict.MET:
        return skip(draft, dependency, end, cause, unneeded=verdict is Verdict.UNNEEDED)
    left = draft.unmet_count(dependency.job) - 1
    draft.unmet[dependency.job] = left
    if left == 0 and type(job.state) is Waiting:
        draft.record_job(JobReady(dependency.job), cause)
    return None


def skip(draft: Draft, dependency: Dependency, end: FinalState, cause: int | None, *, unneeded: bool) -> int:
    """Skip a job whose dependency can't be met any more; returns the entry as a cause."""
    reason = f"{dependency.kind.key} job {dependency.needed}, which {_ending(end)}"
    return draft.record_job(JobSkipped(dependency.job, dependency.needed, reason, unneeded), cause)


def _ending(end: FinalState) -> str:
    name = name_of(end)
    return name if name in {"succeeded", "failed"} else f"was {name}"


def resolve(draft: Draft, job: int) -> None:
    """Bring a job that was just put to `waiting` to where the ends of its dependencies, if any came before, put it."""
    for dependency in draft.dependencies_of(job):
        needed = draft.jobs.get(dependency.needed)
        if needed is not None and has_ended(needed.state):
            verdict = judge(dependency.kind, needed.state)
            if verdict is not Verdict.MET:
                unneeded = verdict is Verdict.UNNEEDED
                settle(draft, job, skip(draft, dependency, needed.state, PREVIOUS, unneeded=unneeded))
                return
