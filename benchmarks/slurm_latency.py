"""One job at a time on an idle cluster: from its submission to its first command, and from its end to its event.

The first is beside one sbatch by hand, so what both have in common is Slurm's own scheduling. The end of a job is known
when the queue is looked at next, each second here, and counts once it is committed; then its own word of its exit code
is there, and what accounting has of it is waited for if the job was not too short for that. All clocks are those of
this machine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio

from benchmarks.bare_slurm import first_command_s, noted_ns
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.slurm_lab import POLL_S, clusters, job, supervising
from benchmarks.ssh_lab import jobs_of
from benchmarks.ssh_latency import Commits
from holdfast import FlowSpec, Submit
from holdfast.supervisor import Supervisor

ROUNDS: Final[dict[Scale, int]] = {"full": 15, "quick": 3}
BARE: Final = "submission to first command, sbatch by hand"
MORE_S: Final = 0.2
PATIENCE_S: Final = 60.0
_NOTE: Final = "date +%s%N >note"


class Waits:
    """What each round found, in seconds."""

    def __init__(self) -> None:
        self.bare: list[float] = []
        self.first: list[float] = []
        self.end: list[float] = []


async def _measure(folder: Path, rounds: int) -> Waits:
    commits, waits = Commits(), Waits()
    async with supervising(folder, on_commit=commits.note) as supervisor:
        for number in range(rounds):
            # In changing order, as Slurm looks for what it can start sooner or later after what happened last.
            for by_hand in (number % 2 == 0, number % 2 == 1):
                if by_hand:
                    waits.bare.append(await trio.to_thread.run_sync(first_command_s, folder))
                else:
                    await _one(supervisor, folder / "workdir" / "note", commits, waits)
    return waits


async def _one(supervisor: Supervisor, note: Path, commits: Commits, waits: Waits) -> None:
    began_ns = time.time_ns()
    (number,) = jobs_of(await supervisor.request(Submit(FlowSpec((job("/bin/sh", "-c", _NOTE),)))))
    noted = await trio.to_thread.run_sync(noted_ns, note)
    await supervisor.finished([number])
    waits.first.append((noted - began_ns) / 1e9)
    waits.end.append((commits.ends[number] - noted) / 1e9)


def measure(scale: Scale) -> Sequence[Measurement]:
    """By hand and through Holdfast in turn."""
    with clusters() as made, made.start() as (_, folder):
        return told(trio.run(_measure, folder, ROUNDS[scale]))


def told(waits: Waits) -> list[Measurement]:
    """What was found as measurements."""
    return [
        Measurement(name=BARE, unit="s", better="lower", samples=tuple(waits.bare)),
        Measurement(
            name="submission to first command",
            unit="s",
            better="lower",
            samples=tuple(waits.first),
            limit=BARE,
            budget=MORE_S,
            budget_on="difference",
            loose=True,
        ),
        Measurement(
            name=f"end to event, looked for each {POLL_S:g} s",
            unit="s",
            better="lower",
            samples=tuple(waits.end),
            loose=True,
        ),
    ]


BENCHMARK: Final = Benchmark(
    "slurm-latency",
    "One job on an idle cluster: to its first command, and from its end to its event.",
    measure,
    kept=False,
)
