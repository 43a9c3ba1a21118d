"""What a run through Holdfast recorded, inserted once more without Holdfast: the limit that SQLite and the disk set.

The same events go into one table without an index, in as many transactions of the same sizes. The disk's speed swings;
processor time does not, so that is taken of both as well.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import trio

from benchmarks.results import Measurement
from benchmarks.rounds import ROUNDS, interleave
from benchmarks.store_append import Rows, bare_events
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.statements import Value, select

BARE: Final = "bare inserts of the events"


class Stopwatch:
    """Seconds that something took, by the clock and of the processors; `began_at`: microseconds since the epoch."""

    def __init__(self) -> None:
        self.began_at = 0
        self.wall_s = 0.0
        self.processor_s = 0.0

    @contextmanager
    def running(self) -> Generator[None]:
        """Take the time of what is inside."""
        self.began_at = time.time_ns() // 1_000
        wall_s, processor_s = time.perf_counter(), time.process_time()
        yield
        self.wall_s = time.perf_counter() - wall_s
        self.processor_s = time.process_time() - processor_s


Run = Callable[[Path, Stopwatch], Awaitable[None]]


def beside_bare(runs: Mapping[str, Run], count: int, what: str, budget: float | None) -> Sequence[Measurement]:
    """Measure each of `runs`, which does `count` of `what` in a new home, in turn with bare inserts of the last one's.

    `budget`: so many a second.
    """
    batches: list[Rows] = []
    used_us: dict[str, list[float]] = {name: [] for name in (BARE, *runs)}

    def through(name: str) -> float:
        watch = Stopwatch()
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
            home = Path(folder) / "home"
            trio.run(runs[name], home, watch)
            batches[:] = commits_of(home, watch.began_at)
        used_us[name].append(watch.processor_s * 1e6 / count)
        return count / watch.wall_s

    def bare() -> float:
        watch = Stopwatch()
        with watch.running():
            rate = bare_events(batches)
        used_us[BARE].append(watch.processor_s * 1e6 / count)
        return count / (sum(map(len, batches)) / rate)

    through(next(iter(runs)))  # for the first bare one, and past what is done once
    rates = interleave({BARE: bare} | {name: partial(through, name) for name in runs})
    rates_of_all = [
        Measurement(
            name=name,
            unit=f"{what}/s",
            better="higher",
            samples=tuple(samples),
            limit=None if name == BARE else BARE,
            budget=None if name == BARE else budget,
            budget_on="median",
            loose=True,
        )
        for name, samples in rates.items()
    ]
    return [*rates_of_all, *_processor(used_us, what)]


def _processor(used_us: Mapping[str, list[float]], what: str) -> list[Measurement]:
    return [
        Measurement(
            name=f"{name}: processor",
            unit=f"us, one of the {what}",
            better="lower",
            samples=tuple(samples[-ROUNDS:]),  # without the one before the first round
            limit=None if name == BARE else f"{BARE}: processor",
        )
        for name, samples in used_us.items()
    ]


def commits_of(home: Path, after: int) -> list[Rows]:
    """The rows of the log since that time, by commits: those of one turn have one time."""
    sql = "select * from events where time >= ? order by seq"
    with Reader(Home(home)) as reader:
        rows = list(select(reader.connection, tuple[Value, ...], sql, (after,)))
    return [list(commit) for _, commit in groupby(rows, key=itemgetter(1))]
