"""Events in words: what happened to whom, as `log` and `explain` tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, assert_never

from holdfast.events import facts, hosts
from holdfast.events.facts import Event, HomeEvent, JobEvent
from holdfast.events.lifecycle import failure_reason
from holdfast.events.records import Outcome
from holdfast.events.spec import JobSpec, LimitSpec

from ..screen.amounts import amounts_text, count_text, duration_text, list_text, size_text
from .slurmwords import waiting_text

_SECOND_US: Final = 1_000_000
_DIGITS: Final = 12

Namer = Callable[[int], str]
Clock = Callable[[int], str]


def plain_name(job: int) -> str:
    """A job by its id alone: `job 3`."""
    return f"job {job}"


def describe(event: Event, name: Namer, clock: Clock) -> str:
    """What happened, without the job if it is a job's event; `name` names jobs, `clock` writes times (microseconds)."""
    if isinstance(event, facts.OfJob):
        return _of_job(event, name, clock)
    return _of_home(event)


def _of_job(event: JobEvent, name: Namer, clock: Clock) -> str:
    match event:
        case facts.JobSubmitted():
            return f"submitted, {_first_state(event.state, event.spec, name)}"
        case facts.JobReady(state=state):
            return "ready to start" if state == "ready" else "its delay is over, and what it depends on is not"
        case facts.JobHeld():
            return "held"
        case facts.JobReleased(state=state):
            return f"released, now {state}"
        case facts.JobPrioritised(priority=priority):
            return f"given the priority {priority}"
        case facts.JobSkipped(reason=reason, unneeded=unneeded):
            return f"skipped{', not being needed' if unneeded else ''}: it runs {reason}"
        case facts.JobCancelled():
            return "cancelled"
        case facts.CancelRequested():
            return "asked to be cancelled; its attempt is being ended"
        case facts.JobRetried(state=state):
            return f"to run again, now {state}"
        case facts.AttemptLaunched(attempt=attempt, target=target, after=after):
            behind = f", to wait there for {behind_text(after, name)}" if after else ""
            return f"attempt {attempt} launched on {target}{behind}"
        case facts.AttemptStarted(attempt=attempt, process=process):
            return f"attempt {attempt} started" + ("" if process is None else f" as process {process.pid}")
        case facts.AttemptProgressed(attempt=attempt, progress=progress):
            done = "" if progress.fraction is None else f" {progress.fraction:.0%}"
            said = f": {progress.message}" if progress.message else ""
            return f"attempt {attempt} is{done} under way{said}"
        case facts.FilesStaged(attempt=attempt, files=files, back=back):
            size = size_text(sum(each.bytes for each in files))
            where = "back" if back else "there"
            return f"attempt {attempt}: {count_text(len(files), 'file')} ({size}) brought {where}"
        case facts.AttemptBatched(attempt=attempt, batch=batch, index=index):
            task = "" if index is None else f", as its task {index}"
            return f"attempt {attempt} is to be submitted in {batch_name(batch)}{task}"
        case facts.AttemptEnded():
            again = "" if event.retry_at is None else f"; the next try is due at {clock(event.retry_at)}"
            return f"attempt {event.attempt} {ending(event)}{_after(event.outcome)}{again}"
        case facts.AttemptRevoked(attempt=attempt, reason=reason):
            return f"attempt {attempt} never started: {reason}"
        case facts.AttemptUnreachable(attempt=attempt, reason=reason):
            return f"attempt {attempt} is out of reach: {reason}"
        case facts.AttemptReached(attempt=attempt):
            return f"attempt {attempt} is within reach again"
        case _:
            assert_never(event)


def _of_home(event: HomeEvent) -> str:
    if isinstance(event, facts.BatchEvent):
        return f"target {event.target}: {batch_name(event.batch)} {_of_batch(event)}"
    if isinstance(event, facts.AllocationEvent):
        return f"allocation {event.allocation} {_of_allocation(event)}"
    match event:
        case facts.HomeCreated(home=home):
            return f"home {home} created"
        case facts.SupervisorStarted(pid=pid, host=host, version=version):
            return f"supervisor {version} started as process {pid} on {host}"
        case facts.StepRecorded(step=step, key=key):
            return f"step {step} of {key} done"
        case facts.SupervisorStopped(pid=pid, reason=reason):
            return f"supervisor, process {pid}, left: {reason}"
        case facts.FlowSubmitted(flow=flow, jobs=jobs):
            return f"flow {flow} submitted: {count_text(jobs, 'job')}"
        case facts.TargetConfigured(target=target, capacity=capacity, slurm=slurm):
            cluster = "" if slurm is None else " is a cluster of Slurm's" + (" and" if capacity else "")
            return f"target {target}{cluster}" + (
                f" offers {amounts_text(capacity)}" if capacity or not cluster else ""
            )
        case facts.TargetAttached(target=target, pid=pid):
            return f"target {target} answers: its runner is process {pid}"
        case facts.HostChanged(target=target, host=host):
            why = hosts.reason_of(host)
            return f"target {target}: its host is {hosts.name_of(host)}" + (f": {why}" if why else "")
        case facts.DialRequested(target=target):
            return f"target {target} is to be tried now"
        case facts.HostTrusted(target=target, fingerprint=fingerprint):
            return f"target {target}: its host's key {fingerprint} is trusted"
        case facts.TargetPaused(target=target):
            return f"target {target} paused"
        case facts.TargetResumed(target=target):
            return f"target {target} resumed"
        case facts.LimitConfigured(limit=limit, spec=spec):
            return f"limit {limit}: {limit_text(spec)}"
        case _:
            assert_never(event)


def behind_text(after: Mapping[str, str], name: Namer) -> str:
    """The jobs whose attempts, by their tokens, a cluster is to wait for: `job 3 (fetch) to succeed`."""
    tos = {"after": "to succeed", "after_any": "to end"}
    return list_text([f"{name(int(token.split('.')[1]))} {tos[kind]}" for token, kind in after.items()])


def batch_name(batch: str) -> str:
    """A batch as people read of it: by the job and the attempt that it is named for, without the home's id."""
    return f"batch {batch.partition('.')[2] or batch}"


def _of_batch(event: facts.BatchEvent) -> str:
    match event:
        case facts.BatchPlanned(size=size, sha256=sha256):
            return (
                f"of {count_text(size, 'attempt')} is to be submitted, with a script of SHA-256 {sha256[:_DIGITS]}..."
            )
        case facts.BatchSubmitted(id=number, found=found):
            return f"is Slurm's job {number}" + (", as was found out there" if found else "")
        case facts.BatchUnclear(reason=reason):
            return f"was submitted, and whether it arrived is not known: {reason}"
        case facts.BatchAbsent(reason=reason):
            return f"is not there, so it is submitted again: {reason}"
        case facts.BatchWaits(reason=reason):
            return f"waits: {waiting_text(reason)}"
        case facts.BatchClosed(reason=reason):
            return f"is over: {reason}"
        case _:
            assert_never(event)


def _of_allocation(event: facts.AllocationEvent) -> str:
    match event:
        case facts.AllocationRequested(time_us=time_us, capacity=capacity):
            room = f", with {amounts_text(capacity)}" if capacity else ""
            return f"is to be asked for, for {duration_text(time_us)}{room}"
        case facts.AllocationGranted(id=number, node=node):
            return f"is Slurm's job {number} and runs on {node}"
        case facts.AllocationReleased(reason=reason):
            return f"is given back: {reason}"
        case facts.AllocationEnded(reason=reason, word=word):
            return f"is over: {reason}" + (f" ({word})" if word else "")
        case facts.AllocationRetired():
            return "is done with: nothing is in flight there"
        case _:
            assert_never(event)


def ending(event: facts.AttemptEnded) -> str:
    """How an attempt ended, as the end of a sentence about it: `succeeded`, `failed: exit code 3`, `was lost: ...`."""
    outcome = event.outcome
    match outcome.how:
        case "exited" if outcome.exit_code == 0:
            return "succeeded"
        case "stopped":
            return "was cancelled"
        case "lost":
            return f"was lost: {failure_reason(event)}"
        case _:
            return f"failed: {failure_reason(event)}"


def limit_text(spec: LimitSpec) -> str:
    """What a limit allows: `2 at once, 10/s with a burst of 5`."""
    parts: list[str] = []
    if spec.concurrent is not None:
        parts.append(f"{spec.concurrent} at once")
    if spec.interval_us is not None:
        burst = f" with a burst of {spec.burst}" if spec.burst > 1 else ""
        if spec.interval_us > _SECOND_US:
            parts.append(f"one start each {duration_text(spec.interval_us)}{burst}")
        else:
            parts.append(f"{_SECOND_US / spec.interval_us:.3g}/s{burst}")
    return ", ".join(parts) or "no bound"


def _after(outcome: Outcome) -> str:
    if outcome.started_at is None:
        return ""
    return f", after {duration_text(outcome.ended_at - outcome.started_at)}"


def _first_state(state: str, spec: JobSpec, name: Namer) -> str:
    if state != "waiting":
        return "held from the start" if state == "held" else "ready to start"
    needed = dict.fromkeys(each for each in (*spec.after, *spec.after_any, *spec.after_failed) if isinstance(each, int))
    return f"waiting for {list_text([name(job) for job in needed])}"
