"""The simulated wall clock: it follows the true time, and is set by hand now and then."""

from __future__ import annotations

from typing import Final

from .determinism import now_us

EPOCH_US: Final = 1_700_000_000_000_000


class WallClock:
    """The wall clock of the one machine, for the supervisor and the runner alike."""

    def __init__(self) -> None:
        self._offset_us = EPOCH_US
        self.jumps = 0

    def now(self) -> int:
        """Microseconds since the epoch, as the machine believes."""
        return now_us() + self._offset_us

    def jump(self, by_us: int) -> None:
        """Set the clock forward, or back (negative)."""
        self._offset_us += by_us
        self.jumps += 1
