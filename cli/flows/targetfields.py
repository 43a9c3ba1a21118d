"""The fields of `[targets.NAME]`: what a target offers, and how it is reached: this machine, over SSH, or a cluster.

- `kind`: `local`, `ssh` or `slurm`; a target with a host is of kind ssh unless it says otherwise.
- `capacity`: counted amounts. A cluster needs none: what it leaves out Slurm counts alone.
- `host`, `workdir`, `python`: the other machine, or the cluster's login node. Without a host Slurm's commands are here.
- What is a cluster's alone stands in `slurmfields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.spec import LOCAL, SshSpec, TargetSpec

from .jobvalues import read_amounts
from .places import Misfit, expected, unknown_key, within
from .slurmfields import KEYS as SLURM_KEYS
from .slurmfields import read_slurm

_CAPACITY: Final = "{ cpus = 8, gpus = 1 }"
_WAY: Final = ("host", "workdir", "python")
_SLURM: Final = "slurm"
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    LOCAL: ("kind", "capacity"),
    "ssh": ("kind", "capacity", *_WAY),
    _SLURM: ("kind", "capacity", *_WAY, *SLURM_KEYS),
}


def read_target(table: Mapping[str, object], folder: str) -> TargetSpec:
    """The target that the table describes.

    `folder` is the absolute path that folders of templates are relative to. Raises Misfit at the key.
    """
    kind = table.get("kind", "ssh" if "host" in table else LOCAL)
    if not isinstance(kind, str) or kind not in _KEYS:
        remedy = f"the kinds are: {', '.join(_KEYS)}"
        raise Misfit(f"{shown(kind)} is no kind of target", path=("kind",), remedy=remedy)
    keys = _KEYS[kind]
    for key in table:
        if key not in keys:
            raise _no_such_key(key, kind, keys)
    capacity = _read_capacity(table, kind)
    given = _texts(table)
    if kind == LOCAL:
        return TargetSpec(capacity)
    if kind == "ssh" and "host" not in given:
        raise Misfit("the target has no host", remedy='write host = "..." with a name from ~/.ssh/config or an address')
    ssh = SshSpec(**given) if "host" in given else None
    if kind == "ssh":
        return TargetSpec(capacity, ssh)
    if ssh is None and "python" in given:
        remedy = "give the host that it is on, or leave it out"
        raise Misfit("an interpreter is given, and no host", path=("python",), remedy=remedy)
    return TargetSpec(capacity, ssh, read_slurm(table, given, folder))


def _no_such_key(key: str, kind: str, keys: tuple[str, ...]) -> Misfit:
    """The refusal of a key, which may be right for a target of another kind."""
    other = next((name for name, known in _KEYS.items() if key in known), None)
    if other is None or (kind == LOCAL and key in _WAY):
        return unknown_key(key, keys)
    problem = f"a target of kind {kind} has no such key"
    return Misfit(problem, path=(key,), remedy=f'it belongs to targets with kind = "{other}"')


def _read_capacity(table: Mapping[str, object], kind: str) -> dict[str, int]:
    if "capacity" not in table:
        if kind == _SLURM:
            return {}
        raise Misfit("the target has no capacity", remedy=f"write capacity = {_CAPACITY}")
    try:
        return read_amounts(table["capacity"], _CAPACITY)
    except BadInput as error:
        raise within(error, "capacity") from None


def _texts(table: Mapping[str, object]) -> dict[str, str]:
    """Those keys that say how a machine is reached."""
    given: dict[str, str] = {}
    for key in _WAY:
        value = table.get(key)
        if isinstance(value, str):
            given[key] = value
        elif key in table:
            raise within(expected("a string", value), key)
    return given
