"""What is known of one point of a sweep: one kind of job, one limit, one think time."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from benchmarks.limits.spans import Spread

OTHERS_MAX: Final = 0.25
"""How many of the machine's processors may have been busy with something else in a measurement that counts."""


class Plan(Struct, frozen=True):
    """A point to be measured, in a folder that is for it alone."""

    kind: str
    limit: int
    think_ms: float
    seconds: float
    folder: str
    program: tuple[str, ...]


class Share(Struct, frozen=True):
    """How much of the time a part of the supervising process was busy: on the clock, and on a processor (1: always)."""

    clock: float
    processor: float


class Figures(Struct, frozen=True):
    """What was measured at a point, over its steady time; what has no unit in its name is a share or a count.

    `reached`: the most jobs at once, by their own clocks, while enough of them wait to be released. `highest`: the same
    over the whole point. `kept`: how many there were on average in the steady time.

    `acknowledged`: from a submission to its answer. `started`: from when a job could start (it was ready, and the limit
    had room) until it did. `queued`: from the record of a submission to the start, mostly a wait for the limit.
    `launched`: from the record of the launch to the start. `recorded`: from a job's end to its end in the log, synced.

    Processor time is a job's share of what each process took; `processors` is how many of the machine's were busy with
    anything. `parts`: of the supervising process. `idle`: how much of the time the engine's loop waited for something
    to happen; `runner`: what the runner did, as `waits` says. `deepest`: of each inbox.
    """

    kind: str
    limit: int
    think_ms: float
    jobs: int
    throughput_per_s: float
    reached: int
    highest: int
    kept: float
    acknowledged: Spread | None
    started: Spread | None
    queued: Spread | None
    launched: Spread | None
    recorded: Spread | None
    supervisor_us: float
    runner_us: float
    jobs_us: float
    processes: dict[str, float]
    threads: dict[str, float]
    processors: float
    parts: dict[str, Share]
    idle: float
    runner: dict[str, float]
    commits_per_s: float
    events_per_commit: float
    deepest: dict[str, int]
    supervisor_mib: float
    runner_mib: float
    errors: tuple[str, ...] = ()

    @property
    def disturbed(self) -> bool:
        """Whether something else took much of the machine meanwhile."""
        return self.processes["others"] > OTHERS_MAX

    @property
    def exceeded(self) -> bool:
        """Whether more ran at once than the limit allows."""
        return self.highest > self.limit
