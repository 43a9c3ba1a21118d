"""What is said of clusters from Python: how their jobs are given to Slurm, and what jobs on them say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec import Struct

from holdfast.events.checks import check_text
from holdfast.events.errors import BadInput
from holdfast.events.sbatch import TEMPLATE_BYTES_MAX
from holdfast.events.spec import HERE, FlowSpec, PilotSpec, SlurmSpec
from holdfast.store.errors import NoHome
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from .durations import Duration, microseconds

Plain = str | int | float | bool
"""A value that is recorded as text: `True` as `true`, 4 as `4`."""


class Pilot(Struct, frozen=True, kw_only=True):
    """Allocations that start a runner each, for many small jobs; the fields are those of `pilot` in a flow file.

    Up to `max` at once, each of `nodes` nodes for `time`, with `cpus` of each node, 0 for all that it has. One that has
    had nothing to do for `idle` is given back.
    """

    nodes: int = 1
    time: Duration = "1h"
    max: int = 1
    cpus: int = 0
    idle: Duration = "1m"


class Slurm(Struct, frozen=True, kw_only=True):
    """How a target's jobs are given to Slurm; the fields are those of a target in a flow file, see docs/slurm.md.

    `sbatch`: options of every job, by their names; `True` for one without a value. `poll`: the least time between two
    questions to the controller. `max_queued`: attempts in its queue at once. `templates`: texts of scripts by name, or
    files that have them; `template`: the one that jobs take which name none. `pilot`: allocations for small jobs.
    """

    partition: str = ""
    account: str = ""
    sbatch: Mapping[str, Plain] = {}
    poll: Duration = "10s"
    max_queued: int = 500
    native_dependencies: bool = False
    templates: Mapping[str, str | os.PathLike[str]] = {}
    template: str = ""
    pilot: Pilot | None = None


def slurm_of(given: Slurm, workdir: str, where: str) -> SlurmSpec:
    """What is recorded of it. Raises BadInput for a value of a wrong type, and for a template that can't be read."""
    if not isinstance(cast("object", given), Slurm):
        raise BadInput(f"{given!r} is no cluster", where=where, remedy="give a holdfast.Slurm(...)")
    spec = SlurmSpec(
        workdir=workdir,
        partition=given.partition,
        account=given.account,
        sbatch=texts_of(given.sbatch, f"{where}.sbatch"),
        poll_us=microseconds(given.poll, f"{where}.poll"),
        max_queued=given.max_queued,
        native_dependencies=given.native_dependencies,
        templates={name: _text(each, f"{where}.templates.{name}") for name, each in given.templates.items()},
        template=given.template,
        pilot=None if given.pilot is None else _pilot_of(given.pilot, f"{where}.pilot"),
    )
    try:
        checked = msgspec.convert(msgspec.to_builtins(spec), SlurmSpec, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"a value is of the wrong type: {error}", where=where, remedy="see `help(holdfast.Slurm)`"
        ) from None
    check_own_template(checked)
    return checked


def texts_of(given: Mapping[str, Plain], where: str) -> dict[str, str]:
    """Plain values as text. Raises BadInput."""
    if not isinstance(cast("object", given), Mapping):
        raise BadInput(f"{given!r} is no mapping", where=where, remedy='give one, such as {"qos": "long"}')
    return {name: _plain(value, f"{where}.{name}") for name, value in given.items()}


def check_own_template(slurm: SlurmSpec) -> None:
    """Check the template of a target's own, without any job. Raises BadInput."""
    if slurm.template in slurm.templates:
        from holdfast.actors.slurm.templates import check_template  # noqa: PLC0415 - most programs have none

        check_template(slurm.template, slurm.templates)


def check_scripts(home: Home, flow: FlowSpec) -> None:
    """Check the jobs of a flow that go to clusters, by making a script of each kind of them. Raises BadInput.

    Jobs that differ only in what no template sees are looked at once. A target that is not known is left to others.
    """
    seen: set[tuple[object, ...]] = set()
    clusters: dict[str, SlurmSpec | None] = {}
    for position, job in enumerate(flow.jobs, 1):
        if job.target in HERE:
            continue
        kind = (job.target, job.template, *map(tuple, (job.variables.items(), job.env, job.secrets)))
        if kind in seen:
            continue
        seen.add(kind)
        if job.target not in clusters:
            clusters[job.target] = _cluster(home, flow, job.target)
        slurm = clusters[job.target]
        if slurm is not None and (job.template or slurm.template or job.variables or job.env or job.secrets):
            from holdfast.actors.slurm.script import check_job_template  # noqa: PLC0415 - see above

            place = f"jobs.{job.name or position}"
            try:
                check_job_template(job, slurm, place)
            except BadInput as error:
                if error.where.startswith(place):
                    raise
                # It is the template's own line; which job needs what it lacks is as good to know.
                raise BadInput(error.problem, where=f"{place}: {error.where}", remedy=error.remedy) from None


def _cluster(home: Home, flow: FlowSpec, name: str) -> SlurmSpec | None:
    """How the jobs of a target are given to Slurm once the flow is recorded; None for one that is no cluster."""
    given = flow.targets.get(name)
    if given is not None and (given.ssh is not None or given.slurm is not None):
        return given.slurm
    try:
        with Reader(home) as reader:
            target = reader.lookups.target(name)
    except NoHome:
        return None
    return None if target is None else target.slurm


def _pilot_of(pilot: Pilot, where: str) -> PilotSpec:
    time_us, idle_us = microseconds(pilot.time, f"{where}.time"), microseconds(pilot.idle, f"{where}.idle")
    return PilotSpec(pilot.nodes, time_us, pilot.max, pilot.cpus, idle_us)


def _plain(value: Plain, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(cast("object", value), str | int | float):
        raise BadInput(f"{value!r} is no plain value", where=where, remedy="give text, a number, True or False")
    text = str(value)
    check_text((text,), where)
    return text


def _text(template: str | os.PathLike[str], where: str) -> str:
    """A template as it is given, or as the file has it."""
    if isinstance(template, str):
        return template
    try:
        with open(template, encoding="utf-8") as file:  # noqa: PTH123 - any path
            return file.read(TEMPLATE_BYTES_MAX + 1)  # more than that is refused in any case
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"it can't be read: {error}", where=where, remedy="give a file of UTF-8, or the text") from None
