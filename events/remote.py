"""What people may do about other machines: have them tried now, and accept the key that one shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .checks import check_target, unknown_target
from .draft import Draft
from .errors import BadInput
from .facts import DialRequested, HostTrusted
from .hosts import Refused, Up
from .messages import Changed
from .records import Target
from .spec import HERE, SshSpec, TargetSpec


def check_targets(draft: Draft, given: Mapping[str, TargetSpec]) -> None:
    """Check what is said of targets against what the home has. Raises BadInput."""
    for name, spec in given.items():
        where, known = f"targets.{name}", draft.targets.get(name)
        check_target(name, spec, where)
        if name not in HERE and spec.ssh is None and (known is None or known.ssh is None):
            raise unknown_target(name, where)
        if spec.ssh is not None:
            _check_way(draft, given, name, spec.ssh)


def _check_way(draft: Draft, given: Mapping[str, TargetSpec], name: str, way: SshSpec) -> None:
    where, known = f"targets.{name}", draft.targets.get(name)
    if known is not None and known.ssh not in {None, way} and draft.base.in_flight(name):
        problem = "it has jobs in flight, which are found by the host and the workdir that it has now"
        raise BadInput(problem, where=where, remedy="wait until they have ended, or give the other way another name")
    ways = {each.name: each.ssh for each in draft.base.targets()} | {
        other: spec.ssh for other, spec in given.items() if spec.ssh is not None
    }
    for other, ssh in ways.items():
        if other != name and ssh is not None and ssh.host == way.host:
            problem = f"the target {other!r} has the host {ssh.host!r} already, and a host has one connection"
            raise BadInput(problem, where=f"{where}.host", remedy="use that target; limits can share it among jobs")


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
    draft.record(HostTrusted(name, shown.key, fingerprint))
    return Changed(targets=(name,))


def _remote(draft: Draft, name: str) -> Target:
    target = draft.targets.get(name)
    if target is None or target.ssh is None:
        what = "is on this machine" if name in HERE else "is not known here"
        raise BadInput(f"the target {name!r} {what}", remedy="`holdfast hosts` lists those on other machines")
    return target
