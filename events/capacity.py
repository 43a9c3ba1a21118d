"""Counted needs against a target's capacity: cpus, memory, or any name that a flow gives."""

from __future__ import annotations

from collections.abc import Mapping

from .records import Needs


def fits(used: Mapping[str, int], needs: Needs, capacity: Mapping[str, int], ahead: int = 0) -> bool:
    """Whether `needs` can be taken beside `used` without passing `capacity`.

    `ahead`: as if so many more of just these needs were there; attempts beyond the capacity wait in the runner.
    """
    for name, amount in needs:  # noqa: SIM110 - a third of the time of `all` with a generator, once a launch
        if used.get(name, 0) + amount > capacity.get(name, 0) + ahead * amount:
            return False
    return True


def counted(needs: Needs, capacity: Mapping[str, int]) -> Needs:
    """The needs that are counted here against what a cluster was given; it counts the others itself."""
    return tuple([need for need in needs if need[0] in capacity])


def take(used: dict[str, int], needs: Needs) -> None:
    """Count `needs` as used."""
    for name, amount in needs:
        used[name] = used.get(name, 0) + amount


def give_back(used: dict[str, int], needs: Needs) -> None:
    """Count `needs` as free again."""
    for name, amount in needs:
        left = used.get(name, 0) - amount
        assert left >= 0, f"more {name} given back than taken"
        if left:
            used[name] = left
        else:
            used.pop(name, None)


def lacking(needs: Mapping[str, int], capacity: Mapping[str, int]) -> tuple[str, int, int] | None:
    """The first need that even an empty target can't meet, as (name, needed, capacity), or None."""
    for name, amount in needs.items():
        if amount > capacity.get(name, 0):
            return name, amount, capacity.get(name, 0)
    return None
