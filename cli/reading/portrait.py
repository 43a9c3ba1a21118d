"""A job's detail as lines for people."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from holdfast.events.spec import LimitSpec

from ..explaining.happenings import batch_name, limit_text
from ..explaining.slurmwords import waiting_text
from ..screen.amounts import amounts_text, duration_text, exact_size_text, list_text, size_text
from ..screen.moments import clock_text, moment_text, now_us
from ..screen.terminal import Paint, pad, printable
from .detail import AttemptDetail, InSlurm, JobDetail, LimitUse

_LABEL_WIDTH: Final = 13
_SHOWN_NEEDED: Final = 20
# What a batch's state says of an attempt that has not started, as far as is known.
_QUEUED: Final = {
    "planned": "to be submitted to Slurm",
    "unclear": "whether Slurm has it is not known",
    "submitted": "in Slurm's queue",
    "closed": "Slurm has nothing more of it",
}


def portrait(detail: JobDetail, *, by_slurm: bool = False) -> Iterator[str]:
    """The lines of `holdfast show`. `by_slurm`: a cluster runs it, so all output is kept, and the grace is its own."""
    paint = Paint(sys.stdout)
    flow = "" if detail.flow is None else f" of flow {printable(detail.flow)}"
    name = f" ({printable(detail.name)})" if detail.name else ""
    why = f", {printable(detail.reason)}" if detail.reason else ""
    yield f"{paint(f'job {detail.id}{name}{flow}', 'bold')}: {paint.state(detail.state)}{why}"
    for label, text in _facts(detail, by_slurm=by_slurm):
        yield f"  {pad(label, _LABEL_WIDTH)} {printable(text)}"
    if detail.dependencies:
        yield "depends on"
        for each in detail.dependencies:
            needed = f"job {each.job} ({each.name})" if each.name else f"job {each.job}"
            yield f"  {pad(each.kind, _LABEL_WIDTH)} {needed}, {paint.state(each.state)}"
    yield "attempts" if detail.attempts else "no attempts yet"
    for attempt in detail.attempts:
        yield from _attempt(attempt, detail.target, paint)


def _command(detail: JobDetail) -> Iterator[tuple[str, str]]:
    if detail.call is not None:
        yield "call", f"{detail.call.function} with {detail.call.arguments}"
        return
    yield "command", detail.run if isinstance(detail.run, str) else shlex.join(detail.run)
    if isinstance(detail.run, str):
        yield "", "(one string, so /bin/sh -c runs it)"


def _facts(detail: JobDetail, *, by_slurm: bool) -> Iterator[tuple[str, str]]:
    yield from _command(detail)
    if detail.call is None:
        yield "folder", detail.cwd or "the target's workdir"
    yield "target", detail.target
    yield "needs", amounts_text(detail.needs)
    if detail.limits:
        yield "limits", "; ".join(_limit(each) for each in detail.limits)
    yield "priority", str(detail.priority)
    yield "retries", _retries(detail)
    if detail.timeout_us is not None:
        grace = "as long as its cluster gives it" if by_slurm else duration_text(detail.grace_us)
        yield "timeout", f"{duration_text(detail.timeout_us)}, then {grace} to end by itself"
    if detail.call is None and not by_slurm:
        yield "output kept", f"{exact_size_text(detail.max_output_bytes)} of each stream, half of it head and half tail"
    if detail.sbatch:
        yield "sbatch", ", ".join(f"{name} = {value}" for name, value in detail.sbatch.items())
    if detail.template:
        yield "template", detail.template
    for name, value in detail.variables.items():
        yield "variable", f"{name}={value}"
    for name, value in detail.env.items():
        yield "environment", f"{name}={value}"
    if detail.secrets:
        yield "secrets", f"{', '.join(detail.secrets)} (names only: values are never recorded)"
    if detail.key is not None:
        yield "key", detail.key
    if detail.needed_by:
        yield "needed by", list_text([f"job {job}" for job in detail.needed_by], _SHOWN_NEEDED)
    yield "submitted", f"{_full(detail.submitted_at)} by {detail.submitted_by} (event {detail.submitted_seq})"
    yield "newest event", str(detail.newest_seq)


def _limit(use: LimitUse) -> str:
    return f"{use.key} ({limit_text(LimitSpec(use.concurrent, use.interval_us, use.burst))})"


def _retries(detail: JobDetail) -> str:
    if not detail.retries:
        return "none"
    first, longest = duration_text(detail.retry_delay_us), duration_text(detail.retry_delay_max_us)
    used = f" ({detail.failures} {'try' if detail.failures == 1 else 'tries'} failed)" if detail.failures else ""
    return f"up to {detail.retries}, on {' or '.join(detail.retry_on)}, after up to {first} doubling to {longest}{used}"


def _attempt(attempt: AttemptDetail, target: str, paint: Paint) -> Iterator[str]:
    yield f"  {attempt.number:<3} {_outcome(attempt, paint)}"
    launched = _clock(attempt.launched_at)
    times = [f"launched {launched}" + ("" if attempt.target == target else f" on {printable(attempt.target)}")]
    if attempt.started_at is not None:
        times.append(f"started {_clock(attempt.started_at)}")
    if attempt.ended_at is not None:
        times.append(f"ended {_clock(attempt.ended_at)}")
        if attempt.started_at is not None:
            times.append(f"took {duration_text(_us(attempt.ended_at) - _us(attempt.started_at))}")
    yield f"      {', '.join(times)}"
    if attempt.slurm is not None:
        yield from _in_slurm(attempt, attempt.slurm)
    used: list[str] = []
    if attempt.cpu_us:
        used.append(f"CPU time {duration_text(attempt.cpu_us)}")
    if attempt.memory_bytes:
        used.append(f"peak memory {size_text(attempt.memory_bytes)}")
    for each in attempt.output:
        if each.end is not None:
            dropped = f" ({size_text(each.dropped_bytes)} left out)" if each.dropped_bytes else ""
            used.append(f"{each.stream} {size_text(each.end - each.start)}{dropped}")
    if used:
        yield f"      {', '.join(used)}"
    if attempt.result is not None:
        yield f"      returned {printable(attempt.result)}"


def _in_slurm(attempt: AttemptDetail, there: InSlurm) -> Iterator[str]:
    """How it stood, or stands, with Slurm."""
    unknown = "never in Slurm's queue, as far as is known" if there.state == "closed" else "not known to be in Slurm"
    said = [unknown if there.id is None else f"Slurm's job {there.id}"]
    if attempt.queued_us is not None:
        said.append(f"{duration_text(attempt.queued_us)} in its queue")
    if attempt.nodes:
        said.append(f"on {printable(attempt.nodes)}")
    if attempt.word:
        said.append(f"ended as {printable(attempt.word)}")
    yield f"      {', '.join(said)}"
    if there.reason is not None and attempt.phase == "launched":
        yield f"      {there.state}: {printable(waiting_text(there.reason))}"
    yield f"      {batch_name(there.batch)}, {there.state}; its script has the SHA-256 {there.sha256}"


def _outcome(attempt: AttemptDetail, paint: Paint) -> str:
    match attempt.phase, attempt.how:
        case "launched", _ if attempt.slurm is not None:
            return paint(f"launched; {_QUEUED[attempt.slurm.state]}", "cyan")
        case "launched", _:
            return paint("launched; its runner has not said yet that it runs", "cyan")
        case "started", _:
            return paint("running" if attempt.pid is None else f"running as process {attempt.pid}", "cyan")
        case "revoked", _:
            return f"never started: {printable(attempt.error or '')}"
        case _, "exited" if attempt.exit_code == 0:
            return paint("succeeded", "green")
        case _, "exited" if attempt.error is not None:
            return paint(f"failed: {printable(attempt.error)}", "red")
        case _, "exited" if attempt.signal is None:
            return paint(f"failed: exit code {attempt.exit_code}", "red")
        case _, "exited":
            return paint(f"failed: killed by signal {attempt.signal}", "red")
        case _, "timeout":
            return paint("failed: timed out", "red")
        case _, "stopped":
            return paint("was cancelled", "yellow")
        case _, "lost":
            return paint(f"was lost: {printable(attempt.error or 'its end could not be seen')}", "magenta")
        case _:
            return paint(f"failed: {printable(attempt.error or 'could not be started')}", "red")


def _us(time: str) -> int:
    moment = datetime.fromisoformat(time).astimezone(UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _clock(time: str) -> str:
    return clock_text(_us(time), now_us())


def _full(time: str) -> str:
    return moment_text(_us(time))
