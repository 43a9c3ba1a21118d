"""The inspection of a cluster's configuration: accounting, and the limits that `max_queued` and arrays run into."""

from __future__ import annotations

from holdfast.events.messages import Finding
from holdfast.events.spec import SlurmSpec

from .questions import Questions
from .scontrol import Config


async def check_configuration(questions: Questions, slurm: SlurmSpec, config: Config) -> list[Finding]:
    """Accounting, how long jobs are remembered, and how many there may be."""
    return [
        *await _check_accounting(questions, slurm, config),
        *check_limits(slurm, config),
    ]


async def _check_accounting(questions: Questions, slurm: SlurmSpec, config: Config) -> list[Finding]:
    remembered_s = config.min_job_age_s
    if config.has_accounts:
        asked = await questions.ask(
            ("sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID", "--starttime=now-1minute")
        )
        if asked.is_good:
            return [Finding("ok", f"accounting answers in {asked.took_us / 1_000_000:.2f} s")]
        problem = f"accounting is configured, but sacct does not answer: {asked.complaint}"
        remedy = "how jobs end is taken from scontrol and from their exit files until it does"
        return [Finding("warning", problem, remedy)]
    known = f"{remembered_s} s" if remembered_s else "no set time"
    what = f"there is no accounting: Slurm knows an ended job for {known}, and what it used is not known after"
    if remembered_s * 1_000_000 < 2 * slurm.poll_us:
        remedy = f"poll more often than each {remembered_s // 2} s, or have MinJobAge raised"
        return [Finding("warning", what, remedy)]
    return [Finding("ok", what)]


def check_limits(slurm: SlurmSpec, config: Config) -> list[Finding]:
    """The cluster's own limits against what the target is to have in its queue."""
    most = slurm.max_queued
    if 0 < config.jobs_max <= most:
        problem = f"max_queued is {most:,}, and the whole cluster takes {config.jobs_max:,} jobs (MaxJobCount)"
        return [Finding("warning", problem, f"give a max_queued far below {config.jobs_max:,}")]
    arrays = f"arrays of up to {config.array_max - 1:,}" if config.array_max > 1 else "no arrays, only single jobs"
    return [Finding("ok", f"the cluster takes {arrays} (MaxArraySize); max_queued is {most:,}")]
