"""What a command does to a draft: the one entrance to the rules for everybody who is not a target."""

from __future__ import annotations

from typing import assert_never

from .commands import cancel, configure, hold, pause, prioritise, release, resume
from .draft import Draft
from .facts import JobReady
from .messages import (
    Cancel,
    Changed,
    Command,
    Configure,
    Dial,
    Hold,
    Pause,
    Prioritise,
    Release,
    Resume,
    Retry,
    Submit,
    Submitted,
    Trust,
)
from .remote import dial, trust
from .retry import retry
from .settle import resolve
from .spec import TargetSpec
from .states import Delayed
from .submission import submit


def decide(draft: Draft, command: Command) -> Submitted | Changed:
    """Record in the draft what the command means, and answer it.

    Raises BadInput, with nothing recorded, if the command is refused.
    """
    match command:
        case Submit(flow=flow):
            return submit(draft, flow)
        case Cancel(jobs=jobs):
            return cancel(draft, jobs)
        case Retry(jobs=jobs):
            return retry(draft, jobs)
        case Hold(jobs=jobs):
            return hold(draft, jobs)
        case Release(jobs=jobs):
            return release(draft, jobs)
        case Prioritise(jobs=jobs, priority=priority):
            return prioritise(draft, jobs, priority)
        case Pause(target=target):
            return pause(draft, target)
        case Resume(target=target):
            return resume(draft, target)
        case Configure(capacity=capacity, ssh=ssh, slurm=slurm, limits=limits):
            targets = {name: TargetSpec(amounts, ssh.get(name), slurm.get(name)) for name, amounts in capacity.items()}
            return configure(draft, targets, limits)
        case Dial(targets=targets):
            return dial(draft, targets)
        case Trust(target=target, fingerprint=fingerprint):
            return trust(draft, target, fingerprint)
        case _:
            assert_never(command)


def extent(command: Command) -> int:
    """How many jobs a command is about, by which it takes longer."""
    match command:
        case Submit(flow=flow):
            return len(flow.jobs)
        case Cancel(jobs=jobs) | Retry(jobs=jobs) | Hold(jobs=jobs) | Release(jobs=jobs) | Prioritise(jobs=jobs):
            return len(jobs)
        case Pause() | Resume() | Configure() | Dial() | Trust():
            return 0
        case _:
            assert_never(command)


def wake(draft: Draft, job: int) -> bool:
    """Make a delayed job ready if its back-off is over; whether it still has to be waited for.

    A clock that was set back to before the delay began can't be waited for: the delay counts as over.
    """
    found = draft.jobs.get(job)
    if found is None or not isinstance(found.state, Delayed):
        return False
    if found.state.since <= draft.now < found.state.due_at:
        return True
    attempt = draft.attempts.get((job, found.attempt))
    if attempt is not None and attempt.after and draft.recount(job):
        # It went to its cluster's queue before what it depends on had ended, and that has not ended yet.
        draft.record_job(JobReady(job, "waiting"))
        resolve(draft, job)
        return False
    draft.record_job(JobReady(job))
    return False
