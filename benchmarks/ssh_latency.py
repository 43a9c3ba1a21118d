"""From the end of a job on another machine to its event, by the round trip, at several delays of the link.

A proxy between the supervisor and a real sshd delays what comes, both ways alike. A job's last deed is to note the time
(all clocks are those of this machine), and its event counts once it is committed and synced. The round trip is that of
one byte to `cat` and back, over a connection of asyncssh's own through the same proxy. The budget is 1.2 round trips
and 10 ms, for half of the ends and for nine of ten. Jobs end one by one, in a steady row.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

import trio

from benchmarks.bare_asyncssh import round_trip_ms
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.slow_link import slow_link
from benchmarks.ssh_lab import HOST, hosts, job, jobs_of, supervising
from holdfast import FlowSpec, JobSpec, Submit
from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptEnded
from tests.hosts.sshd import Host

ADDED_MS: Final = (0, 50, 200)
JOBS: Final[dict[Scale, int]] = {"full": 40, "quick": 15}
ECHOES: Final = 5
ROUNDS: Final = 3
FIRST_S, APART_S = 1.0, 0.03  # when the first job ends, after its start
TIMES, MORE_MS = 1.2, 10.0
NOTE: Final = 'sleep "$1"; exec date +%s%N > "$2"'
_P90: Final = 0.9
_MS: Final = 1e6


class Commits:
    """When which job's end was committed, by the wall clock in nanoseconds."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}

    def note(self, draft: Draft, start: int) -> None:
        """Take in a commit."""
        del start
        now = time.time_ns()
        for entry in draft.entries:
            if isinstance(entry.event, AttemptEnded):
                self.ends[entry.event.job] = now


async def at_delay(host: Host, config: Path, jobs: int) -> list[tuple[float, list[float]]]:
    """Of each round, milliseconds of a round trip, and from each job's end to its event, sorted."""
    commits, rounds = Commits(), list[tuple[float, list[float]]]()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        async with supervising(folder, host, jobs, commits.note) as supervisor:
            for _ in range(ROUNDS):
                trip = await trio.to_thread.run_sync(round_trip_ms, config, HOST, ECHOES)
                ids = jobs_of(await supervisor.request(Submit(FlowSpec(_noting(folder, jobs)))))
                await supervisor.finished(ids)
                ended = [int((folder / f"note-{number}").read_text()) for number in range(jobs)]
                took = [(commits.ends[number] - at) / _MS for number, at in zip(ids, ended, strict=True)]
                rounds.append((trip, sorted(took)))
    return rounds


def _noting(folder: Path, jobs: int) -> tuple[JobSpec, ...]:
    """Jobs that end one after the other, each with a note of when."""
    return tuple(
        job(HOST, "/bin/sh", "-c", NOTE, "sh", f"{FIRST_S + number * APART_S:.3f}", str(folder / f"note-{number}"))
        for number in range(jobs)
    )


def measure(scale: Scale) -> Sequence[Measurement]:
    """Round trips and ends in turn, for one delay after the other."""
    measured: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder, hosts(Path(folder), HOST) as (lab, started):
        for added_ms in ADDED_MS:
            with slow_link(started[0].port, added_ms) as port:
                lab.route(started[0], port)
                measured += by_round_trip(added_ms, trio.run(at_delay, started[0], lab.config, JOBS[scale]))
    return measured


def by_round_trip(added_ms: int, rounds: Sequence[tuple[float, Sequence[float]]]) -> list[Measurement]:
    """What rounds at one delay found: each a round trip, and the sorted times from ends to events."""
    trips = tuple(trip for trip, _ in rounds)
    allowed = f"+{added_ms} ms: {TIMES} round trips and {MORE_MS:.0f} ms"
    shares = {
        "p50": tuple(median(ends) for _, ends in rounds),
        "p90": tuple(ends[int(len(ends) * _P90)] for _, ends in rounds),
    }
    return [
        Measurement(name=f"+{added_ms} ms: round trip", unit="ms", better="lower", samples=trips),
        Measurement(name=allowed, unit="ms", better="lower", samples=tuple(TIMES * trip + MORE_MS for trip in trips)),
        *(
            Measurement(
                name=f"+{added_ms} ms: end to event, {share}",
                unit="ms",
                better="lower",
                samples=samples,
                limit=allowed,
                budget=1,
                settings={"added_ms": added_ms},
            )
            for share, samples in shares.items()
        ),
    ]


BENCHMARK: Final = Benchmark(
    "ssh-latency", "From a job's end on another machine to its event, by the round trip.", measure, quick=False
)
