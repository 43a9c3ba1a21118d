"""A rebuild and a replay of a log of a million events, by a bare `select` that decodes every event.

The limit keeps nothing. `replay` folds all records in memory, its budget is 0.5; `rebuild` writes them into the views
as well, its budget is 0.3.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.finished_jobs import EVENTS_A_JOB, START_US, make_home
from benchmarks.rounds import interleave, ratio, spread
from holdfast.events.codec import decode_event
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader
from holdfast.store.reading import COLUMNS, LINE
from holdfast.store.rebuild import rebuild
from holdfast.store.statements import select

EVENTS: Final = 1_000_000
BUDGETS: Final = {"replay": 0.5, "rebuild": 0.3}
_SELECT: Final = f"select {COLUMNS} from events order by seq"  # noqa: S608 - the names are ours


def bare(store: SqliteStore) -> None:
    """Select and decode."""
    for row in select(store.reading, LINE, _SELECT):
        decode_event(row[2], row[3], row[6])


def replay(home: Home) -> None:
    """The jobs as they stand, from the log alone."""
    with Reader(home) as reader:
        reader.replay()


def rate(deed: Callable[[], object], events: int) -> float:
    """Events a second."""
    began = time.perf_counter()
    deed()
    return events / (time.perf_counter() - began)


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        make_home(Path(folder), EVENTS // EVENTS_A_JOB)
        store = open_store(Home(Path(folder)).log, START_US, "benchmark")
        deeds: dict[str, Callable[[], object]] = {
            "bare": partial(bare, store),
            "replay": partial(replay, Home(Path(folder))),
            "rebuild": partial(rebuild, store.writing, store.path),
        }
        results = interleave({name: partial(rate, deed, store.seq) for name, deed in deeds.items()})
        store.close()
    print(f"{'events/s':10} {'median (lowest to highest)':36} by the limit (budget)")
    print(f"{'limit':10} {spread(results['bare'])}")
    for name, budget in BUDGETS.items():
        print(f"{name:10} {spread(results[name]):36} {ratio(results, name, 'bare'):.2f} ({budget})")


if __name__ == "__main__":
    main()
