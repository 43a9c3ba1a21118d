"""Where a curve of throughput over limits bends, and what is full there.

The knee is the smallest limit that brings nine tenths of the best throughput of its curve: no larger one brings much
more. A curve that still grows by a tenth at its last limit has none. (Kneedle, by Satopaa and others, "Finding a
Kneedle in a Haystack", 2011, takes the largest distance from the chord; for a dozen points it needs a smoothing and a
sensitivity to be chosen, and finds a knee also where a curve merely slows down.)

What is full is judged from measured shares alone: first whether the jobs' own time is what limits (all places of the
limit are at work), then the machine's processors, then each process and loop, then whether an inbox was full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

NEARLY_BEST: Final = 0.9
STILL_GROWING: Final = 1.1
FULL: Final = 0.9
INBOX_FULL: Final = 4096
"""What the inboxes of writer, limiter and scheduler hold."""
_NAMED: Final = 3


class Load(Struct, frozen=True):
    """How busy things were at one point: shares of a core but for `places`, which is a share of the limit.

    `parts` are the actors, and what else runs in the two loops of the supervising process, on the clock.
    """

    places: float
    processors: float
    cores: int
    processes: Mapping[str, float]
    parts: Mapping[str, float]
    runner: Mapping[str, float]
    idle: float
    deepest: Mapping[str, int]


def knee_of(curve: Sequence[tuple[int, float]]) -> int | None:
    """The knee of (limit, throughput) pairs in order of limits; None where it has none."""
    before = max((each for _, each in curve[:-1]), default=0.0)
    if not before or curve[-1][1] >= STILL_GROWING * before:
        return None
    best = max(each for _, each in curve)
    return next(limit for limit, each in curve if each >= NEARLY_BEST * best)


def verdict(load: Load) -> str:
    """What is full, in a sentence; the busiest parts are named with their shares of the time."""
    if load.places >= FULL:
        return f"the jobs' own time: {load.places:.0%} of the limit's places are at work"
    full_inboxes = [name for name, depth in load.deepest.items() if depth >= INBOX_FULL]
    inboxes = f"; full inbox: {', '.join(full_inboxes)}" if full_inboxes else ""
    if load.processors >= FULL * load.cores:
        shares = _most({"jobs": 0.0, **load.processes})
        return f"all {load.cores} processors: {shares} of a core; in the supervisor {_most(load.parts)}{inboxes}"
    if load.runner and 1 - load.runner.get("idle", 0.0) >= FULL:
        return f"the runner, which is one thread: {_most(load.runner)} of the time{inboxes}"
    if load.processes.get("supervisor", 0.0) >= FULL:
        share = load.processes["supervisor"]
        return f"the supervisor's process, {share:.0%} of a core (one thread at a time): {_most(load.parts)}{inboxes}"
    if 1 - load.idle >= FULL:
        return f"the engine's loop, {1 - load.idle:.0%} of the time in steps: {_most(load.parts)}{inboxes}"
    if inboxes:
        return inboxes.removeprefix("; ")
    return f"nothing: each job waits for the ones before it to be handed on; busiest: {_most(load.parts)}"


def _most(shares: Mapping[str, float]) -> str:
    largest = sorted(shares.items(), key=lambda each: -each[1])[:_NAMED]
    return ", ".join(f"{name} {share:.0%}" for name, share in largest)
