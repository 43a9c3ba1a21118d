"""Which ready jobs to launch, and the launch itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .capacity import counted, fits, take
from .draft import Draft
from .facts import AttemptLaunched
from .limits import Grant
from .ready import TOO_LARGE, ReadyQueue
from .records import Job, Target
from .states import Ready

PATIENCE_US: Final = 60_000_000
DEPTH: Final = 100
MANY: Final = 1 << 30
NO_LIMITS: Final = Grant({})
NO_AFTER: Final[Mapping[str, str]] = {}


def plan(
    draft: Draft, queue: ReadyQueue, target: Target, ahead: int, limited_max: int = MANY, most: int = MANY
) -> list[Job]:
    """Take from the queue what fits on the target now, most urgent first.

    A job that does not fit may be overtaken by smaller ones for a minute; after that its room is kept free for it, so
    that no job starves. One that even the empty target is too small for by now is parked under `TOO_LARGE`. At most
    `DEPTH` lanes that do not fit are looked past in one tick. `ahead`: that many attempts more than fit may wait in the
    runner, except where a limit would be held in vain. `limited_max`: it stops before more jobs than that have limits,
    because each of them that is denied has been taken for nothing. `most`: no more jobs than that are taken at all.
    Of a cluster only what it was given an amount of is counted here.

    What was taken is gone from the queue: if the tick fails, push it again.
    """
    if target.paused:
        return []
    used = dict(draft.used(target.name))
    picked: list[Job] = []
    passed: list[Job] = []
    while len(passed) < DEPTH and len(picked) < most:
        job = queue.pop(draft.jobs.get)
        if job is None:
            break
        if job.policy.limits and not limited_max:
            queue.push(job)
            break
        in_advance = 0 if passed or job.policy.limits else ahead
        needs = job.policy.needs if target.slurm is None else counted(job.policy.needs, target.capacity)
        if fits(used, needs, target.capacity, in_advance):
            take(used, needs)
            picked.append(job)
            limited_max -= bool(job.policy.limits)
            continue
        if not fits({}, needs, target.capacity):
            queue.park(job, TOO_LARGE)
            continue
        queue.set_aside(job)
        passed.append(job)
        if isinstance(job.state, Ready) and draft.now - job.state.since > PATIENCE_US:
            break
    for job in passed:
        queue.bring_back((job.policy.needs, job.policy.limits))
    return picked


def launch(
    draft: Draft, job: Job, grant: Grant = NO_LIMITS, place: str = "", after: Mapping[str, str] = NO_AFTER
) -> None:
    """Record the launch of a job's next attempt, at `place` if it is not the target that the job names.

    `after`: what its cluster is to wait for (`native`). The target hears of it only after the commit.
    """
    number = job.attempt + 1
    token = f"{draft.base.home}.{job.id}.{number}"
    event = AttemptLaunched(job.id, number, token, place or job.policy.target, grant.arrivals, dict(after))
    draft.record_job(event)
