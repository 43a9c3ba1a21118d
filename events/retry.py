"""Running jobs again that ended badly, at a person's wish, together with what was skipped because of them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from .draft import ROOT, Draft
from .facts import JobRetried
from .graph import Verdict, judge
from .messages import Changed, Unchanged
from .records import Job
from .settle import resolve
from .states import FINAL, Cancelled, Failed, FinalState, Held, Lost, Skipped, Succeeded, Waiting, name_of


class _Again(Struct, frozen=True):
    """How a job to be retried ended, and the retried job that brings it along (None: it was asked for)."""

    end: FinalState
    bringer: int | None


def retry(draft: Draft, jobs: Iterable[int]) -> Changed:
    """Put jobs that failed, or were cancelled or lost, back to where they can run.

    What was skipped because of one of them, however far down, waits for it again, and so does what had not begun to
    run after its former end. Raises BadInput, with nothing recorded, for an unknown id.
    """
    asked = [draft.known_job(job) for job in dict.fromkeys(jobs)]
    chosen: dict[int, _Again] = {}
    for job in asked:
        if isinstance(job.state, Failed | Cancelled | Lost):
            _choose(draft, chosen, job.id, job.state)
    _record(draft, chosen)
    for number, again in chosen.items():
        _wait_again(draft, number, again.end, chosen)
    for number in chosen:
        if not isinstance(draft.known_job(number).state, FINAL):
            resolve(draft, number)
    unchanged = [Unchanged(job.id, _why_not(job)) for job in asked if job.id not in chosen]
    changed: list[int] = []
    for number, again in chosen.items():
        now = draft.known_job(number)
        if not isinstance(now.state, FINAL):
            changed.append(number)
        elif again.bringer is None:
            unchanged.append(Unchanged(number, _why_not(now)))
    return Changed(tuple(changed), (), tuple(unchanged))


def _choose(draft: Draft, chosen: dict[int, _Again], first: int, end: FinalState) -> None:
    """Add a job and what was skipped because of it, however far down, each after the one that brings it along."""
    todo = [(first, _Again(end, None))]
    while todo:
        number, again = todo.pop()
        chosen.setdefault(number, again)
        for edge in draft.dependents(number):
            state = draft.known_job(edge.job).state
            if isinstance(state, Skipped) and state.because == number and edge.job not in chosen:
                todo.append((edge.job, _Again(state, number)))


def _record(draft: Draft, chosen: dict[int, _Again]) -> None:
    # All of them count as not ended from the start: in which order they were named must not matter.
    entries: dict[int, int] = {}
    for number, again in chosen.items():
        state = "waiting" if draft.recount(number, chosen) else "ready"
        before = draft.jobs.get(number)
        if before is not None and isinstance(before.state, Skipped) and before.state.held:
            state = "held"  # a person's hold outlives that it was skipped meanwhile
        cause = ROOT if again.bringer is None else entries[again.bringer]
        entries[number] = draft.record_job(JobRetried(number, state), cause)


def _wait_again(draft: Draft, retried: int, end: FinalState, chosen: dict[int, _Again]) -> None:
    """What still waits, or is held, and had this end behind it, has it before it again."""
    for edge in draft.dependents(retried):
        if edge.job in chosen or judge(edge.kind, end) is not Verdict.MET:
            continue
        if isinstance(draft.known_job(edge.job).state, Waiting | Held):
            draft.unmet[edge.job] = draft.unmet_count(edge.job) + 1


def _why_not(job: Job) -> str:
    match job.state:
        case Succeeded():
            return "succeeded: there is nothing to retry"
        case Skipped(because=because, reason=reason):
            return f"was skipped: it runs {reason}; retry job {because}, and this one comes along"
        case _:
            return f"has not ended ({name_of(job.state)})"
