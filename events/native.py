"""Dependencies that a cluster sees to itself: which waiting jobs may go to its queue behind what they wait for.

So a chain goes on there while nobody looks. A dependency is left to the cluster only where it judges the end as
`graph.judge` does, or more strictly: what it then doesn't start is taken back, and waits here as any other job.

| here           | there      | |
|----------------|------------|-|
| `after`        | `afterok`  | |
| `after_any`    | `afterany` | if this is the last try of what is needed: the cluster knows nothing of retries |
| `after_failed` |            | never: `afternotok` is met by a cancel and by a failed node as well |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from .draft import Draft
from .graph import Kind, Verdict, judge
from .records import Job, Revoked, Target
from .spec import JobSpec
from .states import FINAL, Launching, Running, Waiting

MOST: Final = 1_000
"""One that waits for more attempts than that waits for them here."""


def keeps_dependencies(target: Target) -> bool:
    """Whether dependencies between jobs of this target are given to it."""
    slurm = target.slurm
    return target.is_cluster and slurm is not None and slurm.native_dependencies and slurm.pilot is None


def behind(draft: Draft, job: Job, is_there: Callable[[Job], bool]) -> dict[str, str] | None:
    """The attempts in flight that the job's cluster can wait for in its place, as `AttemptLaunched.after`; else None.

    `is_there`: whether the cluster has an attempt in flight, under an id that is known.
    """
    if not isinstance(job.state, Waiting) or job.policy.limits:
        return None
    after: dict[str, str] = {}
    for dependency in draft.dependencies_of(job.id):
        needed = draft.jobs.get(dependency.needed)
        if needed is None:
            return None
        if isinstance(needed.state, FINAL):
            if judge(dependency.kind, needed.state) is not Verdict.MET:
                return None
            continue
        if not _can_follow(dependency.kind, needed) or needed.place != job.policy.target or not is_there(needed):
            return None
        token = f"{draft.base.home}.{needed.id}.{needed.attempt}"
        if after.get(token) != Kind.AFTER.key:  # which asks for more than the other
            after[token] = dependency.kind.key
    return after if 0 < len(after) <= MOST else None


def was_refused(draft: Draft, job: Job, after: Mapping[str, str]) -> bool:
    """Whether the job was behind just these before, and was taken back."""
    before = draft.attempts.get((job.id, job.attempt))
    return before is not None and isinstance(before.phase, Revoked) and before.after == after


def has_files(spec: JobSpec, needed: Iterable[JobSpec]) -> bool:
    """Whether files have to be here, or there, between the ends of those needed and the job's start."""
    return bool(spec.inputs) or any(each.outputs for each in needed)


def _can_follow(kind: Kind, needed: Job) -> bool:
    if not isinstance(needed.state, Launching | Running) or needed.state.cancelling:
        return False
    match kind:
        case Kind.AFTER:
            return True
        case Kind.AFTER_ANY:
            return needed.failures >= needed.policy.retries
        case Kind.AFTER_FAILED:
            return False
