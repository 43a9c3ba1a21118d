"""What works on a cluster and what does not, found out before its first job: the answer to `holdfast doctor TARGET`.

Nothing is submitted and nothing is left behind. Each question is one command of Slurm's, or of the login node's, and
what it answers becomes one finding or a few. What only a job could show, such as whether the nodes see the workdir, is
not looked at, and said not to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from holdfast.events.messages import Finding, Inspected, JobKind
from holdfast.events.spec import SlurmSpec

from .inspected_configuration import check_configuration
from .inspected_jobs import check_kinds, check_options
from .inspected_machine import ON_PATH, check_machine
from .inspected_partitions import check_associations, check_partitions
from .questions import Questions
from .scontrol import CONFIG, PING, parse_config, parse_ping
from .site import Site
from .squeue import Unparsable

SLOW_US: Final = 2_000_000
NEEDED: Final = ("sbatch", "squeue", "scancel", "scontrol")
_VERSION: Final = re.compile(r"slurm[\w-]* (\d+\.\d+[\w.-]*)")
_OLDEST: Final = (20, 2)
_ASK: Final = "ask those who run the cluster"
_SEE_SLURM: Final = "see whether it does in a login of your own; if not, ask those who run the cluster"


async def inspect(site: Site, slurm: SlurmSpec, now: Callable[[], int], kinds: Sequence[JobKind] = ()) -> Inspected:
    """Look at the cluster behind a site; nothing is raised for what is wrong there. `now`: microseconds, UTC.

    `kinds`: of the jobs that are to go there.
    """
    questions = Questions(site, now)
    commands, complete = await _check_commands(questions)
    machine = await check_machine(questions, slurm)
    if not complete:
        # Nothing goes on without these, and what else is wrong there may well come of the same.
        return Inspected((*commands, *machine))
    findings = [*machine, *commands]
    controller, answers = await _check_controller(questions)
    findings += controller
    if answers:
        findings += await _check_cluster(questions, slurm, kinds)
    return Inspected(tuple(findings))


async def _check_cluster(questions: Questions, slurm: SlurmSpec, kinds: Sequence[JobKind]) -> list[Finding]:
    """What only a controller that answers can say."""
    asked = await questions.ask(CONFIG)
    try:
        config = parse_config(asked.text.encode())
    except Unparsable as error:
        why = str(error) if asked.is_good else asked.complaint
        return [Finding("warning", f"the cluster's configuration can't be read: {why}", _ASK)]
    found = await check_configuration(questions, slurm, config)
    found += await check_partitions(questions, slurm)
    found += await check_associations(questions, slurm, config)
    found.append(await check_options(questions, slurm))
    # What is wrong with any job would be said of each.
    return found if found[-1].level == "wrong" or slurm.pilot else found + await check_kinds(questions, slurm, kinds)


async def _check_commands(questions: Questions) -> tuple[list[Finding], bool]:
    """Whether the commands are there and work, and whether that is so of all that are needed."""
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name in NEEDED:
        asked = await questions.ask((name, "--version"))
        match = _VERSION.search(asked.text)
        if match is not None:
            versions[name] = match[1]
        elif asked.is_missing:
            missing[name] = asked.complaint
        else:  # the others would take as long to say the same
            return [Finding("wrong", f"{name} does not work there: {asked.complaint}", _SEE_SLURM)], False
    if missing:
        what = f"{', '.join(missing)} can't be run: {next(iter(missing.values()))}"
        return [Finding("wrong", what, ON_PATH)], False
    return [_judge_versions(versions)], True


def _judge_versions(versions: dict[str, str]) -> Finding:
    newest = versions[NEEDED[0]]
    what = f"Slurm {newest}: {', '.join(NEEDED)} are there"
    if len(set(versions.values())) > 1:
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        return Finding("warning", f"Slurm's commands are of several versions: {told}", "use those of one version")
    if tuple(map(int, newest.split(".")[:2])) < _OLDEST:
        return Finding("warning", f"{what}, older than what was ever tried", "20.02 or newer is what it is made for")
    return Finding("ok", what)


async def _check_controller(questions: Questions) -> tuple[list[Finding], bool]:
    """Whether a controller is up and answers, and how fast."""
    ping = await questions.ask(PING)
    try:
        controllers = parse_ping(b"" if ping.finished is None else ping.finished.stdout)
    except Unparsable:
        return [Finding("wrong", f"whether Slurm's controller is up can't be told: {ping.complaint}", _ASK)], False
    up = next((each for each in controllers if each.is_up), None)
    if up is None:
        down = " and ".join(f"{each.host} ({each.role})" for each in controllers)
        remedy = "jobs wait here until it is back; ask those who run the cluster"
        return [Finding("wrong", f"Slurm's controller does not answer at {down}", remedy)], False
    asked = await questions.ask(("squeue", "--noheader", "--format=%i", "--states=RUNNING"))
    if not asked.is_good:
        return [Finding("wrong", f"squeue does not answer: {asked.complaint}", _ASK)], False
    seconds = f"{asked.took_us / 1_000_000:.2f} s"
    where = f"the controller at {up.host} ({up.role})"
    if asked.took_us > SLOW_US:
        return [
            Finding("warning", f"{where} takes {seconds} to answer squeue", "give a longer poll, such as 60s")
        ], True
    return [Finding("ok", f"{where} answers squeue in {seconds}")], True
