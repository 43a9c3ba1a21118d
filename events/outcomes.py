"""What a target's reports mean: starts, ends, retries, losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from .allocation_reports import is_allocation, record_allocation, retire
from .allocations import ATTEMPT
from .backoff import full_jitter_us
from .batches import Recorded, is_stale
from .draft import PREVIOUS, Draft
from .errors import IllegalMove, LogCutOff
from .facts import (
    AttemptBatched,
    AttemptEnded,
    AttemptProgressed,
    AttemptReached,
    AttemptRevoked,
    AttemptStarted,
    AttemptUnreachable,
    BatchEvent,
    BatchPlanned,
    FilesStaged,
    HostChanged,
    JobCancelled,
    TargetAttached,
    TargetConfigured,
)
from .lifecycle import known_start
from .messages import Attached, AttemptStatus, HostSeen, Report, Reported, Settled, Staged, Unreachable
from .records import Ended, Job, Launched, Outcome, Process, Progress, Revoked, Target
from .settle import resolve, settle
from .states import Launching, Running, Unknown, has_ended, is_in_flight

_FORGOTTEN: Final = "its runner does not know it any more"
_JOURNAL_GONE: Final = "its runner's journal is gone, or the machine was restarted: whether it ran can't be known"
_NEVER_BEGAN: Final = "its allocation on the cluster ended before it began"
_ALLOCATION_OVER: Final = "the allocation on the cluster that it was in is over, and it has not said how it ended"
_CONTRADICTED: Final = "its runner says that it never started, but had it running before"
_GIVEN_UP: Final = "the cluster began with it, and gave it up or forgot it before its command was started"


def decide_report(draft: Draft, report: Report) -> list[Job]:
    """Record what the report says; returns the jobs whose launch must be sent (again): the target does not know it."""
    author = f"target:{report.target}"
    match report:
        case Attached():
            return _attached(draft, report, author)
        case Reported(attempts=statuses):
            for status in statuses:
                _status(draft, status, report.target)
        case Unreachable(target=target, reason=reason):
            for job in draft.base.in_flight(target):
                current = draft.jobs.get(job.id)
                if current is not None and isinstance(current.state, Launching | Running):
                    event = AttemptUnreachable(job.id, current.attempt, reason)
                    draft.record_job(event, author=author)
        case HostSeen(target=name, host=host):
            if draft.targets.get(name) is not None:
                draft.record(HostChanged(name, host), author="connections")
        case Staged(token=token, files=files, back=back):
            found = _find(draft, _named(draft, token))
            if found is not None:
                draft.record_job(FilesStaged(found.id, found.attempt, files, back), author=author)
        case Settled():
            _settled(draft, report)
        case _:
            assert_never(report)
    return []


def record_batches(
    draft: Draft, target: str, news: Sequence[BatchEvent], members: Sequence[AttemptBatched]
) -> Recorded:
    """Record what a cluster's batches come to, and which attempts go into those that are planned.

    What can't be is left out and named: who says it must not act as if the log had it.
    """
    author = f"target:{target}"
    refused: list[tuple[BatchEvent, str]] = []
    for event in news:
        try:
            draft.record(event, author=author)
        except IllegalMove as error:
            if not is_stale(draft.batches.get(event.batch), event):
                refused.append((event, str(error)))
    unplanned = {event.batch for event, _ in refused if isinstance(event, BatchPlanned)}
    over: list[tuple[int, int]] = []
    for member in members:
        if member.attempt == ATTEMPT or member.batch in unplanned:
            continue  # an allocation, which is no job's, or in no batch that there is
        job = draft.jobs.get(member.job)
        if job is not None and job.attempt == member.attempt and isinstance(job.state, Launching | Unknown):
            draft.record_job(member, author=author)
        else:
            over.append((member.job, member.attempt))
    return Recorded(frozenset(over), tuple(refused))


def _attached(draft: Draft, report: Attached, author: str) -> list[Job]:
    before = draft.targets.get(report.target) or Target(report.target)
    same_memory = before.journal == report.journal and before.boot == report.boot
    cause = None
    if not same_memory or before.pid != report.pid:
        event = TargetAttached(report.target, report.journal, report.boot, report.pid)
        cause = draft.record(event, author=author)
    if before.allocation is not None and report.cpus is not None and "cpus" not in before.capacity:
        # It was asked for with all that its node has, and only now is it known how much that is.
        draft.record(TargetConfigured(report.target, {**before.capacity, "cpus": report.cpus}), cause, author)
    in_flight = draft.base.in_flight(report.target)
    for status in report.attempts:
        _status(draft, status, report.target)
    known = {status.token for status in report.attempts}
    send: list[Job] = []
    for each in in_flight:
        job = draft.jobs.get(each.id)
        assert job is not None, "a job in flight does not exist"
        if not is_in_flight(job.state) or f"{draft.base.home}.{job.id}.{job.attempt}" in known:
            continue
        if same_memory and known_start(job.state) is None:
            if isinstance(job.state, Unknown):
                draft.record_job(AttemptReached(job.id, job.attempt), author=author)
            send.append(job)
        else:
            why = _FORGOTTEN if same_memory else _JOURNAL_GONE
            _lose(draft, job, why, author, PREVIOUS if cause is None else cause)
    return send


def _settled(draft: Draft, report: Settled) -> None:
    """An allocation is over: nothing of what was in flight there is known any better than its runner wrote it."""
    author = f"target:{report.target}"
    for status in report.attempts:
        if status.state in {"ended", "revoked"}:
            _status(draft, status, report.target)
    for each in draft.base.in_flight(report.target):
        job = draft.jobs.get(each.id)
        if job is None or not is_in_flight(job.state) or job.place != report.target:
            continue  # it said itself how it ended
        if report.closed and known_start(job.state) is None:
            _revoked(draft, job, AttemptStatus("", "revoked", error=_NEVER_BEGAN), author)
        else:
            _lose(draft, job, _ALLOCATION_OVER, author, PREVIOUS)
    retire(draft, report.target, author)


def _lose(draft: Draft, job: Job, why: str, author: str, cause: int) -> None:
    outcome = Outcome("lost", ended_at=draft.now, started_at=known_start(job.state), error=why)
    _end(draft, job, outcome, author, cause)


def _status(draft: Draft, status: AttemptStatus, target: str) -> None:
    author = f"target:{target}"
    if is_allocation(status):
        record_allocation(draft, status, target, author)
        return
    named = _named(draft, status.token)
    if named is not None:
        _check_launched(draft, named, status.token, target)
    if status.state in {"ended", "revoked"}:
        draft.acknowledged.setdefault(target, []).append(status.token)
    found = _find(draft, named)
    if found is None:
        return  # its end was recorded before; if this is the end once more, only the acknowledgement got lost
    match status.state:
        case "queued":
            if found.place != target:
                return  # another target's, which has the same cluster's queue: it says itself how it stands
            if isinstance(found.state, Unknown):
                draft.record_job(AttemptReached(found.id, found.attempt), author=author)
            _progressed(draft, found, status, author)
        case "running":
            _running(draft, found, status, author)
        case "revoked":
            _revoked(draft, found, status, target)
        case "unclear":
            if isinstance(found.state, Launching | Running):
                reason = status.error or "what became of it is not known"
                draft.record_job(AttemptUnreachable(found.id, found.attempt, reason), author=author)
        case "ended":
            _end(draft, found, _outcome(draft, status), author, PREVIOUS)
        case other:
            message = f"a runner reported the unknown state {other!r}"
            raise AssertionError(message)


def _named(draft: Draft, token: str) -> tuple[int, int] | None:
    """The job and the number of the attempt that a token of this home names; None for any other text."""
    home, _, rest = token.partition(".")
    job_text, _, attempt_text = rest.partition(".")
    if home != draft.base.home or not (job_text.isdecimal() and attempt_text.isdecimal()):
        return None
    return int(job_text), int(attempt_text)


def _check_launched(draft: Draft, named: tuple[int, int], token: str, target: str) -> None:
    """Fail closed where a target has an attempt that the log does not: forgetting it could let its job run twice."""
    job = draft.jobs.get(named[0])
    if job is None or job.attempt < named[1]:
        there = draft.targets.get(target)
        is_cluster = there is not None and there.is_cluster
        who = f"the cluster {target}" if is_cluster else "the runner"
        message = f"{who} has the attempt {token}, which this log never launched"
        raise LogCutOff(message, cluster=is_cluster)


def _find(draft: Draft, named: tuple[int, int] | None) -> Job | None:
    """The job whose newest attempt, in flight, is the one `_named`."""
    if named is None:
        return None
    job = draft.jobs.get(named[0])
    if job is None or job.attempt != named[1] or not is_in_flight(job.state):
        return None
    attempt = draft.attempts.get((job.id, job.attempt))
    return None if attempt is None or type(attempt.phase) is Ended or type(attempt.phase) is Revoked else job


def _running(draft: Draft, job: Job, status: AttemptStatus, author: str) -> None:
    attempt = draft.attempts.get((job.id, job.attempt))
    if isinstance(job.state, Running):
        _progressed(draft, job, status, author)
        return
    if attempt is not None and not isinstance(attempt.phase, Launched):
        draft.record_job(AttemptReached(job.id, job.attempt), author=author)
        return
    # A cluster says that it runs, and not in which process.
    process = None if status.pid is None else Process(status.pid, status.process_start)
    started_at = status.started_at or draft.now
    event = AttemptStarted(job.id, job.attempt, started_at, process, status.output)
    draft.record_job(event, author=author)
    _progressed(draft, job, status, author)


def _progressed(draft: Draft, job: Job, status: AttemptStatus, author: str) -> None:
    if status.fraction is not None or status.message:
        draft.record_job(
            AttemptProgressed(job.id, job.attempt, Progress(status.fraction, status.message)), author=author
        )


def _revoked(draft: Draft, job: Job, status: AttemptStatus, target_name: str) -> None:
    author = f"target:{target_name}"
    if known_start(job.state) is not None:
        target = draft.targets.get(target_name)
        if target is not None and target.slurm is not None:
            # What a cluster calls running is its script, whose first act is to claim the attempt; nobody has.
            _end(draft, job, Outcome("not_started", draft.now, error=_GIVEN_UP), author, PREVIOUS)
        else:
            _lose(draft, job, _CONTRADICTED, author, PREVIOUS)
        return
    cancelling = is_in_flight(job.state) and job.state.cancelling
    reason = status.error or "taken back before it started"
    attempt = draft.attempts.get((job.id, job.attempt))
    waits = attempt is not None and bool(attempt.after) and draft.recount(job.id) > 0
    state = "waiting" if waits else "ready"
    cause = draft.record_job(AttemptRevoked(job.id, job.attempt, reason, state), author=author)
    if cancelling:
        settle(draft, job.id, draft.record_job(JobCancelled(job.id, "cancelled"), cause, author))
    elif waits:
        resolve(draft, job.id)


def _outcome(draft: Draft, status: AttemptStatus) -> Outcome:
    return Outcome(
        status.how,
        status.ended_at or draft.now,
        # The runner's time is that of its claim, which it also has of an attempt that could not be started.
        None if status.how == "not_started" else status.started_at,
        status.exit_code,
        status.signal,
        status.error,
        status.cpu_us,
        status.memory_bytes,
        status.output,
        status.result,
        status.word,
        status.nodes,
        status.queued_us,
    )


def _end(draft: Draft, job: Job, outcome: Outcome, author: str, cause: int | None) -> None:
    event = AttemptEnded(job.id, job.attempt, outcome, _retry_at(draft, job, outcome))
    ended = draft.record_job(event, cause, author)
    after = draft.jobs.get(job.id)
    if after is not None and has_ended(after.state):
        settle(draft, job.id, ended)


def _retry_at(draft: Draft, job: Job, outcome: Outcome) -> int | None:
    """When the retry policy gives the job another attempt, or None."""
    cancelling = is_in_flight(job.state) and job.state.cancelling
    if cancelling or outcome.how == "stopped" or (outcome.how == "exited" and outcome.exit_code == 0):
        return None
    kind = outcome.how if outcome.how in {"timeout", "lost"} else "failed"
    policy = job.policy
    if kind not in policy.retry_on or job.failures >= policy.retries:
        return None
    return draft.now + full_jitter_us(job.failures + 1, policy.retry_delay_us, policy.retry_delay_max_us, draft.random)
