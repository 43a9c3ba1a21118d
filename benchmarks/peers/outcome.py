"""What a run of the peers came to: its measurements, and the table of each figure by rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.peers.cases import Case
from benchmarks.peers.samples import Samples
from benchmarks.peers.works import FIGURES, MARKS, TITLES, UNITS, Figure, Work
from benchmarks.results import Measurement, Result
from benchmarks.tables import spread

# The case of Holdfast's that all others of a figure are shown as a ratio to.
BASES: Final[dict[Figure, str]] = {
    "calls": "holdfast, submitted together",
    "processes": "holdfast run",
    "dag": "holdfast run",
    "append": "holdfast, commit",
    "replay": "holdfast, commit",
}


def results_of(samples: Samples, cases: Sequence[Case]) -> tuple[Result, ...]:
    """A result for each figure, with a measurement for each case that was measured."""
    results: list[Result] = []
    for work, figures in FIGURES.items():
        for figure in figures:
            measured = [each for each in cases if work in each.works and samples.rates(each, figure)]
            if measured:
                measurements = tuple(_measurement(samples, each, work, figure) for each in measured)
                results.append(Result(f"peers: {figure}", "full", measurements))
    return tuple(results)


def _measurement(samples: Samples, case: Case, work: Work, figure: Figure) -> Measurement:
    least = next(
        (mark.least for mark in MARKS if (mark.figure, mark.case, mark.peer) == (figure, case.name, None)), None
    )
    return Measurement(
        name=case.name,
        unit=UNITS[figure],
        better="higher",
        samples=samples.rates(case, figure),
        budget=least,
        budget_on="median",
        loose=True,
        settings={"version": samples.version(case), "count": case.count(work), "synced": int(case.synced)},
        note=case.durable,
    )


def table_of(result: Result, missing: Mapping[str, str]) -> str:
    """By rate, fastest first; then those that could not be measured (`missing`), and why."""
    figure = figure_of(result)
    base = next((each.median for each in result.measurements if each.name == BASES[figure]), None)
    rows = [("", "version", "so many", f"{UNITS[figure]}: median (lowest to highest)", "by Holdfast's", "durable")]
    for each in sorted(result.measurements, key=lambda each: -each.median):
        by_base = f"{each.median / base:.3g}" if base else ""
        many, shown = f"{each.settings['count']:,}", str(each.settings["version"])
        rows.append((each.name, shown, many, spread(each.samples), by_base, each.note))
    done = {each.name for each in result.measurements}
    rows += [(name, "", "", "missing", "", why) for name, why in missing.items() if name not in done]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([TITLES[figure], *lines])


def figure_of(result: Result) -> Figure:
    """What a result is about."""
    return next(figure for figure in TITLES if result.benchmark == f"peers: {figure}")
