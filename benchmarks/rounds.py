"""Interleaved rounds: each case once a round, in changing order, so that a drift of the machine's speed hits all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from statistics import median
from typing import Final

ROUNDS: Final = 5


def interleave(cases: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Run every case once a round; what each returned, in order of rounds."""
    results: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    for number in range(rounds):
        Random(number).shuffle(order)  # noqa: S311 - the order of measurements is no secret
        for name in order:
            results[name].append(cases[name]())
    return results


def ratio(results: Mapping[str, list[float]], name: str, limit: str) -> float:
    """The median over the rounds of `name` by `limit`, taken round by round."""
    return median(a / b for a, b in zip(results[name], results[limit], strict=True))


def spread(values: list[float]) -> str:
    """`median (lowest to highest)`, rounded to whole numbers."""
    return f"{median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
