"""How far ahead of its free slots a target is given launches: so far that its runner never waits for a commit."""

from __future__ import annotations

from typing import Final

AHEAD_S: Final = 0.020
AHEAD_MAX: Final = 64
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

    @property
    def ahead(self) -> int:
        """As many launches as are expected to start within a few milliseconds, so that long jobs never queue."""
        return min(AHEAD_MAX, int(self._ends_per_s * AHEAD_S))
