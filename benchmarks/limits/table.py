"""The table of a sweep on a terminal: a line a point as it is measured, then a line a curve with its knee."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from benchmarks.limits.figures import Figures
from benchmarks.limits.spans import Spread
from benchmarks.results import Measurement
from benchmarks.tables import number

_COLUMNS: Final = (
    ("kind", -9),
    ("think", 6),
    ("limit", 5),
    ("jobs/s", 7),
    ("most", 5),
    ("mean", 6),
    ("acknowledged", 21),
    ("started", 21),
    ("recorded", 21),
    ("CPU a job, us", 16),
    ("commits/s", 9),
    ("events/commit", 13),
    ("inbox", 5),
    ("MiB", 5),
    ("cores", 5),
)
EXPLANATION: Final = """\
most: jobs at once by their own clocks, while enough wait; mean: on average in the steady time. Latencies are
p50/p90/p99/max in ms: acknowledged from the submission on, started from when the job could (it was ready and the limit
had room), recorded from its end to its end in the log, synced. CPU: of supervisor/runner/job. inbox: the deepest of all
actors'. MiB: most memory of the supervisor. cores: how many of the machine's were busy, with anything."""


def heading() -> str:
    """The first line."""
    return _line(*(name for name, _ in _COLUMNS))


def row(point: Figures) -> str:
    """The line of a point."""
    line = _line(
        point.kind,
        f"{point.think_ms:g} ms",
        str(point.limit),
        f"{point.throughput_per_s:,.0f}",
        str(point.highest),
        number(round(point.kept, 1)),
        _milliseconds(point.acknowledged),
        _milliseconds(point.started),
        _milliseconds(point.recorded),
        f"{point.supervisor_us:.0f}/{point.runner_us:.0f}/{point.jobs_us:.0f}",
        f"{point.commits_per_s:.0f}",
        f"{point.events_per_commit:.1f}",
        str(max(point.deepest.values(), default=0)),
        f"{point.supervisor_mib:.0f}",
        f"{point.processors:.1f}",
    )
    return line + told(point)


def told(point: Figures) -> str:
    """What is wrong with a point, if anything is."""
    if point.exceeded:
        return f"  EXCEEDED: {point.highest} jobs at once"
    if point.reached < point.limit:
        return f"  not reached: {point.reached} at once" + "".join(f"; {each}" for each in point.errors[:1])
    return "".join(f"  {each}" for each in point.errors[:1])


def knees(found: Iterable[Measurement]) -> str:
    """A line for each curve."""
    return "\n".join(f"{each.name.removesuffix(' knee'):18} {each.note}" for each in found)


def _line(*cells: str) -> str:
    padded = (
        cell.ljust(-width) if width < 0 else cell.rjust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True)
    )
    return "  ".join(padded)


def _milliseconds(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return "/".join(_short(each) for each in (spread.p50, spread.p90, spread.p99, spread.longest))


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004 - two digits that count
