"""What a wish must keep to before anything is recorded: bounds of numbers, text that can be stored, names that exist.

Each check raises BadInput, with where and the remedy, and changes nothing (promise P7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from .errors import BadInput
from .sbatch import check_job_on_cluster, check_slurm, options
from .spec import (
    DEFAULT_NEEDS,
    FUNCTIONS,
    HERE,
    RETRY_ON,
    RETRY_ON_DEFAULT,
    JobSpec,
    LimitSpec,
    SlurmSpec,
    SshSpec,
    TargetSpec,
)
from .staging import check_staging, refuse_staging, staging_texts

CALL_BYTES_MAX: Final = 64 * 1024
PRIORITY_MAX: Final = 1_000_000
NUMBER_MAX: Final = 2**53 - 1  # up to here every reader of JSON agrees on whole numbers; as microseconds, 285 years
_NUMBERS: Final = ("retries", "retry_delay", "retry_delay_max", "grace", "max_output")


def check_job(job: JobSpec, where: str) -> None:
    """Check everything about a job that can be seen without the home; `where` is its place, such as `jobs.align`."""
    _check_command(job, where)
    if job.env or job.secrets:
        _check_environment(job, where)
    if job.needs != DEFAULT_NEEDS:
        for name, amount in job.needs.items():
            check_number(amount, 0, f"{where}.needs.{name}")
    if len(job.limits) > 1 and len(set(job.limits)) < len(job.limits):
        raise BadInput("a limit is named twice", where=f"{where}.limits", remedy="name each once")
    if job.priority:
        check_priority(job.priority, f"{where}.priority")
    if job.retry_on is not RETRY_ON_DEFAULT:
        for kind in job.retry_on:
            if kind not in RETRY_ON:
                problem = f"nothing is retried on {kind!r}"
                raise BadInput(problem, where=f"{where}.retry_on", remedy=f"give some of: {', '.join(RETRY_ON)}")
    # Not one of them has a bit, the sign among them, outside of NUMBER_MAX; found in a third of the time of a loop.
    if (job.retries | job.retry_delay_us | job.retry_delay_max_us | job.grace_us | job.max_output_bytes) & ~NUMBER_MAX:
        numbers = (job.retries, job.retry_delay_us, job.retry_delay_max_us, job.grace_us, job.max_output_bytes)
        for key, number in zip(_NUMBERS, numbers, strict=True):
            check_number(number, 0, f"{where}.{key}")
    if job.key is not None and not job.key.strip():
        problem = f"{job.key!r} is no key: all that give it would be one job"
        raise BadInput(problem, where=f"{where}.key", remedy="give one that says which job it is, or leave it out")
    if job.timeout_us is not None:
        check_number(job.timeout_us, 1, f"{where}.timeout")
    if job.inputs or job.outputs:
        _check_staging(job, where)
    if job.sbatch or job.template or job.variables:
        check_job_on_cluster(job, where)
        check_text(job.variables.values(), f"{where}.variables")


def _check_command(job: JobSpec, where: str) -> None:
    if job.call is not None or job.target == FUNCTIONS:
        _check_call(job, where)
        return
    words = (job.run,) if isinstance(job.run, str) else job.run
    if not words or not words[0].strip():
        raise BadInput("there is no command", where=f"{where}.run", remedy="give a command line or a list of words")
    check_text((*words, job.cwd, job.name, job.key or ""), where)


def _check_call(job: JobSpec, where: str) -> None:
    call = job.call
    if call is None or job.target != FUNCTIONS:
        problem = f"the target {FUNCTIONS!r} calls functions, and no other target does"
        raise BadInput(problem, where=f"{where}.target", remedy="submit a `holdfast.call(...)`, or take another target")
    if job.run or job.env or job.secrets:
        problem = "a function has no command and no environment of its own"
        raise BadInput(problem, where=f"{where}.call", remedy="leave out run, env and secrets; give it arguments")
    if not call.function.strip():
        raise BadInput("the function has no name", where=f"{where}.call", remedy="give the name it has in the program")
    size_bytes = len(call.arguments.encode(errors="surrogatepass"))
    if size_bytes > CALL_BYTES_MAX:
        problem = f"the arguments take {size_bytes} bytes, more than the {CALL_BYTES_MAX} that are recorded"
        raise BadInput(problem, where=f"{where}.call", remedy="write them to a file and give its name")
    check_text((call.function, call.arguments, job.cwd, job.name, job.key or ""), where)


def _check_staging(job: JobSpec, where: str) -> None:
    if job.target in HERE:
        raise refuse_staging(job.target, f"{where}.{'inputs' if job.inputs else 'outputs'}")
    check_text(staging_texts(job.inputs, job.outputs), where)
    check_staging(job.inputs, job.outputs, where)


def _check_environment(job: JobSpec, where: str) -> None:
    for names, place in ((job.env, f"{where}.env"), (job.secrets, f"{where}.secrets")):
        for name in names:
            if not name or "=" in name:
                problem = f"{name!r} can't be the name of a variable"
                raise BadInput(problem, where=place, remedy="it needs a letter at least and no `=`")
        check_text(names, place)
    check_text(job.env.values(), f"{where}.env")


def check_text(texts: Iterable[str], where: str) -> None:
    """Check that texts can be recorded, and passed to a process."""
    text = "".join(texts)
    if "\0" in text:
        raise BadInput("a NUL character can't be passed to a process", where=where, remedy="take it out")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        problem = "there are bytes in it that are not UTF-8"
        raise BadInput(problem, where=where, remedy="Holdfast records text only") from error


def check_number(number: int, least: int, where: str) -> None:
    """Check that a number is at least `least`, and no larger than what can be recorded."""
    if not least <= number <= NUMBER_MAX:
        raise BadInput(f"{number} is out of bounds", where=where, remedy=f"give a whole number from {least} on")


def check_priority(priority: int, where: str = "") -> None:
    """Check that a priority is within its bounds."""
    if not -PRIORITY_MAX <= priority <= PRIORITY_MAX:
        problem = f"the priority {priority} is out of bounds"
        raise BadInput(problem, where=where, remedy=f"give a whole number from -{PRIORITY_MAX} to {PRIORITY_MAX}")


def check_limit(name: str, spec: LimitSpec) -> None:
    """Check the definition of a limit."""
    if not name or ":" in name:
        problem = f"{name!r} can't be the name of a limit"
        raise BadInput(
            problem, where="limits", remedy="it needs a letter at least and no colon: `name:key` uses `name`"
        )
    check_text((name,), "limits")
    if spec.concurrent is not None:
        check_number(spec.concurrent, 1, f"limits.{name}.concurrent")
    if spec.interval_us is not None:
        check_number(spec.interval_us, 1, f"limits.{name}.rate")
    check_number(spec.burst, 1, f"limits.{name}.burst")


def check_capacity(capacity: Mapping[str, int], where: str) -> None:
    """Check what a target offers."""
    check_text(capacity, where)
    for name, amount in capacity.items():
        check_number(amount, 0, f"{where}.{name}")


def check_target(name: str, target: TargetSpec, where: str) -> None:
    """Check the definition of a target."""
    check_capacity(target.capacity, f"{where}.capacity")
    if target.ssh is None and target.slurm is None:
        return
    if name in HERE:
        problem = f"the target {name!r} is this machine"
        raise BadInput(problem, where=f"{where}.kind", remedy="give the other machine a name of its own")
    if target.ssh is not None:
        _check_way(target.ssh, where)
    if target.slurm is not None:
        _check_workdir(target.slurm.workdir, where)
        check_slurm(target.slurm, where)


def _check_way(ssh: SshSpec, where: str) -> None:
    """Check how a machine is to be reached: nothing in it may be taken for an option or a second line."""
    user, at, host = ssh.host.rpartition("@")
    if (
        not host
        or (at and not user)
        or "@" in user
        or ssh.host.startswith("-")
        or any(not each.isprintable() or each.isspace() for each in ssh.host)
    ):
        problem = f"{ssh.host!r} can't be the name of a machine"
        raise BadInput(problem, where=f"{where}.host", remedy="give a name from ~/.ssh/config or an address")
    _check_workdir(ssh.workdir, where)
    _check_line(ssh.python, f"{where}.python")
    if any(each.isspace() for each in ssh.python):
        problem = f"{ssh.python!r} can't be an interpreter"
        raise BadInput(problem, where=f"{where}.python", remedy="give one program, without arguments or blanks")


def _check_workdir(workdir: str, where: str) -> None:
    if not (workdir == "~" or workdir.startswith(("~/", "/"))) or ".." in workdir.split("/"):
        problem = f"{workdir!r} is no folder that everybody finds in the same place"
        raise BadInput(problem, where=f"{where}.workdir", remedy="begin it with / or ~/, and leave out `..`")
    _check_line(workdir, f"{where}.workdir")


def _check_line(text: str, where: str) -> None:
    check_text((text,), where)
    if "\n" in text:
        raise BadInput("there is a line break in it", where=where, remedy="take it out")


def check_for_slurm(job: JobSpec, slurm: SlurmSpec | None, where: str) -> None:
    """Check what a job says to Slurm, and needs of it, against its target; `slurm`: None if that is no cluster."""
    if slurm is None:
        key = "sbatch" if job.sbatch else "template" if job.template else "variables"
        problem = f"the target {job.target!r} is no cluster that Slurm manages"
        raise BadInput(problem, where=f"{where}.{key}", remedy='leave it out, or take a target with kind = "slurm"')
    if job.template and job.template not in slurm.templates:
        there = ", ".join(sorted(slurm.templates)) or "none"
        problem = f"the target {job.target!r} has no template {job.template!r}"
        raise BadInput(problem, where=f"{where}.template", remedy=f"it has: {there}")
    options(job, slurm, where)
    if job.variables and not (job.template or slurm.template):
        problem = "variables are for templates, and the job has none"
        raise BadInput(problem, where=f"{where}.variables", remedy="give it a template, or use env")


def check_below(path: str, where: str, folder: str) -> None:
    """Check that a path stays below a folder of another machine: relative, and never upwards."""
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        problem = f"{path!r} leads out of {folder}"
        raise BadInput(problem, where=where, remedy=f"give a path relative to {folder}, without `..`")


def unknown_target(name: str, where: str = "") -> BadInput:
    """The refusal of a target that there is not."""
    remedy = f'there are {", ".join(HERE)} and those declared as [targets.NAME] with kind = "ssh" or "slurm"'
    return BadInput(f"there is no target {name!r}", where=where, remedy=remedy)
