"""What a cluster says of its allocations: that it runs one, and that one is over."""

from __future__ import annotations

from .allocations import ATTEMPT, name_of
from .draft import Draft
from .errors import LogCutOff
from .facts import AllocationEnded, AllocationGranted, AllocationRetired
from .messages import AttemptStatus
from .records import Asked, Granted, Over, SubmittedBatch, Target
from .states import IN_FLIGHT


def is_allocation(status: AttemptStatus) -> bool:
    """Whether a status is about an allocation, and not about a job's attempt."""
    return status.token.endswith(f".{ATTEMPT}")


def record_allocation(draft: Draft, status: AttemptStatus, cluster: str, author: str) -> None:
    """Record what is new in a status of an allocation of the cluster."""
    target = _find(draft, status.token, cluster)
    if status.state in {"ended", "revoked"}:
        draft.acknowledged.setdefault(cluster, []).append(status.token)
    if target is None or target.allocation is None:
        return  # it is retired: only the acknowledgement got lost
    before = target.allocation.state
    match status.state:
        case "running" if isinstance(before, Asked):
            batch = draft.batches.get(status.token)
            if batch is not None and isinstance(batch.state, SubmittedBatch):
                started_at = status.started_at or draft.now
                event = AllocationGranted(target.name, batch.state.id, status.nodes or "", started_at)
                draft.record(event, author=author)
        case "ended" | "revoked" if isinstance(before, Asked | Granted):
            draft.record(AllocationEnded(target.name, _words(target, status), status.word or ""), author=author)
            retire(draft, target.name, author)
        case _:
            pass


def retire(draft: Draft, name: str, author: str) -> None:
    """Let go of an allocation that is over, if nothing is in flight there."""
    target = draft.targets.get(name)
    if target is None or target.allocation is None or not isinstance(target.allocation.state, Over):
        return
    if not any(_is_there(draft, job.id, name) for job in draft.base.in_flight(name)):
        draft.record(AllocationRetired(name), author=author)


def _is_there(draft: Draft, number: int, name: str) -> bool:
    job = draft.jobs.get(number)
    return job is not None and isinstance(job.state, IN_FLIGHT) and job.place == name


def _find(draft: Draft, token: str, cluster: str) -> Target | None:
    """The allocation's target. Raises LogCutOff if the cluster has one that this log never asked for."""
    home, _, rest = token.partition(".")
    number = rest.partition(".")[0]
    if home != draft.base.home or not number.isdecimal():
        return None
    target = draft.targets.get(name_of(cluster, int(number)))
    if target is None and draft.batches.get(token) is None:
        message = f"the cluster {cluster} has the allocation {token}, which this log never asked for"
        raise LogCutOff(message, cluster=True)
    return target


def _words(target: Target, status: AttemptStatus) -> str:
    """Why it is over, for people."""
    if target.allocation is not None and target.allocation.released:
        return f"given back: {target.allocation.released}"
    if status.error:
        return status.error
    if status.how == "exited" and status.exit_code == 0:
        return "its runner had nothing more to do, or its time was over"
    if status.how == "exited":
        return f"its script ended with exit code {status.exit_code}, signal {status.signal}"
    return status.how or status.state
