"""The fields of a job as a user gives them: each key with the one function that checks and converts its value.

Flow files, JSON Lines and the options of `submit` and `map` all come here with tables of plain values. What the rules
are, key by key, is `FIELDS`; what holds between keys is `job_of`.

- `run`: a list (no shell) or a string (for `/bin/sh -c`). `cwd`: relative to the flow's folder, recorded absolute, and
  the folder itself by default; on another machine relative to the target's workdir. `~` and `$` mean nothing in it.
- `after`, `after_any`, `after_failed`: a name, an id (a number), or a list of these. `limits`: `name` or `name:key`.
- `needs`: whole numbers, or sizes such as "8GB"; for memory a number is bytes. A job takes one cpu unless it says
  otherwise, also where it names other needs; `cpus = 0` says that it takes none.
- `inputs`, `outputs`: files that go to another machine and come back, as `stagingfields` says.
- `sbatch`, `template`, `variables`: what a job says to a cluster, as `slurmfields` has it.
- `timeout`, `grace`, `retry_delay`, `retry_delay_max`: durations with a unit. `max_output`: a size, or bytes. A
  `retry_delay` above the default of `retry_delay_max` raises that, if it isn't given; and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from posixpath import join
from typing import Final, cast

import msgspec

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.spec import HERE, LOCAL, JobSpec

from . import jobvalues as values
from .names import check_name
from .places import Misfit, unknown_key, within
from .slurmfields import read_options, read_template, read_variables
from .stagingfields import place_files, read_inputs, read_outputs

Fields = dict[str, object]

_DELAY_DEFAULT_US: Final = JobSpec("").retry_delay_us
_DELAY_MAX_DEFAULT_US: Final = JobSpec("").retry_delay_max_us

# Key: the name in JobSpec, and what checks the value, converts it, and raises BadInput.
FIELDS: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "name": ("name", check_name),
    "run": ("run", values.read_run),
    "after": ("after", values.read_dependencies),
    "after_any": ("after_any", values.read_dependencies),
    "after_failed": ("after_failed", values.read_dependencies),
    "target": ("target", values.read_target),
    "needs": ("needs", values.read_needs),
    "limits": ("limits", values.list_reader("a limit or a list of limits", values.read_limit, unique=True)),
    "priority": ("priority", values.read_priority),
    "retries": ("retries", values.read_retries),
    "retry_on": ("retry_on", values.read_retry_on),
    "retry_delay": ("retry_delay_us", values.read_duration),
    "retry_delay_max": ("retry_delay_max_us", values.read_duration),
    "timeout": ("timeout_us", values.read_timeout),
    "grace": ("grace_us", values.read_duration),
    "max_output": ("max_output_bytes", values.read_size),
    "env": ("env", values.read_env),
    "cwd": ("cwd", values.read_cwd),
    "secrets": ("secrets", values.list_reader("a variable or a list of variables", values.read_secret, unique=True)),
    "key": ("key", values.read_key),
    "hold": ("hold", values.read_hold),
    "inputs": ("inputs", read_inputs),
    "outputs": ("outputs", read_outputs),
    "sbatch": ("sbatch", read_options),
    "template": ("template", read_template),
    "variables": ("variables", read_variables),
}


def read_fields(table: Mapping[str, object]) -> Fields:
    """Check and convert each value of a job's table, under the names that JobSpec has. Raises Misfit at its key."""
    fields: Fields = {}
    for key, value in table.items():
        field = FIELDS.get(key)
        if field is None:
            raise unknown_key(key, FIELDS)
        name, read = field
        try:
            fields[name] = read(value)
        except BadInput as error:
            raise within(error, key) from None
    return fields


def job_of(fields: Fields, folder: str) -> JobSpec:
    """The job that has these fields (of `read_fields`; changed in place).

    `folder` is the absolute path that `cwd` is relative to. Raises Misfit for what doesn't fit together.
    """
    if "run" not in fields:
        raise Misfit("the job has no run", remedy='give what it runs, as in run = ["echo", "hello"]')
    cwd = fields.get("cwd")
    if fields.get("target", LOCAL) in HERE:
        fields["cwd"] = folder if cwd is None else _joined(folder, str(cwd))
    else:
        fields["cwd"] = "" if cwd is None else str(cwd)
    if "retry_delay_us" in fields or "retry_delay_max_us" in fields:
        _fit_delays(fields)
    if "secrets" in fields and "env" in fields:
        _check_secrets(fields)
    if "inputs" in fields or "outputs" in fields:
        place_files(fields, folder)
    return msgspec.convert(fields, JobSpec)


def job_from(table: Mapping[str, object], folder: str) -> JobSpec:
    """One job from a table of plain values under the keys of `FIELDS`, which `submit` and `map` fill from options.

    `folder` is the absolute path that `cwd` is relative to. Raises Misfit, whose `where` is the key.
    """
    return job_of(read_fields(table), folder)


def _joined(folder: str, cwd: str) -> str:
    # '..' stays as it is: what it means depends on links, which only the host that runs the job can follow.
    parts = [part for part in join(folder, cwd).split("/") if part not in {"", "."}]
    return "/" + "/".join(parts)


def _fit_delays(fields: Fields) -> None:
    delay_us, delay_max_us = fields.get("retry_delay_us"), fields.get("retry_delay_max_us")
    if isinstance(delay_us, int) and isinstance(delay_max_us, int):
        if delay_us > delay_max_us:
            remedy = "the delay doubles from retry_delay up to retry_delay_max"
            raise Misfit("retry_delay is longer than retry_delay_max", path=("retry_delay",), remedy=remedy)
    elif isinstance(delay_us, int):
        fields["retry_delay_max_us"] = max(delay_us, _DELAY_MAX_DEFAULT_US)
    elif isinstance(delay_max_us, int):
        fields["retry_delay_us"] = min(delay_max_us, _DELAY_DEFAULT_US)


def _check_secrets(fields: Fields) -> None:
    env = cast("dict[str, str]", fields["env"])
    for name in cast("list[str]", fields["secrets"]):
        if name in env:
            remedy = "take it out of env: only the name of a secret is recorded, never its value"
            raise Misfit(f"{shown(name)} stands in env as well", path=("secrets",), remedy=remedy)
