"""Interleaved rounds: each case once a round, in changing order, so that a drift of the machine's speed hits all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, Literal

from msgspec import Struct

from benchmarks.results import Measurement

ROUNDS: Final = 5


class Case(Struct, frozen=True, kw_only=True):
    """A measurement to be made: `run` is called once a round; the rest is as in `Measurement`."""

    name: str
    unit: str
    run: Callable[[], float]
    better: Literal["higher", "lower"] = "higher"
    limit: str | None = None
    budget: float | None = None
    budget_on: Literal["ratio", "difference", "median"] = "ratio"
    portable: bool = False
    loose: bool = False
    note: str = ""

    def measured(self, samples: Sequence[float]) -> Measurement:
        """The measurement, with what the rounds gave."""
        return Measurement(
            name=self.name,
            unit=self.unit,
            better=self.better,
            samples=tuple(samples),
            limit=self.limit,
            budget=self.budget,
            budget_on=self.budget_on,
            portable=self.portable,
            loose=self.loose,
            note=self.note,
        )


def interleaved(cases: Sequence[Case], rounds: int = ROUNDS) -> list[Measurement]:
    """Run every case once a round; what was measured, in the order of `cases`."""
    samples = interleave({each.name: each.run for each in cases}, rounds)
    return [each.measured(samples[each.name]) for each in cases]


def interleave(cases: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Run every case once a round; what each returned, in order of rounds."""
    results: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    for number in range(rounds):
        Random(number).shuffle(order)  # noqa: S311 - the order of measurements is no secret
        for name in order:
            results[name].append(cases[name]())
    return results
