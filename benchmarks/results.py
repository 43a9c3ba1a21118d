"""What a run of benchmarks found: the one shape from which tables, files, the baseline and comparisons are made.

A `Run` is one file: the machine it ran on and, for each benchmark, its measurements. Samples stand in order of rounds,
so that the same place in two measurements of one benchmark is the same moment; ratios are taken there, then their
median.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final, Literal

import msgspec
from msgspec import Struct

FORMAT: Final = 1
FOLDER: Final = Path(__file__).parent / "results"
Scale = Literal["full", "quick"]


class BadResults(Exception):
    """A file that can't be used as results: where, the rule, and what to do."""


class Machine(Struct, frozen=True, forbid_unknown_fields=True):
    """Where and with what it was measured: no name of a host, no path."""

    cores: int
    processor: str
    kernel: str
    python: str
    sqlite: str
    packages: dict[str, str]
    commit: str
    """Of git, with `+` where files differed from it; empty where there is none."""
    date: str
    """RFC 3339, UTC."""


class Measurement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that was measured.

    `name` is unique within the benchmark. `samples` has one value a round, in `unit` (`1` for a bare number). `limit`
    names the measurement of the same benchmark that this one is a ratio to. `budget` is what may be reached at worst:
    the least where `better` is `higher`, the most where it is `lower`; `budget_on` says of what: the ratio to the
    limit, what is above the limit, or the median itself. `portable` is a size or a count, as good as equal on every
    machine, so that it is kept against a baseline without a limit; `loose` is what swings too much to be kept against
    one at all. `settings` are those it was measured at, for pictures and other readers; `note` stands beside it in
    tables.
    """

    name: str
    unit: str
    better: Literal["higher", "lower"]
    samples: tuple[float, ...]
    limit: str | None = None
    budget: float | None = None
    budget_on: Literal["ratio", "difference", "median"] = "ratio"
    portable: bool = False
    loose: bool = False
    settings: dict[str, str | int | float] = {}
    note: str = ""

    @property
    def median(self) -> float:
        """Over the rounds."""
        return median(self.samples)


class Result(Struct, frozen=True, forbid_unknown_fields=True):
    """What one benchmark measured; `scale` is `quick` where it did less of everything."""

    benchmark: str
    scale: Scale
    measurements: tuple[Measurement, ...]

    def limit_of(self, measurement: Measurement) -> Measurement | None:
        """What this one is a ratio to, if anything."""
        return next((each for each in self.measurements if each.name == measurement.limit), None)

    def ratios(self, measurement: Measurement) -> tuple[float, ...]:
        """Its samples by those of its limit, round by round; without a limit, nothing."""
        limit = self.limit_of(measurement)
        return () if limit is None else tuple(a / b for a, b in _paired(measurement, limit))

    def reached(self, measurement: Measurement) -> float | None:
        """What its budget is on, the median over the rounds; None without a budget."""
        limit = self.limit_of(measurement)
        if measurement.budget is None:
            return None
        if measurement.budget_on == "median" or limit is None:
            return measurement.median
        if measurement.budget_on == "ratio":
            return median(self.ratios(measurement))
        return median(a - b for a, b in _paired(measurement, limit))

    def met(self, measurement: Measurement) -> bool | None:
        """Whether its budget is kept; None without one."""
        reached, budget = self.reached(measurement), measurement.budget
        if reached is None or budget is None:
            return None
        return reached >= budget if measurement.better == "higher" else reached <= budget


class Run(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of results."""

    machine: Machine
    results: tuple[Result, ...]
    format: int = FORMAT


def _paired(measurement: Measurement, limit: Measurement) -> Sequence[tuple[float, float]]:
    """The same rounds of both; the medians, where one has fewer rounds and so none is the same moment."""
    if len(measurement.samples) != len(limit.samples):
        return [(measurement.median, limit.median)]
    return list(zip(measurement.samples, limit.samples, strict=True))


def save(run: Run, path: Path, *, compact: bool = False) -> None:
    """Write `run` to `path`, whole or not at all; refuses what `load` would refuse."""
    for result in run.results:
        _check(result, str(path))
    written = path.with_name(f".{path.name}.{os.getpid()}")
    data = msgspec.json.encode(run)
    written.write_bytes((data if compact else msgspec.json.format(data, indent=1)) + b"\n")
    written.replace(path)


def load(path: Path) -> Run:
    """The results in a file. Raises BadResults."""
    remedy = "name a file that ./dev bench NAME --output FILE wrote"
    try:
        run = msgspec.json.decode(path.read_bytes(), type=Run)
    except OSError as error:
        raise BadResults(f"{path}: {error.strerror}; {remedy}") from error
    except msgspec.DecodeError as error:  # also a ValidationError, which names the place
        raise BadResults(f"{path}: {error}; {remedy}") from error
    if run.format != FORMAT:
        raise BadResults(f"{path}: format {run.format}, this version reads {FORMAT}; measure anew")
    for result in run.results:
        _check(result, str(path))
    return run


def _check(result: Result, place: str) -> None:
    """What types don't say of a result. Raises BadResults."""
    names = Counter(each.name for each in result.measurements)
    for each in result.measurements:
        where = f"{place}: {result.benchmark}: {each.name!r}"
        if names[each.name] > 1:
            raise BadResults(f"{where} stands there {names[each.name]} times; give each measurement a name of its own")
        if not each.samples:
            raise BadResults(f"{where} has no samples; measure at least one round")
        if each.limit is not None and each.limit not in names:
            raise BadResults(f"{where} has the limit {each.limit!r}, which was not measured; name one that was")
        if each.limit is None and each.budget is not None and each.budget_on != "median":
            raise BadResults(f"{where} has a budget on a {each.budget_on} and no limit; name its limit")
