"""What is kept against the committed baseline: ratios to a limit of the same run, and what is equal on every machine.

Nothing here measures. A figure *falls* if it is worse than the baseline's by more than a third: of a rate less than two
thirds are left, of a cost there is more than 1.5 times as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from msgspec import Struct

from benchmarks.results import FOLDER, Measurement, Result, Run

BASELINE: Final[Path] = FOLDER / "baseline.json"
LEFT: Final = 2 / 3


class Standing(Struct, frozen=True):
    """One figure beside the baseline's; `left` is 1 where nothing changed, and less where it got worse."""

    benchmark: str
    name: str
    before: float
    now: float
    left: float

    @property
    def fell(self) -> bool:
        """By more than a third."""
        return self.left < LEFT

    def __str__(self) -> str:
        worse = f"{self.left:.2f} of the baseline is left"
        return f"{self.benchmark}: {self.name}: {self.now:.3g}, the baseline has {self.before:.3g}: {worse}"


def figure(result: Result, measurement: Measurement) -> float | None:
    """What is kept of a measurement; None where it would only tell how fast the machine is, or is too loose."""
    if measurement.loose:
        return None
    if measurement.limit is not None:
        return median(result.ratios(measurement))
    return measurement.median if measurement.portable else None


def standings(baseline: Run, run: Run) -> list[Standing]:
    """Every figure that both have."""
    before = {(name, each.name): amount for name, each, amount in _figures(baseline)}
    return [
        Standing(name, each.name, before[name, each.name], now, left(before[name, each.name], now, each))
        for name, each, now in _figures(run)
        if (name, each.name) in before
    ]


def left(before: float, now: float, measurement: Measurement) -> float:
    """How much of the baseline is left, for either sense of better."""
    if now == before:
        return 1.0
    worse, by = (now, before) if measurement.better == "higher" else (before, now)
    return worse / by if by else float("inf")


def unlike(baseline: Run, run: Run) -> list[str]:
    """Why the baseline isn't one of this run: a figure that only one of them has can't be kept against it."""
    before, now = ({f"{name}: {each.name}" for name, each, _ in _figures(which)} for which in (baseline, run))
    return [f"{each} is new, and not in the baseline" for each in sorted(now - before)] + [
        f"{each} is in the baseline, and was not measured" for each in sorted(before - now)
    ]


def together(runs: list[Run]) -> Run:
    """One run with the rounds of all: what becomes a baseline must not hang on a single moment."""
    first, *others = runs
    results: list[Result] = []
    for place, result in enumerate(first.results):
        same = [result, *(other.results[place] for other in others)]
        measured = tuple(
            _joined([each.measurements[number] for each in same]) for number in range(len(same[0].measurements))
        )
        results.append(Result(result.benchmark, result.scale, measured))
    return Run(first.machine, tuple(results))


def _joined(measurements: list[Measurement]) -> Measurement:
    first = measurements[0]
    return Measurement(
        name=first.name,
        unit=first.unit,
        better=first.better,
        samples=tuple(sample for each in measurements for sample in each.samples),
        limit=first.limit,
        budget=first.budget,
        budget_on=first.budget_on,
        portable=first.portable,
        loose=first.loose,
        settings=first.settings,
        note=first.note,
    )


def _figures(run: Run) -> Iterator[tuple[str, Measurement, float]]:
    for result in run.results:
        for each in result.measurements:
            amount = figure(result, each)
            if amount is not None:
                yield result.benchmark, each, amount
