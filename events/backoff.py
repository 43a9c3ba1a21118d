"""Exponential back-off with full jitter.

After Marc Brooker, 'Exponential Backoff And Jitter' (AWS Architecture Blog, 2015): the delay is uniform between 0 and
min(cap, base * 2 ** n), which spreads retries best.
"""

from __future__ import annotations

from typing import Final, Protocol

_DOUBLINGS_MAX: Final = 62  # beyond it any base of 1 us or more has long met any sensible cap


class Uniform(Protocol):
    """The part of `random.Random` that is needed; the caller's, so that it can be seeded."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


def full_jitter_us(failures: int, base_us: int, cap_us: int, random: Uniform) -> int:
    """The delay in microseconds after the `failures`-th failure in a row (1 for the first)."""
    ceiling_us = min(cap_us, base_us << min(max(failures - 1, 0), _DOUBLINGS_MAX))
    return int(random.random() * ceiling_us)
