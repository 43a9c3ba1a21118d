"""The inspection of a cluster's configuration: accounting, and the limits that `max_queued` and arrays run into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast.events.messages import Finding
from holdfast.events.spec import SlurmSpec

from .questions import Questions

_SETTING: Final = re.compile(r"^(\S+)\s*= (.*)$", re.MULTILINE)
_NO_ACCOUNTING: Final = ("accounting_storage/none", "(null)", "")


def read_configuration(text: str) -> dict[str, str]:
    """What `scontrol show config` says, by the names that it gives."""
    return {name: value.strip() for name, value in _SETTING.findall(text)}


def number_of(configuration: Mapping[str, str], name: str) -> int | None:
    """The number that a setting begins with, such as 300 of `300 sec`."""
    digits = re.match(r"\d{1,18}", configuration.get(name, ""))
    return None if digits is None else int(digits[0])


async def check_configuration(
    questions: Questions, slurm: SlurmSpec, configuration: Mapping[str, str]
) -> list[Finding]:
    """Accounting, how long jobs are remembered, and how many there may be."""
    return [
        *await _check_accounting(questions, slurm, configuration),
        *check_limits(slurm, configuration),
    ]


async def _check_accounting(questions: Questions, slurm: SlurmSpec, configuration: Mapping[str, str]) -> list[Finding]:
    remembered_s = number_of(configuration, "MinJobAge")
    if configuration.get("AccountingStorageType", "") not in _NO_ACCOUNTING:
        asked = await questions.ask(
            ("sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID", "--starttime=now-1minute")
        )
        if asked.is_good:
            return [Finding("ok", f"accounting answers in {asked.took_us / 1_000_000:.2f} s")]
        problem = f"accounting is configured, but sacct does not answer: {asked.complaint}"
        remedy = "how jobs end is taken from scontrol and from their exit files until it does"
        return [Finding("warning", problem, remedy)]
    known = "a while" if remembered_s is None else f"{remembered_s} s"
    what = f"there is no accounting: Slurm knows an ended job for {known}, and its memory is not measured"
    if remembered_s is not None and remembered_s * 1_000_000 < 2 * slurm.poll_us:
        remedy = f"poll more often than each {remembered_s // 2} s, or have MinJobAge raised"
        return [Finding("warning", what, remedy)]
    return [Finding("ok", what)]


def check_limits(slurm: SlurmSpec, configuration: Mapping[str, str]) -> list[Finding]:
    """The cluster's own limits against what the target is to have in its queue."""
    array_max, jobs_max = number_of(configuration, "MaxArraySize"), number_of(configuration, "MaxJobCount")
    findings: list[Finding] = []
    if jobs_max is not None and slurm.max_queued >= jobs_max:
        problem = f"max_queued is {slurm.max_queued:,}, and the whole cluster takes {jobs_max:,} jobs (MaxJobCount)"
        findings.append(Finding("warning", problem, f"give a max_queued far below {jobs_max:,}"))
    if array_max is not None:
        arrays = (
            f"arrays of up to {array_max - 1:,}"
            if array_max > 1
            else "no arrays, so that each job is submitted by itself"
        )
        findings.append(Finding("ok", f"the cluster takes {arrays}; max_queued is {slurm.max_queued:,}"))
    return findings
