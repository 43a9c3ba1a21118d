"""The works: what is done, how much of it, and what is measured of it; and the marks that Holdfast is to reach."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Work = Literal["calls", "processes", "dag", "log"]
Figure = Literal["calls", "processes", "dag", "append", "replay"]

# How much of it is done in a round, but by those that would take too long (`Case.counts`).
COUNTS: Final[dict[Work, int]] = {"calls": 5_000, "processes": 2_000, "dag": 1_000, "log": 100_000}

FIGURES: Final[dict[Work, tuple[Figure, ...]]] = {
    "calls": ("calls",),
    "processes": ("processes",),
    "dag": ("dag",),
    "log": ("append", "replay"),
}

UNITS: Final[dict[Figure, str]] = {
    "calls": "calls/s",
    "processes": "jobs/s",
    "dag": "jobs/s",
    "append": "events/s",
    "replay": "events/s",
}

TITLES: Final[dict[Figure, str]] = {
    "calls": "no-op function calls, from the first submission to the last recorded end",
    "processes": "/bin/true, 2 at once, exit codes kept",
    "dag": "/bin/true in 10 layers, each after 2 of the layer before, 2 at once",
    "append": "append, 100 events a commit",
    "replay": "replay of the events to the state of all jobs",
}

DAG_LAYERS: Final = 10


class Mark(Struct, frozen=True):
    """What Holdfast is to reach: `least` events, calls or jobs a second, or with `peer`, so many times its rate.

    The peer `best synced` is the fastest of those that sync what they record.
    """

    figure: Figure
    case: str
    least: float
    peer: str | None = None


BEST_SYNCED: Final = "best synced"

MARKS: Final = (
    Mark("calls", "holdfast, submitted together", 10_000),
    Mark("calls", "holdfast, submitted together", 6, BEST_SYNCED),
    Mark("calls", "holdfast, 100 callers", 10_000),
    Mark("calls", "holdfast, 100 callers", 6, BEST_SYNCED),
    Mark("processes", "holdfast run", 1, "ninja"),
    Mark("processes", "holdfast, open", 1, "ninja"),
    Mark("processes", "holdfast run", 2, "GNU parallel"),
    Mark("processes", "holdfast run", 2, "task-spooler"),
    Mark("processes", "holdfast, open", 2, "HyperQueue"),
    Mark("processes", "holdfast, open", 2, "Dask"),
    Mark("dag", "holdfast run", 1, "ninja"),
    Mark("dag", "holdfast, open", 1, "ninja"),
    Mark("append", "holdfast, commit", 3, "eventsourcing, recorder"),
    Mark("append", "holdfast, decide and commit", 3, "eventsourcing, recorder"),
    Mark("replay", "holdfast, commit", 5, "eventsourcing, application"),
    Mark("replay", "holdfast, commit", 5, "eventsourcing, recorder"),
)


def graph_of(work: Work, count: int) -> list[list[int]]:
    """For each job the numbers of those that it comes after, all smaller than its own."""
    if work != "dag":
        return [[] for _ in range(count)]
    width = count // DAG_LAYERS
    return [_needed(number, width) for number in range(count)]


def _needed(number: int, width: int) -> list[int]:
    layer, place = divmod(number, width)
    before = (layer - 1) * width
    return [before + place, before + (place + 1) % width] if layer else []
