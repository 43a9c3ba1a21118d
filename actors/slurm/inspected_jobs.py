"""Whether sbatch would take jobs, which it tells without submitting any: those of a flow, and one that asks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.messages import Finding, JobKind
from holdfast.events.quoting import shown
from holdfast.events.sbatch import options
from holdfast.events.spec import JobSpec, SlurmSpec

from .questions import Questions
from .refusals import NotNow, Refused, judge_sbatch

TRIED_MAX: Final = 30
"""So many kinds of jobs are tried: each is a question to the controller."""
TRIED_US: Final = 60_000_000
"""None is tried any more once all questions together took so long: an inspection that is cut short tells nothing."""
_LATER: Final = "jobs wait here until it does"
_OF_TARGET: Final = "change the target's partition, account or sbatch to what the lines above allow"
_OF_JOB: Final = "change the job's needs, timeout or sbatch, or the target, to what the cluster has"


async def check_options(questions: Questions, slurm: SlurmSpec) -> Finding:
    """Whether it would take a job that says nothing of its own."""
    refused, words = await _try(questions, JobSpec("true", needs={}), slurm, "a job", _OF_TARGET)
    return refused or Finding("ok", f"sbatch would take a job{words}")


async def check_kinds(questions: Questions, slurm: SlurmSpec, kinds: Sequence[JobKind]) -> list[Finding]:
    """Whether it would take these; one line, if it would take them all."""
    found: list[Finding] = []
    tried: list[JobKind] = []
    for kind in kinds[:TRIED_MAX]:
        if questions.took_us > TRIED_US:
            break
        tried.append(kind)
        others = f" and {kind.jobs - 1:,} like it" if kind.jobs > 1 else ""
        refused, _ = await _try(questions, kind.spec, slurm, f"the job {shown(kind.spec.name)}{others}", _OF_JOB)
        if refused is not None:
            found.append(refused)
    if len(tried) < len(kinds):
        what = f"the flow has {len(kinds):,} kinds of jobs, by what they ask for; {_so_many(len(tried))}"
        found.append(Finding("warning", what, "look at the rest when they are in the queue: `holdfast explain JOB`"))
    if tried and not found:
        jobs = sum(kind.jobs for kind in tried)
        found.append(Finding("ok", f"sbatch would take {f'all {jobs:,} jobs' if jobs > 1 else 'the job'} of the flow"))
    return found


def _so_many(tried: int) -> str:
    """How many were tried, in words; fewer than might be, if the controller is slow."""
    if tried == TRIED_MAX:
        return f"the first {tried} were tried"
    told = {0: "none was", 1: "the first was"}.get(tried, f"the first {tried} were")
    return f"{told} tried, as the cluster is slow to answer"


async def _try(
    questions: Questions, spec: JobSpec, slurm: SlurmSpec, what: str, remedy: str
) -> tuple[Finding | None, str]:
    """What is wrong with it, if anything, and the options that it goes with, in words."""
    try:
        given = options(spec, slurm)
    except BadInput as error:
        return Finding("wrong", f"the options of {what} don't go together: {error}", ""), ""
    words = [f"--{name}={value}" if value else f"--{name}" for name, value in given]
    asked = await questions.ask(("sbatch", "--test-only", "--job-name=holdfast-doctor", *words, "--wrap=true"))
    with_ = f" with {' '.join(words)}" if words else ""
    if asked.is_good:
        return None, with_
    verdict = None if asked.finished is None else judge_sbatch(asked.finished)
    said = verdict.sentence if isinstance(verdict, Refused | NotNow) else asked.complaint
    if isinstance(verdict, NotNow):
        return Finding("warning", f"sbatch would not take {what}{with_} just now: {said}", _LATER), with_
    return Finding("wrong", f"sbatch would refuse {what}{with_}: {said}", remedy), with_
