"""`./dev bench compare A.json B.json`: what changed from A to B beyond the noise, a line for each measurement.

What has a limit is compared by its ratios to that limit, round by round, so that a faster machine is no improvement,
and the limits themselves tell of the machine alone; everything else is compared as it was measured. A change is claimed
only where the whole interval lies on one side of 1; of what is as good as equal on every machine, beyond 1 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Command
from benchmarks.bootstrap import CONFIDENCE, RESAMPLES, ratio_of_medians
from benchmarks.results import BadResults, Machine, Measurement, Result, Run, load
from benchmarks.tables import aligned

PORTABLE_NOISE: Final = 0.01
WORSE: Final = "WORSE"
_SAME: Final = ("name", "unit", "better", "limit", "portable", "settings")


def compare(before: Run, after: Run) -> Iterator[Sequence[str]]:
    """A row for each measurement. Raises BadResults where they are not of one shape."""
    check_shapes(before, after)
    for old, new in zip(before.results, after.results, strict=True):
        for earlier, later in zip(old.measurements, new.measurements, strict=True):
            yield (f"{new.benchmark}: {later.name}", *_verdict(old, earlier, new, later))


def _verdict(old: Result, earlier: Measurement, new: Result, later: Measurement) -> tuple[str, str, str]:
    what = "by its limit" if later.limit else "as measured"
    if later.portable and earlier.median:
        ratio = later.median / earlier.median
        return what, f"x {ratio:.3f}", _told(abs(ratio - 1) > PORTABLE_NOISE, ratio, later)
    try:
        found = ratio_of_medians(new.ratios(later) or later.samples, old.ratios(earlier) or earlier.samples)
    except (ValueError, ZeroDivisionError) as error:
        same = later.samples == earlier.samples
        return what, "", "no change seen" if same else f"not compared: {error}"
    told = f"x {found.ratio:.3f} ({found.low:.3f} to {found.high:.3f})"
    changed = not found.low <= 1 <= found.high
    if later.limit is None and any(each.limit == later.name for each in new.measurements):
        return "the machine", told, "it differs" if changed else "no change seen"
    return what, told, _told(changed, found.ratio, later)


def _told(changed: bool, ratio: float, measurement: Measurement) -> str:  # noqa: FBT001 - the first word of its sentence
    if not changed:
        return "no change seen"
    return "better" if (ratio > 1) == (measurement.better == "higher") else WORSE


def check_shapes(before: Run, after: Run) -> None:
    """Refuse what can't be compared. Raises BadResults with the place, the rule and the remedy."""
    rule = "only runs of the same benchmarks can be compared; measure both with one version of them, at one scale"
    _same_names(
        "benchmarks", [each.benchmark for each in before.results], [each.benchmark for each in after.results], rule
    )
    for old, new in zip(before.results, after.results, strict=True):
        place = f"{new.benchmark}: "
        _equal(f"{place}scale", old.scale, new.scale, rule)
        names = ([each.name for each in old.measurements], [each.name for each in new.measurements])
        _same_names(f"{place}measurements", *names, rule)
        for earlier, later in zip(old.measurements, new.measurements, strict=True):
            for field in _SAME:
                _equal(f"{place}{later.name}: {field}", getattr(earlier, field), getattr(later, field), rule)


def _same_names(place: str, before: list[str], after: list[str], rule: str) -> None:
    if before != after:
        only = [f"{each!r} only in the first" for each in before if each not in after]
        only += [f"{each!r} only in the second" for each in after if each not in before]
        raise BadResults(f"{place}: {', '.join(only) or 'in another order'}; {rule}")


def _equal(place: str, before: object, after: object, rule: str) -> None:
    if before != after:
        raise BadResults(f"{place}: {before!r} in the first, {after!r} in the second; {rule}")


def machine_text(machine: Machine) -> str:
    """In a line."""
    versions = f"Python {machine.python}, SQLite {machine.sqlite}"
    return f"{machine.date}, commit {machine.commit or 'unknown'}, {machine.cores} x {machine.processor}, {versions}"


def main(words: Sequence[str]) -> int:
    """Compare; 1 if something is worse, 2 for files that can't be compared. Raises SystemExit for bad usage."""
    parser = argparse.ArgumentParser(
        prog="./dev bench compare",
        description="What changed from A to B beyond the noise. Exit code 1: something is worse.",
        allow_abbrev=False,
    )
    parser.add_argument("before", type=Path, metavar="A.json", help="results, as --output writes them")
    parser.add_argument("after", type=Path, metavar="B.json", help="others of the same benchmarks")
    options = parser.parse_args(words)
    try:
        before, after = load(options.before), load(options.after)
        rows = list(compare(before, after))
    except BadResults as error:
        parser.error(str(error))
    print(f"A: {machine_text(before.machine)}\nB: {machine_text(after.machine)}")
    print(f"B by A: medians, intervals of {CONFIDENCE:.0%} from {RESAMPLES:,} resamples\n")
    print(aligned([("", "compared", "B by A", ""), *rows]))
    return 1 if any(row[-1] == WORSE for row in rows) else 0


COMMAND: Final = Command("compare", "What changed between two files of results, beyond the noise.", main)
