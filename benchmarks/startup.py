"""How much longer than bare Python the reading commands take to start: medians of interleaved rounds, in milliseconds.

The budget is 100 ms more than `python -c pass`, on a home with ten jobs: what long lists take on top of it is not
their start.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Configure, Submit
from holdfast.events.spec import LOCAL, FlowSpec, JobSpec
from holdfast.store.home import Home
from holdfast.store.opening import open_store

ROUNDS: Final[dict[Scale, int]] = {"full": 15, "quick": 5}
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
QUICK_COMMANDS: Final = 2


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


def measure(scale: Scale) -> Sequence[Measurement]:
    """Milliseconds of each command, from its start to its end."""
    chosen = COMMANDS[: QUICK_COMMANDS if scale == "quick" else None]
    with _home() as home:
        cases = [Case(name=BARE, unit="ms", better="lower", run=_runs([sys.executable, "-c", "pass"]))]
        for words in chosen:
            place = [] if words == ("--help",) else ["--home", str(home.path)]
            cases.append(
                Case(
                    name=" ".join(("holdfast", *words)),
                    unit="ms",
                    better="lower",
                    run=_runs([sys.executable, "-m", "holdfast", *place, *words]),
                    limit=BARE,
                    budget=BUDGET_MS,
                    budget_on="difference",
                )
            )
        for case in cases:
            case.run()  # which compiles what the next ones find compiled
        return interleaved(cases, ROUNDS[scale])


BENCHMARK: Final = Benchmark("startup", "The start of reading commands, by that of bare Python.", measure)
