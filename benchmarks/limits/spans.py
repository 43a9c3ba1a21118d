"""What jobs say by their own clocks: when each began and ended, by CLOCK_MONOTONIC; and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

_NS_A_MS: Final = 1e6


class Span(Struct, frozen=True):
    """A job's own word of its beginning and its end."""

    began_ns: int
    ended_ns: int


class Spread(Struct, frozen=True):
    """How long something took, in milliseconds: nearest-rank percentiles, and the longest."""

    p50: float
    p90: float
    p99: float
    longest: float


def most_at_once(spans: Iterable[Span]) -> int:
    """The most spans that overlap in one instant. One that begins as another ends does not overlap it."""
    changes = [change for span in spans for change in ((span.began_ns, 1), (span.ended_ns, -1))]
    height = highest = 0
    for _, change in sorted(changes):
        height += change
        highest = max(highest, height)
    return highest


def mean_at_once(spans: Iterable[Span], start_ns: int, end_ns: int) -> float:
    """How many spans overlap on average between two moments."""
    inside = (min(span.ended_ns, end_ns) - max(span.began_ns, start_ns) for span in spans)
    return sum(max(0, each) for each in inside) / (end_ns - start_ns)


def start_delays(spans: Mapping[int, Span], ready_ns: Mapping[int, int], limit: int) -> dict[int, int]:
    """For each job: from the moment when it could start until it did, in nanoseconds.

    It could once it was ready and the limit had room: the job that began `limit` places before it leaves the room for
    at least one, so the k-th beginning waits for the (k - limit)-th end. Waiting for others' work is thus no delay.
    """
    order = sorted(spans, key=lambda job: spans[job].began_ns)
    ends = sorted(span.ended_ns for span in spans.values())
    delays: dict[int, int] = {}
    for place, job in enumerate(order):
        room_ns = ends[place - limit] if place >= limit else 0
        delays[job] = max(0, spans[job].began_ns - max(room_ns, ready_ns[job]))
    return delays


def spread(durations_ns: Sequence[int]) -> Spread | None:
    """Percentiles of durations given in nanoseconds; None of nothing."""
    if not durations_ns:
        return None
    ordered = sorted(durations_ns)

    def rank(share: float) -> float:
        return ordered[math.ceil(share * len(ordered)) - 1] / _NS_A_MS

    return Spread(rank(0.5), rank(0.9), rank(0.99), ordered[-1] / _NS_A_MS)
