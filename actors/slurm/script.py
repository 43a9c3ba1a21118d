"""The script that a batch goes to Slurm with: directives, the fence, and the commands of its attempts.

    header     `#SBATCH` lines, composed from checked values
    claim      the fence: the first act is to make the attempt's file; a second copy finds it there, and ends
    command    the attempt's command, with its words as they were asked for, and the file that says how it ended

`batch.sh.j2` has all of it; a template of the target's may put its own between. A script is made once and recorded;
what is sent again is the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.spec import JobSpec, SlurmSpec

from ..targets.messages import Order
from .shellwords import CARRIAGE_RETURN, Composed, directive, directive_words
from .templates import RESERVED, fill_in

if TYPE_CHECKING:
    from jinja2 import Template

SECOND_COPY: Final = 111
"""The script's exit code where another copy of the attempt had claimed it: this one ran nothing."""
NOT_CLAIMED: Final = 112
"""The script's exit code where the attempt could not be claimed: nothing was run, and nobody has claimed it."""
NOT_STARTED: Final = 113
"""The script's exit code where the attempt was claimed and its command could not be started."""
NOT_DUE: Final = 114
"""The script's exit code where what the attempt waits for had not ended so: nobody has claimed it, nothing was run."""

_TEXT: Final = Path(__file__).with_name("batch.sh.j2")
_OWN: Final = ("HOLDFAST_JOB", "HOLDFAST_ATTEMPT", "HOLDFAST_TOKEN")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Shells keep these to themselves, or live by them: what is sourced can't set them.
_SHELLS: Final = frozenset(
    {
        "_", "BASHOPTS", "BASHPID", "BASH_ENV", "BASH_VERSINFO", "CDPATH", "ENV", "EUID", "GROUPS",
        "HISTCMD", "HOME", "IFS", "LINENO", "OLDPWD", "OPTARG", "OPTIND", "PATH", "PPID", "PS1", "PS2",
        "PS4", "PWD", "RANDOM", "SECONDS", "SHELLOPTS", "SHLVL", "UID",
    }
)  # fmt: skip


class Place(Struct, frozen=True):
    """Where a cluster's jobs work, and Holdfast's folder there; both are absolute and shared with the nodes."""

    workdir: str
    folder: str


class _Task(Struct, frozen=True):
    """A row of the script's table."""

    work: str
    cwd: str
    words: tuple[str, ...]


def render(
    batch: str,
    orders: Sequence[Order],
    options: Sequence[tuple[str, str]],
    slurm: SlurmSpec,
    place: Place,
    plan: str = "",
) -> str:
    """The script of a batch called `batch`: of one order, or as an array of as many tasks as there are orders.

    `options` are pairs of an option's name and value ("" where it has none), as `events.sbatch.options` gives them;
    they, the template and its variables are those of all orders (`arrays.batches`). `plan` is what it notes with its
    claim. Raises BadInput, and where the template is to blame its name and line are `where`.
    """
    for order in orders:
        check_environment(order.spec)
    first = orders[0].spec
    variables = _variables(batch, orders, options, place) | {"plan": plan}
    text = _assembled(variables, first, slurm)
    return _assembled(variables | {"carriage_returns": True}, first, slurm) if f"${CARRIAGE_RETURN}" in text else text


def _assembled(variables: dict[str, object], spec: JobSpec, slurm: SlurmSpec) -> str:
    template = _builtin()
    pieces = {name: "".join(block(template.new_context(variables))) for name, block in template.blocks.items()}
    name = spec.template or slurm.template
    if not name:
        return "\n".join((pieces["header"], pieces["claim"], pieces["command"], pieces["footer"]))
    _check_variables(spec.variables)
    text = fill_in(name, slurm.templates, pieces, {**spec.variables, "needs": dict(spec.needs)})
    return text.rstrip("\n") + "\n\n" + pieces["footer"]


def sbatch_argv(script: str, secrets: Iterable[str] = ()) -> list[str]:
    """The command that submits a script of ours, which is its standard input; it prints the id.

    The directives are given again as options: variables such as SBATCH_JOB_NAME and SBATCH_REQUEUE count for more than
    directives, and less than options. `secrets` are names of variables that must not go along with the environment of
    whoever submits: only then it is `env` that starts sbatch, and ends with 127 if there is none.
    """
    unset = [word for name in secrets for word in ("-u", name)]
    return [*(["env", *unset] if unset else []), "sbatch", "--parsable", *directive_words(script)]


def check_environment(spec: JobSpec, where: str = "") -> None:
    """Check that a shell can pass on a job's variables; `where` is the job's place. Raises BadInput."""
    for names, key in ((spec.env, "env"), (spec.secrets, "secrets")):
        for name in names:
            if not _VARIABLE.fullmatch(name) or (key == "secrets" and name in _SHELLS):
                problem = f"{shown(name)} can't be the name of a variable in a script"
                remedy = "use letters, digits and `_`, no digit first, and none of the shell's own"
                raise BadInput(problem, where=f"{where}.{key}" if where else key, remedy=remedy)


def check_job_template(spec: JobSpec, slurm: SlurmSpec, where: str = "") -> None:
    """Check a job against the template that it takes, by making its script. Raises BadInput; `where` is its place."""
    check_environment(spec, where)
    name = spec.template or slurm.template
    if spec.template and spec.template not in slurm.templates:
        problem = f"there is no template {shown(spec.template)}"
        remedy = f"the target has {', '.join(slurm.templates) or 'none'}"
        raise BadInput(problem, where=f"{where}.template" if where else "template", remedy=remedy)
    if spec.variables and not name:
        problem = "there are variables, and no template that could use them"
        raise BadInput(
            problem, where=f"{where}.variables" if where else "variables", remedy="give a `template` as well"
        )
    render("0.0.0", [Order(0, 0, "0.0.0", spec)], (), slurm, Place("/", "/"))


def _check_variables(variables: Mapping[str, str]) -> None:
    for name in variables:
        if name in RESERVED:
            problem = f"{name} has a meaning of its own in templates"
            raise BadInput(problem, where=f"variables.{name}", remedy="give the variable another name")


def task_words(spec: JobSpec) -> tuple[str, ...]:
    """What the script is to execute for a job: its command, by way of `env` if it has variables.

    Shells change some variables of a name that they know, and refuse others; `env` does neither.
    """
    hidden = (*_OWN, *spec.secrets)
    assignments = [f"{name}={value}" for name, value in spec.env.items() if name not in hidden]
    command = ("/bin/sh", "-c", spec.run) if isinstance(spec.run, str) else spec.run
    if "=" in command[0] or command[0].startswith("-"):  # neither another variable nor an option
        command = ("/bin/sh", "-c", '"$@"', "sh", *command)
    return ("env", *assignments, *command) if assignments else command


def _variables(
    batch: str, orders: Sequence[Order], options: Sequence[tuple[str, str]], place: Place
) -> dict[str, object]:
    tasks = [
        _Task(f"{each.job}.{each.attempt}", f"{place.workdir}/{each.spec.cwd}", task_words(each.spec))
        for each in orders
    ]
    home = orders[0].token.removesuffix(f".{tasks[0].work}")
    assert all(order.token == f"{home}.{task.work}" for order, task in zip(orders, tasks, strict=True))
    folders = {task.cwd for task in tasks}
    return {
        "array": len(orders) > 1,
        "tasks": tasks,
        "home": home,
        "folder": place.folder,
        "folder_of_all": folders.pop() if len(folders) == 1 else None,
        "secrets": bool(orders[0].spec.secrets),
        "second_copy": SECOND_COPY,
        "not_claimed": NOT_CLAIMED,
        "not_due": NOT_DUE,
        "after": tuple(f"{token.removeprefix(f'{home}.')}:{kind}" for token, kind in orders[0].after.items()),
        "not_started": NOT_STARTED,
        "directives": [Composed(each) for each in _directives(batch, orders, options, place)],
        "carriage_returns": False,
    }


def _directives(batch: str, orders: Sequence[Order], options: Sequence[tuple[str, str]], place: Place) -> list[str]:
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", orders[0].spec.name)[:100]
    log = "%A_%a.log" if len(orders) > 1 else "%j.log"
    own = [
        ("job-name", batch),
        ("comment", f"{batch}:{name}" if name else batch),
        ("no-requeue", ""),
        ("output", f"{place.folder.replace('%', '%%')}/slurm/{log}"),
        ("open-mode", "append"),
        ("export", "ALL"),
        ("ignore-pbs", ""),
    ]
    if len(orders) > 1:
        own.append(("array", f"0-{len(orders) - 1}"))
    return [directive(option, value) for option, value in (*own, *options)]


@cache
def _builtin() -> Template:
    from .sandbox import Sandbox  # noqa: PLC0415 - Jinja2 is loaded where there are clusters, and nowhere else

    return Sandbox({}).from_string(_TEXT.read_text())
