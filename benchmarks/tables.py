"""The one table of a benchmark's measurements, made from its result and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.results import Measurement, Result, Run

_HEAD: Final = ("", "limit", "measured", "unit", "by limit", "budget", "", "")
_SMALL, _LARGE, _TENS = 1, 100, 10


def show(result: Result) -> None:
    """Print the table."""
    print(table_of(result), flush=True)


def table_of(result: Result) -> str:
    """A line for each measurement that is not only the limit of others."""
    limits = {each.limit for each in result.measurements if each.limit is not None}
    shown = [each for each in result.measurements if each.name not in limits or each.limit is not None]
    return aligned([_HEAD, *(_row(result, each) for each in shown)])


def budgets_of(run: Run) -> str:
    """A line for each measurement that has a budget, of all benchmarks."""
    rows: list[Sequence[str]] = [("benchmark", "", "reached", "budget", "")]
    for result in run.results:
        for each in result.measurements:
            reached = result.reached(each)
            if reached is not None:
                told = f"{reached:.2f}" if each.budget_on == "ratio" else number(reached)
                verdict = "met" if result.met(each) else "MISSED"
                rows.append((result.benchmark, each.name, told, budget_text(each), verdict))
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads; those without a word are left out."""
    used = [column for column in range(len(rows[0])) if any(row[column] for row in rows[1:])]
    widths = {column: max(len(row[column]) for row in rows) for column in used}
    lines = ("  ".join(row[column].ljust(widths[column]) for column in used).rstrip() for row in rows)
    return "\n".join(lines)


def _row(result: Result, measurement: Measurement) -> Sequence[str]:
    limit, ratios = result.limit_of(measurement), result.ratios(measurement)
    return (
        measurement.name,
        spread(limit.samples) if limit else "",
        spread(measurement.samples),
        "" if measurement.unit == "1" else measurement.unit,
        f"{median(ratios):.2f}" if ratios else "",
        budget_text(measurement),
        verdict_of(result, measurement),
        measurement.note,
    )


def budget_text(measurement: Measurement) -> str:
    """What is allowed: `at least 0.8`, `at most 100 ms more`; nothing without a budget."""
    if measurement.budget is None:
        return ""
    side = "at least" if measurement.better == "higher" else "at most"
    unit = "" if measurement.budget_on == "ratio" or measurement.unit == "1" else f" {measurement.unit}"
    more = " more" if measurement.budget_on == "difference" else ""
    return f"{side} {measurement.budget:,g}{unit}{more}"


def verdict_of(result: Result, measurement: Measurement) -> str:
    """`met`, or `MISSED`, with what was reached where the table doesn't say it elsewhere."""
    met, reached = result.met(measurement), result.reached(measurement)
    if met is None or reached is None:
        return ""
    told = f" with {number(reached)}" if measurement.budget_on == "difference" else ""
    return ("met" if met else "MISSED") + told


def spread(samples: Sequence[float]) -> str:
    """`median (lowest to highest)`; of one sample, itself."""
    if len(set(samples)) == 1:
        return number(samples[0])
    return f"{number(median(samples))} ({number(min(samples))} to {number(max(samples))})"


def number(value: float) -> str:
    """With about three digits that count."""
    size = abs(value)
    if size >= _LARGE or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if size < _SMALL else f"{value:.1f}" if size >= _TENS else f"{value:.2f}"
