"""What people may do about other machines: have them tried now, and accept the key that one shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .checks import check_target, unknown_target
from .draft import Draft
from .errors import BadInput
from .facts import DialRequested, HostTrusted
from .hosts import Refused, Up
from .messages import Changed
from .records import Retired, Target
from .spec import HERE, SshSpec, TargetSpec


def check_targets(draft: Draft, given: Mapping[str, TargetSpec]) -> None:
    """Check what is said of targets against what the home has. Raises BadInput."""
    for name, spec in given.items():
        where, known = f"targets.{name}", draft.targets.get(name)
        check_target(name, spec, where)
        named = spec.ssh is not None or spec.slurm is not None
        if name not in HERE and not named and (known is None or not known.is_elsewhere):
            raise unknown_target(name, where)
        if named:
            _check_way(draft, given, name, spec)


def _check_way(draft: Draft, given: Mapping[str, TargetSpec], name: str, spec: TargetSpec) -> None:
    where, known = f"targets.{name}", draft.targets.get(name)
    if known is not None and _way_of(known) not in {None, _way_of(spec)} and _is_busy(draft, name):
        problem = "it has jobs in flight, which are found by the kind, the host and the workdir that it has now"
        raise BadInput(problem, where=where, remedy="wait until they have ended, or give the other way another name")
    others: dict[str, TargetSpec | Target] = {
        each.name: each for each in draft.base.targets() if each.allocation is None
    }
    others |= {other: each for other, each in given.items() if _way_of(each) is not None}
    for other, there in others.items():
        if other != name:
            _check_apart(name, spec, other, there)


def _is_busy(draft: Draft, name: str) -> bool:
    """Whether attempts are in flight there, or (of a cluster) allocations that are not done with."""
    parts = (each.allocation for each in draft.base.targets())
    lasting = (each for each in parts if each is not None and each.cluster == name)
    return bool(draft.base.in_flight(name)) or any(not isinstance(each.state, Retired) for each in lasting)


def _way_of(target: TargetSpec | Target) -> tuple[SshSpec | str, bool] | None:
    """By what a target's jobs are found again: the host and the workdir there, or only that; and if Slurm has them."""
    if target.ssh is not None:
        return target.ssh, target.slurm is not None
    return None if target.slurm is None else (target.slurm.workdir, True)


def _check_apart(name: str, spec: TargetSpec, other: str, there: TargetSpec | Target) -> None:
    """Refuse a target that would get into the way of another one.

    A machine has one target, as what it has is counted there. What is given to Slurm, Slurm counts: so a login node may
    have several, and a target for itself.
    """
    where = f"targets.{name}"
    counted_here = spec.slurm is None and there.slurm is None
    if counted_here and spec.ssh is not None and there.ssh is not None and there.ssh.host == spec.ssh.host:
        problem = f"the target {other!r} has the host {there.ssh.host!r} already, and counts what is used there"
        raise BadInput(problem, where=f"{where}.host", remedy="use that target; limits can share it among jobs")
    for cluster, its, inner in ((name, spec, other), (other, there, name)):
        if its.slurm is not None and inner.startswith(f"{cluster}/"):
            problem = f"names that begin with '{cluster}/' are those of the allocations of the target {cluster!r}"
            raise BadInput(problem, where=where, remedy=f"give {inner!r} or {cluster!r} another name")


def dial(draft: Draft, targets: Iterable[str]) -> Changed:
    """Have these tried now; those that are connected are left alone."""
    found = [_remote(draft, name) for name in dict.fromkeys(targets)]
    changed: list[str] = []
    for target in found:
        if not isinstance(target.host, Up):
            draft.record(DialRequested(target.name))
            changed.append(target.name)
    return Changed(targets=tuple(changed))


def trust(draft: Draft, name: str, fingerprint: str) -> Changed:
    """Accept the key that the machine showed last, if this is its fingerprint, and try it again."""
    target = _remote(draft, name)
    shown = target.host
    if not isinstance(shown, Refused):
        problem = f"no key of the target {name!r} waits to be accepted"
        raise BadInput(problem, remedy=f"`holdfast hosts check {name}` has it tried, and says which key it shows")
    if shown.fingerprint != fingerprint:
        problem = f"the key that {name!r} shows is {shown.fingerprint}, not {fingerprint}"
        raise BadInput(problem, remedy="compare it with what the machine's owner says, and give the one that both show")
    # Targets behind the same host wait for the same key. They are asked of the draft: one may have another host by now.
    targets = (draft.targets.get(each.name) or each for each in draft.base.targets())
    there = sorted((each for each in targets if _shows(each, target, shown)), key=lambda each: each.name)
    for each in there:
        draft.record(HostTrusted(each.name, shown.key, fingerprint))
    return Changed(targets=tuple(each.name for each in there))


def _shows(target: Target, other: Target, refused: Refused) -> bool:
    """Whether a target showed the same key as another one, on the same host."""
    there = isinstance(target.host, Refused) and target.host.key == refused.key
    return target.name == other.name or (there and target.ssh is not None and target.ssh.host == _host_of(other))


def _host_of(target: Target) -> str:
    return "" if target.ssh is None else target.ssh.host


def _remote(draft: Draft, name: str) -> Target:
    target = draft.targets.get(name)
    if target is None or not target.is_elsewhere:
        what = "is on this machine" if name in HERE else "is not known here"
        raise BadInput(f"the target {name!r} {what}", remedy="`holdfast hosts` lists those on other machines")
    return target
