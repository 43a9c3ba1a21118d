"""How far ahead of its free slots a target is given launches: so far that its runner never waits for a commit."""

from __future__ import annotations

from typing import Final

AHEAD_S: Final = 0.020
AHEAD_MAX: Final = 256
_MEMORY_S: Final = 0.25
_US: Final = 1_000_000


class Pace:
    """How many attempts end in a second, of late, and what follows from it."""

    def __init__(self) -> None:
        self._ends_per_s = 0.0
        self._noted_at = 0

    def note(self, ends: int, now: int) -> None:
        """So many attempts ended by `now`, in microseconds since the epoch."""
        passed_s = max(0, now - self._noted_at) / _US
        self._noted_at = now
        self._ends_per_s *= max(0.0, 1.0 - passed_s / _MEMORY_S)
        self._ends_per_s += ends / _MEMORY_S

    def ahead(self, round_trip_us: int = 0) -> int:
        """As many launches as should start within a few milliseconds and a round trip, so that long jobs never queue.

        An end is heard of, and what follows it gets there, a round trip later: without those that wait there, each slot
        would stand idle for so long after each job.
        """
        return min(AHEAD_MAX, int(self._ends_per_s * (AHEAD_S + round_trip_us / _US)))
