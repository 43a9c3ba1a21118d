"""A rebuild and a replay of a log of a million events, by a bare `select` that decodes every event.

The limit reads what a fold needs, (seq, time, type, version, data), straight from the library, decodes it with msgspec,
and keeps nothing. `fold` makes all jobs from it in memory, its budget is 0.5; `replay` makes lines of them as well, and
puts aside what is too many for the memory it may take; `rebuild` writes the views and syncs them, its budget is 0.3.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, cast

import msgspec

from benchmarks.benchmark import Benchmark
from benchmarks.finished_jobs import EVENTS_A_JOB, START_US, make_home
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast.events.codec import TYPE_NAMES
from holdfast.store.fold import BoundedFold, fold_log
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader
from holdfast.store.reading import read_facts
from holdfast.store.rebuild import rebuild

EVENTS: Final[dict[Scale, int]] = {"full": 1_000_000, "quick": 60_000}
BUDGETS: Final = {"fold": 0.5, "replay": None, "rebuild": 0.3}
BARE: Final = "select and decode"
_DECODERS: Final = {name: msgspec.json.Decoder(event).decode for event, name in TYPE_NAMES.items()}
_Row = tuple[int, int, str, int, str]


def bare(store: SqliteStore) -> None:
    """Select and decode."""
    sql = "select seq, time, type, version, data from events order by seq"
    for _, _, name, _, data in cast("Iterator[_Row]", store.reading.execute(sql)):  # pyright: ignore[reportUnknownMemberType]
        _DECODERS[name](data)


def fold(store: SqliteStore) -> None:
    """The jobs in memory."""
    fold_log(BoundedFold(lambda _: None), read_facts(store.reading, store.path), store.path, lambda: None, store.seq)


def replay(home: Home) -> None:
    """The jobs as they stand, from the log alone."""
    with Reader(home) as reader:
        deque(reader.replay(), maxlen=0)


def rate(deed: Callable[[], object], events: int) -> float:
    """Events a second."""
    began = time.perf_counter()
    deed()
    return events / (time.perf_counter() - began)


def measure(scale: Scale) -> Sequence[Measurement]:
    """Every deed once a round, over the same log."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        make_home(Path(folder), EVENTS[scale] // EVENTS_A_JOB)
        store = open_store(Home(Path(folder)).log, START_US, "benchmark")
        deeds: dict[str, Callable[[], object]] = {
            "fold": partial(fold, store),
            "replay": partial(replay, Home(Path(folder))),
            "rebuild": partial(rebuild, store.writing, store.path),
        }
        cases = [
            Case(name=name, unit="events/s", run=partial(rate, deed, store.seq), limit=BARE, budget=BUDGETS[name])
            for name, deed in deeds.items()
        ]
        limit = Case(name=BARE, unit="events/s", run=partial(rate, partial(bare, store), store.seq))
        measured = interleaved([limit, *cases])
        store.close()
    return measured


BENCHMARK: Final = Benchmark(
    "store_rebuild", "Fold, replay and rebuild of a log, by a bare select and decode.", measure
)
