"""How sure a difference of two medians is: the percentile bootstrap (Efron 1979), seeded: it says the same twice."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Final

from msgspec import Struct

RESAMPLES: Final = 2_000
CONFIDENCE: Final = 0.95
SAMPLES_AT_LEAST: Final = 3
_SEED: Final = 1


class Interval(Struct, frozen=True):
    """The ratio of two medians, and between which values it lies with `CONFIDENCE`."""

    ratio: float
    low: float
    high: float


def ratio_of_medians(after: Sequence[float], before: Sequence[float], resamples: int = RESAMPLES) -> Interval:
    """The median of `after` by that of `before`; both are drawn from with replacement, each by itself.

    Raises ValueError for fewer than three samples, which don't show their noise, and for samples that are not above 0,
    which have no ratio.
    """
    if min(len(after), len(before)) < SAMPLES_AT_LEAST:
        raise ValueError(f"fewer than {SAMPLES_AT_LEAST} samples: their noise isn't known")
    if min(*after, *before) <= 0:
        raise ValueError("samples that are not above 0 have no ratio")
    random = Random(_SEED)  # noqa: S311 - no secret
    drawn = sorted(
        median(random.choices(after, k=len(after))) / median(random.choices(before, k=len(before)))
        for _ in range(resamples)
    )
    out = int((1 - CONFIDENCE) / 2 * resamples)
    return Interval(median(after) / median(before), drawn[out], drawn[-1 - out])
