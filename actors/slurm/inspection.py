"""What works on a cluster and what does not, found out before its first job: the answer to `holdfast doctor TARGET`.

Nothing is submitted and nothing is left behind. Each question is one command of Slurm's, or of the login node's, and
what it answers becomes one finding or a few. What only a job could show, such as whether the nodes see the workdir, is
not looked at, and said not to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.messages import Finding, Inspected
from holdfast.events.quoting import shown
from holdfast.events.sbatch import options
from holdfast.events.spec import JobSpec, SlurmSpec

from .inspected_configuration import check_configuration, read_configuration
from .inspected_machine import check_machine
from .inspected_partitions import check_associations, check_partitions
from .questions import Questions
from .site import Finished, Site

SLOW_US: Final = 2_000_000
NEEDED: Final = ("sbatch", "squeue", "scancel", "scontrol")
_VERSION: Final = re.compile(r"slurm[\w-]* (\d+\.\d+[\w.-]*)")
_OLDEST: Final = (20, 2)
_UP: Final = re.compile(r"^Slurmctld\((\w+)\) at (\S+) is UP", re.MULTILINE)
_ON_PATH: Final = (
    "let a login without a terminal have Slurm's commands on its PATH, as by ~/.bashrc or ~/.profile there"
)


async def inspect(site: Site, slurm: SlurmSpec, now: Callable[[], int]) -> Inspected:
    """Look at the cluster behind a site. `now`: microseconds since the epoch. Raises nothing for what is wrong there."""
    questions = Questions(site, now)
    findings = [*await check_machine(questions, slurm)]
    commands, complete = await _check_commands(questions)
    findings += commands
    if complete:
        controller, answers = await _check_controller(questions)
        findings += controller
        if answers:
            findings += await _check_cluster(questions, slurm)
    return Inspected(tuple(findings))


async def _check_cluster(questions: Questions, slurm: SlurmSpec) -> list[Finding]:
    """What only a controller that answers can say."""
    asked = await questions.ask(("scontrol", "show", "config"))
    if not asked.is_good:
        return [
            Finding("warning", f"the configuration can't be read: {asked.complaint}", "ask those who run the cluster")
        ]
    configuration = read_configuration(asked.text)
    found = [*await check_configuration(questions, slurm, configuration)]
    found += await check_partitions(questions, slurm)
    found += await check_associations(questions, slurm, configuration)
    return found + await _check_options(questions, slurm)


async def _check_commands(questions: Questions) -> tuple[list[Finding], bool]:
    """Whether the commands are there, and whether all that are needed are."""
    versions: dict[str, str] = {}
    findings: list[Finding] = []
    for name in NEEDED:
        asked = await questions.ask((name, "--version"))
        match = _VERSION.search(asked.text)
        if match is None:
            findings.append(Finding("wrong", f"the command {name} can't be run: {asked.complaint}", _ON_PATH))
        else:
            versions[name] = match[1]
    if len(versions) < len(NEEDED):
        return findings, False
    newest = versions[NEEDED[0]]
    what = f"Slurm {newest}: {', '.join(NEEDED)} are there"
    if len(set(versions.values())) > 1:
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        findings.append(
            Finding("warning", f"Slurm's commands are of several versions: {told}", "use those of one version")
        )
    elif tuple(map(int, newest.split(".")[:2])) < _OLDEST:
        findings.append(
            Finding("warning", f"{what}, older than what was ever tried", "20.02 or newer is what it is made for")
        )
    else:
        findings.append(Finding("ok", what))
    return findings, True


async def _check_controller(questions: Questions) -> tuple[list[Finding], bool]:
    """Whether a controller is up and answers, and how fast."""
    ping = await questions.ask(("scontrol", "ping"))
    up = _UP.search(ping.text)
    if up is None:
        said = ping.complaint if ping.finished is None or ping.finished.stderr else _one_line(ping.finished)
        remedy = "jobs wait here until it is back; ask those who run the cluster"
        return [Finding("wrong", f"Slurm's controller is not up: {said}", remedy)], False
    asked = await questions.ask(("squeue", "--noheader", "--format=%i", "--states=RUNNING"))
    if not asked.is_good:
        return [Finding("wrong", f"squeue does not answer: {asked.complaint}", "ask those who run the cluster")], False
    seconds = f"{asked.took_us / 1_000_000:.2f} s"
    where = f"the controller at {up[2]} ({up[1]})"
    if asked.took_us > SLOW_US:
        return [
            Finding("warning", f"{where} takes {seconds} to answer squeue", "give a longer poll, such as 60s")
        ], True
    return [Finding("ok", f"{where} answers squeue in {seconds}")], True


def _one_line(finished: Finished) -> str:
    return "; ".join(finished.stdout.decode(errors="replace").split("\n")).strip("; ")


async def _check_options(questions: Questions, slurm: SlurmSpec) -> list[Finding]:
    """Whether sbatch would take a job that says nothing of its own, which it tells without submitting one."""
    try:
        given = options(JobSpec("true", needs={}), slurm)
    except BadInput as error:
        return [Finding("wrong", f"the target's options don't go together: {error}", "")]
    words = [f"--{name}={value}" if value else f"--{name}" for name, value in given]
    asked = await questions.ask(("sbatch", "--test-only", "--job-name=holdfast-doctor", *words, "--wrap=true"))
    with_ = f" with {' '.join(words)}" if words else ""
    if asked.is_good:
        return [Finding("ok", f"sbatch would take a job{with_}")]
    remedy = "change the target's partition, account or sbatch to what the lines above allow"
    return [Finding("wrong", f"sbatch would refuse a job{with_}: {shown(asked.complaint)}", remedy)]
