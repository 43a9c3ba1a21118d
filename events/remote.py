"""What people may do about other machines: have them tried now, and accept the key that one shows."""

from __future__ import annotations

from collections.abc import Iterable

from .draft import Draft
from .errors import BadInput
from .facts import DialRequested, HostTrusted
from .hosts import Refused, Up
from .messages import Changed
from .records import Target
from .spec import HERE


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
