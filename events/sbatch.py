"""What a job asks of Slurm: the options of `sbatch` that may be given, and needs as the options that they become.

Names are written as sbatch has them, with `-` or `_`, without dashes before; `mem-per-cpu` is the one form that goes
on. Every value is held to a pattern of its option's own: no blanks, quotes, line breaks or backslashes, so what goes
into a directive `#SBATCH --name=value` is read back by sbatch as just this. An option without a value is switched on
by "true" or an empty text, and off, where the target has it on, by "false". What Holdfast says to sbatch itself is
refused, with the key of a job that says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .errors import BadInput
from .quoting import shown
from .spec import DEFAULT_NEEDS, JobSpec, PilotSpec, SlurmSpec

VALUE_CHARACTERS_MAX: Final = 1024
TEMPLATE_BYTES_MAX: Final = 64 * 1024
MINUTE_US: Final = 60_000_000
MEBIBYTE: Final = 1024 * 1024

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+@:-]*"
_COUNT: Final = r"[1-9][0-9]{0,8}"
_SIZE: Final = r"[1-9][0-9]{0,11}[KMGT]?"
_HOSTS: Final = r"[A-Za-z0-9_][A-Za-z0-9_.\[\],-]*"
_OF_KIND: Final = rf"(?:[A-Za-z0-9_.]+:)?{_COUNT}"
_CLOCK: Final = r"[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?"
_DAY: Final = r"[0-9]{4}-[01][0-9]-[0-3][0-9]"
_LATER: Final = rf"now\+{_COUNT}(?:seconds?|minutes?|hours?|days?|weeks?)?"
_TIME: Final = rf"{_LATER}|{_DAY}(?:T{_CLOCK})?|{_CLOCK}|midnight|noon|tomorrow"
_FLAG: Final = "|true|false"

_COUNT_SAID: Final = "a whole number from 1 on"
_SIZE_SAID: Final = "a size as Slurm writes it, such as 4G or 500M"
_HOSTS_SAID: Final = "nodes as Slurm writes them, such as n[1-4,7]"
_OF_KIND_SAID: Final = "a number, or a kind and a number, such as a100:2"
_TIME_SAID: Final = "a time such as 2030-01-31T20:00 or now+2hours"
_FLAG_SAID: Final = "true or false"
_NAME_SAID: Final = "a name without blanks"

OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "account": (_NAME, _NAME_SAID),
    "begin": (_TIME, _TIME_SAID),
    "constraint": (r"[A-Za-z0-9_(\[!][A-Za-z0-9_.:=,&|*()\[\]!+-]*", "features such as avx2 or intel&ib"),
    "contiguous": (_FLAG, _FLAG_SAID),
    "cores-per-socket": (_COUNT, _COUNT_SAID),
    "cpus-per-gpu": (_COUNT, _COUNT_SAID),
    "deadline": (_TIME, _TIME_SAID),
    "distribution": (r"[a-zA-Z*][a-zA-Z0-9=:*,]*", "a distribution such as block:cyclic"),
    "exclude": (_HOSTS, _HOSTS_SAID),
    "exclusive": (rf"{_FLAG}|user|mcs|topo", "true, false, user, mcs or topo"),
    "gpus": (_OF_KIND, _OF_KIND_SAID),
    "gpus-per-node": (rf"{_OF_KIND}(?:,{_OF_KIND})*", _OF_KIND_SAID),
    "gpus-per-task": (rf"{_OF_KIND}(?:,{_OF_KIND})*", _OF_KIND_SAID),
    "gres": (r"[A-Za-z0-9_][A-Za-z0-9_.:,/-]*", "generic resources such as gpu:a100:2,nvme:1"),
    "gres-flags": (r"[a-z]+(?:-[a-z]+)*(?:,[a-z]+(?:-[a-z]+)*)*", "flags such as enforce-binding"),
    "hint": ("compute_bound|memory_bound|multithread|nomultithread", "one of sbatch's hints, such as nomultithread"),
    "mcs-label": (_NAME, _NAME_SAID),
    "mem-per-cpu": (_SIZE, _SIZE_SAID),
    "mem-per-gpu": (_SIZE, _SIZE_SAID),
    "mincpus": (_COUNT, _COUNT_SAID),
    "nice": (r"-?[0-9]{1,9}", "a whole number"),
    "nodelist": (_HOSTS, _HOSTS_SAID),
    "ntasks-per-core": (_COUNT, _COUNT_SAID),
    "ntasks-per-gpu": (_COUNT, _COUNT_SAID),
    "ntasks-per-node": (_COUNT, _COUNT_SAID),
    "ntasks-per-socket": (_COUNT, _COUNT_SAID),
    "overcommit": (_FLAG, _FLAG_SAID),
    "oversubscribe": (_FLAG, _FLAG_SAID),
    "partition": (rf"{_NAME}(?:,{_NAME})*", "the name of a partition, or several with commas between"),
    "qos": (_NAME, _NAME_SAID),
    "reservation": (rf"{_NAME}(?:,{_NAME})*", "the name of a reservation"),
    "sockets-per-node": (_COUNT, _COUNT_SAID),
    "spread-job": (_FLAG, _FLAG_SAID),
    "switches": (rf"{_COUNT}(?:@{_COUNT}(?::[0-5][0-9]){{0,2}})?", "a number of switches, such as 1 or 1@30"),
    "threads-per-core": (_COUNT, _COUNT_SAID),
    "tmp": (_SIZE, _SIZE_SAID),
    "use-min-nodes": (_FLAG, _FLAG_SAID),
    "wckey": (_NAME, _NAME_SAID),
}
"""The options that may be given, each with the pattern of its values, and that in words."""

_INSTEAD: Final[Mapping[str, str]] = {
    "array": "jobs that differ only in their arguments go as an array by themselves",
    "chdir": "give the job's `cwd`",
    "clusters": "a target is one cluster: make another target of the other one",
    "comment": "it holds the attempt's token",
    "cpus-per-task": "give the job's `needs.cpus`",
    "dependency": "give the job's `after`",
    "error": "`holdfast logs` shows what the job writes",
    "export": "give the job's `env` and `secrets`",
    "hold": "give the job's `hold`",
    "input": "let the job's command read its file, or stage it by `inputs`",
    "job-name": "give the job's `name`; Slurm's own holds the attempt's token",
    "kill-on-invalid-dep": "it is given where the target has `native_dependencies`",
    "licenses": "give the job's `needs`, with the licence's name",
    "mem": "give the job's `needs.memory`",
    "no-requeue": "it is always given: another try is a new attempt, by the job's `retries`",
    "nodes": "give the job's `needs.nodes`",
    "ntasks": "give the job's `needs.tasks`",
    "open-mode": "`holdfast logs` shows what the job writes",
    "output": "`holdfast logs` shows what the job writes",
    "parsable": "it is always given",
    "priority": "give the job's `priority`, or the option `nice`",
    "requeue": "another try is a new attempt: give the job's `retries` and `retry_on`",
    "signal": "give the job's `timeout` and `grace`",
    "time": "give the job's `timeout`",
    "wait": "Holdfast waits by itself",
    "wrap": "give the job's `run`",
}

# Ways of asking for the same thing: sbatch takes one of them, so the job's takes the place of the target's.
_WAYS: Final[tuple[tuple[str, ...], ...]] = (
    ("mem", "mem-per-cpu", "mem-per-gpu"),
    ("gpus", "gpus-per-node", "gpus-per-task", "gres"),
    ("cpus-per-task", "cpus-per-gpu"),
    ("exclusive", "oversubscribe"),
)
_SAID_BY: Final[Mapping[str, str]] = {"mem": "needs.memory", "gpus": "needs.gpus", "cpus-per-task": "needs.cpus"}

_NEEDS: Final[Mapping[str, tuple[str, int]]] = {
    "cpus": ("cpus-per-task", 65_533),  # what Slurm keeps in 16 bits, less its own marks
    "gpus": ("gpus", 65_533),
    "nodes": ("nodes", 1_000_000),
    "tasks": ("ntasks", 10_000_000),
}
_LICENCE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}(?:@[A-Za-z0-9_.-]{1,100})?")
_LICENCES_MAX: Final = 1_000_000_000
_MEMORY_MIB_MAX: Final = 2**40
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def canonical(options: Mapping[str, str], where: str) -> dict[str, str]:
    """The options by their names in the one form, each checked; `where` is their place. Raises BadInput."""
    found: dict[str, str] = {}
    for given, value in options.items():
        name, place = given.replace("_", "-"), f"{where}.{given}"
        if name in found:
            raise BadInput(f"the option {name} is given twice", where=place, remedy="give it once")
        _check_option(name, value, place)
        found[name] = value
    return found


def check_options(options: Mapping[str, str], where: str) -> None:
    """Check that these options may be given to sbatch, with these values. Raises BadInput."""
    canonical(options, where)


def _check_option(name: str, value: str, where: str) -> None:
    if name not in OPTIONS:
        instead = _INSTEAD.get(name)
        if instead is not None:
            raise BadInput(f"sbatch's option {name} is Holdfast's to give", where=where, remedy=instead)
        problem = f"{shown(name)} is none of the options of sbatch that are passed on"
        from difflib import get_close_matches  # noqa: PLC0415 - for those few who need it

        near = get_close_matches(name, [*OPTIONS, *_INSTEAD], 1)
        remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(OPTIONS)}"
        raise BadInput(problem, where=where, remedy=remedy)
    if len(value) > VALUE_CHARACTERS_MAX:
        problem = f"the value takes {len(value)} characters, more than {VALUE_CHARACTERS_MAX}"
        raise BadInput(problem, where=where, remedy="give a shorter one")
    pattern, what = OPTIONS[name]
    if re.fullmatch(pattern, value) is None:
        raise BadInput(f"{shown(value)} can't be its value", where=where, remedy=f"give {what}")


def resources(needs: Mapping[str, int], timeout_us: int | None, where: str = "") -> tuple[tuple[str, str], ...]:
    """The options that needs and a time limit become; what is 0 is left out, so that Slurm's own default counts.

    `cpus` are those of each task, `memory` (bytes) is that of each node, `gpus` those of the whole job; any name that
    is not among these, `nodes` and `tasks` is a licence of Slurm's. Slurm counts memory in whole MiB and time in whole
    minutes: both are rounded up. `where` is the place of the job. Raises BadInput for what Slurm can't count or name.
    """
    found: dict[str, str] = {}
    licences: list[str] = []
    for name, amount in needs.items():
        place = f"{where}.needs.{name}" if where else name
        if name == "memory":
            mebibytes = -(-amount // MEBIBYTE)
            _check_amount(mebibytes, _MEMORY_MIB_MAX, place)
            if mebibytes:
                found["mem"] = f"{mebibytes}M"
        elif name in _NEEDS:
            option, most = _NEEDS[name]
            _check_amount(amount, most, place)
            if amount:
                found[option] = str(amount)
        elif _LICENCE.fullmatch(name) is None:
            problem = f"{shown(name)} can't be the name of a licence, as which Slurm counts it"
            remedy = (
                "Slurm has cpus, memory, gpus, nodes and tasks, and licences named by letters, digits, `_`, `-`, `.`"
            )
            raise BadInput(problem, where=place, remedy=remedy)
        else:
            _check_amount(amount, _LICENCES_MAX, place)
            if amount:
                licences.append(f"{name}:{amount}")
    if licences:
        found["licenses"] = ",".join(licences)
    if timeout_us is not None:
        found["time"] = str(-(-timeout_us // MINUTE_US))
    return tuple(found.items())


def _check_amount(amount: int, most: int, where: str) -> None:
    if not 0 <= amount <= most:
        raise BadInput(f"{amount} is more than Slurm can count", where=where, remedy=f"give at most {most}")


def options(job: JobSpec, slurm: SlurmSpec, where: str = "") -> tuple[tuple[str, str], ...]:
    """All options that the job goes with, by name: its needs', its own, and the target's where it has none of them.

    An option without a value has "". `where` is the place of the job. Raises BadInput where two of the job's ask for
    the same thing in two ways.
    """
    own = canonical(job.sbatch, f"{where}.sbatch" if where else "sbatch")
    needed = dict(resources(job.needs, job.timeout_us, where))
    if "gpus" in own and "gpus" in needed:
        _merge_kind_of_gpus(own, needed, where)
    offered = _offered(slurm)
    if job.needs == DEFAULT_NEEDS and "cpus-per-gpu" in own.keys() | offered.keys():
        del needed["cpus-per-task"]  # one cpu is what a job has that says nothing
    mine = needed | own
    for ways in _WAYS:
        given = [each for each in ways if each in mine and (each != "gres" or _has_gpus(mine[each]))]
        if len(given) > 1:
            said = " and ".join(
                _SAID_BY.get(each, f"sbatch.{each}") if each in needed else f"sbatch.{each}" for each in given
            )
            raise BadInput(f"{said} ask for the same thing", where=where, remedy="give one of them")
        if given:
            _give_way(offered, ways, given[0], where)
    found = offered | mine
    return tuple((name, "" if value == "true" else value) for name, value in sorted(found.items()) if value != "false")


def _merge_kind_of_gpus(own: dict[str, str], needed: dict[str, str], where: str) -> None:
    """Take `needs.gpus = 2` beside `sbatch.gpus = "a100:2"` for one wish: how many, and of which kind."""
    kind_and_count = own.pop("gpus")
    if kind_and_count.rpartition(":")[2] != needed["gpus"]:
        problem = f"needs.gpus is {needed['gpus']}, and sbatch.gpus asks for {kind_and_count}"
        raise BadInput(problem, where=where, remedy="let both ask for as many")
    needed["gpus"] = kind_and_count


def _offered(slurm: SlurmSpec) -> dict[str, str]:
    """The target's own options, by their names in the one form."""
    found = canonical(slurm.sbatch, "sbatch")
    if slurm.partition:
        found["partition"] = slurm.partition
    if slurm.account:
        found["account"] = slurm.account
    return found


def _has_gpus(gres: str) -> bool:
    return any(re.split("[:/]", each.removeprefix("gres/"))[0] == "gpu" for each in gres.split(","))


def _give_way(offered: dict[str, str], ways: tuple[str, ...], by: str, where: str) -> None:
    """Take out of the target's options those that ask for what the job asks for by another."""
    for each in ways:
        if each == by or each not in offered or (each == "gres" and not _has_gpus(offered[each])):
            continue
        if each == "gres" and "," in offered[each]:
            problem = (
                f"{_SAID_BY.get(by, f'sbatch.{by}')} asks for GPUs, and so does the target's sbatch.gres, among others"
            )
            raise BadInput(problem, where=where, remedy="give the job a `sbatch.gres` of its own in place of it")
        del offered[each]


def check_job_on_cluster(job: JobSpec, where: str) -> None:
    """Check what a job says for Slurm, as far as that can be seen without its target. Raises BadInput."""
    check_options(job.sbatch, f"{where}.sbatch")
    if job.template and _PLAIN.fullmatch(job.template) is None:
        problem = f"{shown(job.template)} can't be the name of a template"
        raise BadInput(
            problem, where=f"{where}.template", remedy="give the name of one of the target's, without a folder"
        )
    for name in job.variables:
        if _VARIABLE.fullmatch(name) is None:
            problem = f"{shown(name)} can't be the name of a variable"
            raise BadInput(problem, where=f"{where}.variables", remedy="use letters, digits and `_`, no digit first")


def check_slurm(spec: SlurmSpec, where: str) -> None:
    """Check how a target's jobs are to be given to Slurm, but for its workdir. Raises BadInput."""
    check_options(spec.sbatch, f"{where}.sbatch")
    given = {each.replace("_", "-") for each in spec.sbatch}
    for name, value in (("partition", spec.partition), ("account", spec.account)):
        if value:
            _check_option(name, value, f"{where}.{name}")
            if name in given:
                raise BadInput(f"the {name} is given twice", where=f"{where}.sbatch.{name}", remedy="give it once")
    _check_between(spec.poll_us, 1_000_000, 86_400_000_000, f"{where}.poll", "from one second to a day")
    _check_between(spec.max_queued, 1, 1_000_000, f"{where}.max_queued", "a whole number from 1 to 1000000")
    for name, text in spec.templates.items():
        place = f"{where}.templates.{name}"
        if _PLAIN.fullmatch(name) is None:
            remedy = "use letters, digits, `_`, `-` and `.`"
            raise BadInput(f"{shown(name)} can't be the name of a template", where=place, remedy=remedy)
        if len(text.encode(errors="surrogatepass")) > TEMPLATE_BYTES_MAX or "\0" in text:
            problem = f"the template has a NUL character, or more than {TEMPLATE_BYTES_MAX} bytes"
            raise BadInput(problem, where=place, remedy="let it start a program that does the rest")
    if spec.template and spec.template not in spec.templates:
        problem = f"there is no template {shown(spec.template)}"
        raise BadInput(problem, where=f"{where}.template", remedy="give one of those in `templates`, or leave it out")
    if spec.pilot is not None:
        _check_pilot(spec.pilot, f"{where}.pilot")


def _check_pilot(pilot: PilotSpec, where: str) -> None:
    # One runner for each; more nodes are more allocations, each of which may start as soon as there is room for it.
    _check_between(pilot.nodes, 1, 1, f"{where}.nodes", "1 node for each allocation; `max` says how many there may be")
    _check_between(pilot.max, 1, 10_000, f"{where}.max", "a whole number from 1 to 10000")
    _check_between(pilot.cpus, 0, 65_533, f"{where}.cpus", "a whole number; 0 takes all of a node")
    _check_between(pilot.time_us, MINUTE_US, 366 * 1440 * MINUTE_US, f"{where}.time", "from a minute to a year")
    _check_between(pilot.idle_us, 1_000_000, 366 * 1440 * MINUTE_US, f"{where}.idle", "from a second to a year")


def _check_between(number: int, least: int, most: int, where: str, remedy: str) -> None:
    if not least <= number <= most:
        raise BadInput(f"{number} is out of bounds", where=where, remedy=f"give {remedy}")
