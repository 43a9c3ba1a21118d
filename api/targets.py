"""What is said of targets from Python: what they offer, and how those of other machines are reached."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.events.messages import Configure
from holdfast.events.spec import SshSpec
from holdfast.events.units import parse_amount

Amount = int | str


def offer(target: str, capacity: Mapping[str, Amount], *, host: str, workdir: str, python: str) -> Configure:
    """The command that sets it. Raises BadInput for an amount that is none."""
    amounts = amounts_of(capacity, f"targets.{target}.capacity")
    return Configure({target: amounts}, {target: SshSpec(host, workdir, python)} if host else {})


def amounts_of(given: Mapping[str, Amount], where: str) -> dict[str, int]:
    """Whole numbers, of text as well, such as "8GB". Raises BadInput."""
    return {
        name: parse_amount(amount, f"{where}.{name}") if isinstance(amount, str) else amount
        for name, amount in given.items()
    }
