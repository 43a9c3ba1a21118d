"""How much longer than bare Python the reading commands take to start: medians of interleaved rounds, in milliseconds.

The budget is 100 ms more than `python -c pass`. `python -m benchmarks.startup` prints a line for each command, on a
home with ten jobs: what long lists take on top of it is not their start.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from benchmarks.rounds import interleave
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Configure, Submit
from holdfast.events.spec import LOCAL, FlowSpec, JobSpec
from holdfast.store.home import Home
from holdfast.store.opening import open_store

ROUNDS: Final = 15
JOBS: Final = 10
BUDGET_MS: Final = 100
BARE: Final = "python -c pass"
COMMANDS: Final = (
    ("--help",),
    ("jobs",),
    ("jobs", "--json"),
    ("show", "1"),
    ("logs", "1"),
    ("explain", "1"),
    ("log",),
    ("log", "--json"),
    ("replay",),
    ("doctor",),
)


@contextmanager
def _home() -> Generator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        store = open_store(home.log, 0, "benchmark")
        draft = Draft(store.base, 0, Random(1), "benchmark")  # noqa: S311 - nothing here is secret
        decide(draft, Configure({LOCAL: {"cpus": 2}}))
        decide(draft, Submit(FlowSpec(tuple(JobSpec(run=("true",), name=f"j{number}") for number in range(JOBS)))))
        store.commit([draft])
        store.close()
        yield home


def _runs(words: list[str]) -> Callable[[], float]:
    def run() -> float:
        began = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (time.perf_counter() - began) * 1e3

    return run


def measure() -> dict[str, list[float]]:
    """Milliseconds of each command by round, and of bare Python under `BARE`."""
    with _home() as home:
        cases = {BARE: _runs([sys.executable, "-c", "pass"])}
        for words in COMMANDS:
            place = [] if words == ("--help",) else ["--home", str(home.path)]
            cases[" ".join(words)] = _runs([sys.executable, "-m", "holdfast", *place, *words])
        return interleave(cases, ROUNDS)


def main() -> None:
    """Print a line for each command, with what it takes beyond bare Python."""
    results = measure()
    bare = median(results[BARE])
    print(f"{BARE:32} {bare:6.0f} ms")
    for name, times in results.items():
        if name != BARE:
            more = median(each - base for each, base in zip(times, results[BARE], strict=True))
            print(f"holdfast {name:23} {median(times):6.0f} ms, {more:4.0f} more ({BUDGET_MS} are allowed)")


if __name__ == "__main__":
    main()
