"""Runs as a benchmark would have made them, from a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from benchmarks.results import Machine, Measurement, Result, Run, Scale

MACHINE = Machine(
    cores=2,
    processor="some processor",
    kernel="Linux 6",
    python="3.11.7",
    sqlite="3.54.1",
    packages={"trio": "0.35.0"},
    commit="0123456789ab",
    date="2026-01-02T03:04:05Z",
)
LIMIT = Measurement(name="bare", unit="jobs/s", better="higher", samples=(100.0, 110.0, 90.0, 105.0, 95.0))


def measurement(
    name: str = "ours",
    samples: Sequence[float] = (80.0, 88.0, 72.0, 84.0, 76.0),
    *,
    better: Literal["higher", "lower"] = "higher",
    limit: str | None = "bare",
    budget: float | None = None,
    budget_on: Literal["ratio", "difference", "median"] = "ratio",
) -> Measurement:
    """0.8 of the limit in every round, however fast the machine was in it."""
    return Measurement(
        name=name,
        unit="jobs/s",
        better=better,
        samples=tuple(samples),
        limit=limit,
        budget=budget,
        budget_on=budget_on,
    )


def result(*measurements: Measurement, benchmark: str = "spawn", scale: Scale = "quick") -> Result:
    """Of one benchmark, its limit first."""
    return Result(benchmark, scale, (LIMIT, *(measurements or (measurement(),))))


def run(*results: Result) -> Run:
    """A file's worth."""
    return Run(MACHINE, results or (result(),))


def slowed(by: float, benchmark: str = "spawn") -> Result:
    """The same benchmark after a slow-down: so much is left of what was reached before."""
    return result(measurement(samples=[sample * by for sample in measurement().samples]), benchmark=benchmark)
