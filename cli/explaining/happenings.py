"""Events in words: what happened to whom, as `log` and `explain` tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from holdfast.events import facts, hosts
from holdfast.events.facts import Event, HomeEvent, JobEvent
from holdfast.events.lifecycle import failure_reason
from holdfast.events.records import Outcome
from holdfast.events.spec import JobSpec, LimitSpec

from ..screen.amounts import amounts_text, count_text, duration_text, list_text, size_text

_SECOND_US: Final = 1_000_000

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
        case facts.JobReady():
            return "ready to start"
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
        case facts.AttemptLaunched(attempt=attempt, target=target):
            return f"attempt {attempt} launched on {target}"
        case facts.AttemptStarted(attempt=attempt, process=process):
            return f"attempt {attempt} started as process {process.pid}"
        case facts.AttemptProgressed(attempt=attempt, progress=progress):
            done = "" if progress.fraction is None else f" {progress.fraction:.0%}"
            said = f": {progress.message}" if progress.message else ""
            return f"attempt {attempt} is{done} under way{said}"
        case facts.FilesStaged(attempt=attempt, files=files, back=back):
            size = size_text(sum(each.bytes for each in files))
            where = "back" if back else "there"
            return f"attempt {attempt}: {count_text(len(files), 'file')} ({size}) brought {where}"
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
        case facts.TargetConfigured(target=target, capacity=capacity):
            return f"target {target} offers {amounts_text(capacity)}"
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
