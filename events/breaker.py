"""A circuit breaker: after failures in a row, stop trying for a while that grows; then let one try through.

Closed: everything goes. Open: nothing goes until `until`. Half-open: one probe is out, its end decides. After Michael
Nygard, 'Release It!' (2007), with full jitter from `backoff`. Times are microseconds on any one clock.
"""

from __future__ import annotations

from msgspec import Struct

from .backoff import Uniform, full_jitter_us
from .errors import IllegalMove


class Breaker(Struct, frozen=True):
    """`failures` in a row so far; `until`: when an open breaker lets a probe through; `probing`: one is out."""

    threshold: int = 1
    base_us: int = 100_000
    cap_us: int = 30_000_000
    failures: int = 0
    until: int | None = None
    probing: bool = False

    def allows(self, now: int) -> bool:
        """Whether a try may be made now."""
        return self.until is None or (now >= self.until and not self.probing)

    def tried(self, now: int) -> Breaker:
        """A try was begun. Raises IllegalMove if the breaker did not allow it."""
        if not self.allows(now):
            message = "the circuit breaker is open: no try may begin"
            raise IllegalMove(message)
        return self._with(self.failures, self.until, probing=self.until is not None)

    def succeeded(self) -> Breaker:
        """The try went well: closed again."""
        return self._with(0, None, probing=False)

    def failed(self, now: int, random: Uniform) -> Breaker:
        """The try failed: open once `threshold` failures came in a row, each time for longer (up to `cap_us`)."""
        failures = self.failures + 1
        if failures < self.threshold:
            return self._with(failures, None, probing=False)
        # At least half the ceiling is waited: a jitter of nearly zero would not spare a host that is down.
        beyond = failures - self.threshold + 1
        ceiling_us = min(self.cap_us, self.base_us << min(beyond - 1, 62))
        delay_us = ceiling_us // 2 + full_jitter_us(beyond, self.base_us, self.cap_us, random) // 2
        return self._with(failures, now + delay_us, probing=False)

    def _with(self, failures: int, until: int | None, *, probing: bool) -> Breaker:
        return Breaker(self.threshold, self.base_us, self.cap_us, failures, until, probing)
