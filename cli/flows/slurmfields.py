"""What a target of kind slurm says of its cluster, and what a job on one says to it.

    [targets.cluster]
    kind = "slurm"
    partition = "main"                        # as `account`: of every job that says nothing else
    sbatch = { qos = "long" }                 # options of sbatch by their names; a job's own come before them
    poll = "10s"                              # the least time between two questions to the controller
    max_queued = 500                          # attempts in its queue at once, running ones included
    native_dependencies = true                # dependencies between its own jobs are given to Slurm
    templates = ["templates"]                 # folders with scripts, NAME.j2 or NAME.sh.j2, beside the flow
    template = "gpu"                          # the one of them that jobs take which name none
    pilot = { nodes = 1, time = "1h", max = 4, cpus = 16, idle = "1m" }

Which options there are, and what their values may be, is for `events.sbatch` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.sbatch import check_options, check_slurm
from holdfast.events.spec import SlurmSpec

from .jobvalues import items, members, read_timeout, read_whole
from .names import check_label, check_text, check_variable
from .places import Misfit, expected, unknown_key, within
from .templatefiles import read_folders

COUNT_MAX: Final = 1_000_000
_OPTIONS: Final = 'a table such as { qos = "long", constraint = "avx2" }'
_VARIABLES: Final = 'a table such as { module = "gcc/12", threads = 4 }'
_PILOT: Final = 'a table such as { nodes = 1, time = "1h", max = 4 }'
_FOLDERS: Final = "a folder or a list of folders"


def read_slurm(table: Mapping[str, object], given: Mapping[str, str], folder: str) -> SlurmSpec:
    """What the target's table says of its cluster. Raises Misfit at the key.

    `given`: its texts that other targets have as well. `folder`: what folders of templates are relative to.
    """
    fields: dict[str, object] = {}
    if "workdir" in given and "host" not in given:
        fields["workdir"] = given["workdir"]
    for key, (name, read) in _FIELDS.items():
        if key in table:
            fields[name] = _at(key, read, table[key])
    if "templates" in table:
        fields["templates"] = _at("templates", lambda value: _read_templates(value, folder), table["templates"])
    spec = msgspec.convert(fields, SlurmSpec)
    if spec.template and spec.template not in spec.templates:
        raise within(_no_template(spec), "template")
    _check(lambda: check_slurm(spec, ""))
    if spec.template:
        _check_template(spec)
    return spec


def read_options(value: object) -> dict[str, str]:
    """Options of sbatch as text, also numbers and `true` or `false`, which stand for an option without a value."""
    options = _texts(value, _OPTIONS, check_label)
    _check(lambda: check_options(options, ""))
    return options


def read_variables(value: object) -> dict[str, str]:
    """What a template may use, by names that it can: strings, numbers, and `true` or `false`, all as text."""
    return _texts(value, _VARIABLES, check_variable)


def read_template(value: object) -> str:
    """The name of a template."""
    return check_label(value, "template")


def _check(check: Callable[[], None]) -> None:
    """What `events.sbatch` has to say, at the path of keys that it names."""
    try:
        check()
    except BadInput as error:
        path = tuple(key for key in error.where.split(".") if key)
        raise Misfit(error.problem, path=path, remedy=error.remedy) from None


def _check_template(spec: SlurmSpec) -> None:
    from holdfast.clusters import check_own_template  # noqa: PLC0415 - most flows have none

    try:
        check_own_template(spec)
    except BadInput as error:
        problem = f"{error.where}: {error.problem}" if error.where else error.problem
        raise Misfit(problem, path=("template",), remedy=error.remedy) from None


def _at(key: str, read: Callable[[object], object], value: object) -> object:
    try:
        return read(value)
    except BadInput as error:
        raise within(error, key) from None


def _read_name(value: object) -> str:
    return check_label(value)


def _read_count(value: object) -> int:
    return read_whole(value, 1, COUNT_MAX)


def _read_interval(value: object) -> int:
    """A duration of a second at least."""
    return _not_below(read_timeout(value), value, 1_000_000, "a second")


def _read_time_limit(value: object) -> int:
    """A duration of a minute at least, by which Slurm counts."""
    return _not_below(read_timeout(value), value, 60_000_000, "a minute")


def _not_below(duration_us: int, value: object, least_us: int, least: str) -> int:
    if duration_us < least_us:
        raise Misfit(f"{shown(value)} is shorter than {least}", remedy=f"give {least} at least")
    return duration_us


def _read_switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value


def _read_pilot(value: object) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, given in members(value, _PILOT).items():
        if key not in _PILOT_FIELDS:
            raise unknown_key(key, _PILOT_FIELDS)
        name, read = _PILOT_FIELDS[key]
        fields[name] = _at(key, read, given)
    return fields


def _read_templates(value: object, folder: str) -> dict[str, str]:
    folders: list[str] = []
    for position, each in enumerate([value] if isinstance(value, str) else items(value, _FOLDERS), 1):
        if not isinstance(each, str):
            raise within(expected("a folder", each), str(position))
        folders.append(check_text(each, "the path", lines=False))
    return read_folders(folders, folder)


def _no_template(spec: SlurmSpec) -> Misfit:
    names = ", ".join(sorted(spec.templates))
    remedy = f"there are: {names}" if names else 'name the folder it is in, as in templates = ["templates"]'
    return Misfit(f"there is no template {shown(spec.template)}", remedy=remedy)


def _texts(value: object, what: str, check: Callable[[object], str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, given in members(value, what).items():
        try:
            texts[check(name)] = _text_of(given)
        except BadInput as error:
            raise within(error, name) from None
    return texts


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise expected("a string, a number, true or false", value)
    return check_text(value, "the value")


# Key: the name in SlurmSpec or PilotSpec, and what checks the value, converts it, and raises BadInput.
_FIELDS: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "partition": ("partition", _read_name),
    "account": ("account", _read_name),
    "sbatch": ("sbatch", read_options),
    "poll": ("poll_us", _read_interval),
    "max_queued": ("max_queued", _read_count),
    "native_dependencies": ("native_dependencies", _read_switch),
    "template": ("template", read_template),
    "pilot": ("pilot", _read_pilot),
}
_PILOT_FIELDS: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "nodes": ("nodes", _read_count),
    "time": ("time_us", _read_time_limit),
    "max": ("max", _read_count),
    "cpus": ("cpus", _read_count),
    "idle": ("idle_us", _read_interval),
}
KEYS: Final = (*_FIELDS, "templates")
