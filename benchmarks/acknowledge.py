"""From a submission to its acknowledgement, for one caller of the API, beside a bare commit of one row, synced alike.

The caller submits one job after the other through `holdfast.open`; the target is paused, so nothing runs meanwhile. The
budget is two bare commits and 1 ms for half of the submissions: one commit is what durability costs, the rest is for
the way to the supervisor and back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

import apsw
import trio

import holdfast
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import ROUNDS
from holdfast.store.connection import open_writer
from holdfast.store.statements import run, transaction

A_ROUND: Final[dict[Scale, int]] = {"full": 300, "quick": 100}
MORE_MS: Final = 1.0
BARE: Final = "bare commit"
ALLOWED: Final = "two bare commits and 1 ms"
_P90: Final = 0.9


def bare_ms(connection: apsw.Connection, count: int) -> list[float]:
    """Milliseconds of each commit of a row."""
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        with transaction(connection):
            run(connection, "insert into events values (null, 'some text as long as a small event has it')")
        took.append((time.perf_counter() - began) * 1e3)
    return took


async def submissions_ms(hf: holdfast.Holdfast, count: int) -> list[float]:
    """Milliseconds of each submission of a job."""
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await hf.submit(["true"])
        took.append((time.perf_counter() - began) * 1e3)
    return took


async def rounds(folder: Path, count: int) -> list[tuple[list[float], list[float]]]:
    """Bare commits and submissions in turn."""
    connection = open_writer(folder / "bare.db")
    run(connection, "create table events (seq integer primary key, data)")
    found: list[tuple[list[float], list[float]]] = []
    async with holdfast.open(folder / "home", slots=1) as hf:
        await hf.pause()
        await submissions_ms(hf, 10)  # past what is done once
        for _ in range(ROUNDS):
            commits = bare_ms(connection, count)
            found.append((commits, await submissions_ms(hf, count)))
    connection.close()
    return found


def measure(scale: Scale) -> Sequence[Measurement]:
    """Half of the submissions, and nine of ten."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        found = trio.run(rounds, Path(name), A_ROUND[scale])
    bare = tuple(median(commits) for commits, _ in found)
    half = tuple(median(submissions) for _, submissions in found)
    most = tuple(sorted(submissions)[int(len(submissions) * _P90)] for _, submissions in found)
    return [
        Measurement(name=BARE, unit="ms", better="lower", samples=bare),
        Measurement(name=ALLOWED, unit="ms", better="lower", samples=tuple(2 * each + MORE_MS for each in bare)),
        Measurement(
            name="submission, p50, by what is allowed", unit="ms", better="lower", samples=half, limit=ALLOWED, budget=1
        ),
        Measurement(
            name="submission, p50, by a commit", unit="ms", better="lower", samples=half, limit=BARE, loose=True
        ),
        Measurement(
            name="submission, p90, by a commit", unit="ms", better="lower", samples=most, limit=BARE, loose=True
        ),
    ]


BENCHMARK: Final = Benchmark("acknowledge", "A submission acknowledged to one caller, by a bare commit.", measure)
