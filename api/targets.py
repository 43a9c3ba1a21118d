"""What is said of targets from Python: what they offer, and how those elsewhere are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from holdfast.events.errors import BadInput
from holdfast.events.messages import Configure
from holdfast.events.spec import LimitSpec, SshSpec
from holdfast.events.units import parse_amount, parse_rate

from .clusters import Slurm, slurm_of
from .labels import check_label

Amount = int | str

_WORKDIR: Final = SshSpec("").workdir


def offer(
    target: str, capacity: Mapping[str, Amount], *, host: str, workdir: str, python: str, slurm: Slurm | None
) -> Configure:
    """The command that sets it. Raises BadInput for an amount that is none."""
    check_label(target, "name", "targets")
    where = f"targets.{target}"
    if not host and (python or (workdir != _WORKDIR and slurm is None)):
        problem = "a workdir or an interpreter is given, and no host"
        raise BadInput(problem, where=f"{where}.host", remedy="give the host that they are on, too")
    amounts = amounts_of(capacity, f"{where}.capacity")
    ssh = {target: SshSpec(host, workdir, python)} if host else {}
    # Over SSH the workdir is the host's to say.
    clusters = {} if slurm is None else {target: slurm_of(slurm, _WORKDIR if host else workdir, where)}
    return Configure({target: amounts}, ssh, clusters)


def limit(name: str, concurrent: int | None, rate: str | None, burst: int) -> Configure:
    """The command that sets a limit. Raises BadInput for a rate that is none."""
    check_label(name, "name", "limits")
    where = f"limits.{name}.rate"
    if rate is not None and not isinstance(cast("object", rate), str):
        raise BadInput(f"{rate!r} is no rate", where=where, remedy='write it as in "10/s" or "3/min"')
    interval_us = None if rate is None else parse_rate(rate, where)
    return Configure({}, limits={name: LimitSpec(concurrent, interval_us, burst)})


def amounts_of(given: Mapping[str, Amount], where: str) -> dict[str, int]:
    """Whole numbers, of text as well, such as "8GB". Raises BadInput."""
    if not isinstance(cast("object", given), Mapping):
        raise BadInput(f"{given!r} says no amounts", where=where, remedy='give a mapping, such as {"cpus": 4}')
    return {
        name: parse_amount(amount, f"{where}.{name}") if isinstance(amount, str) else amount
        for name, amount in given.items()
    }
