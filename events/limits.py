"""Named limits: how many at once, and how often (GCRA), for each key apart.

The generic cell rate algorithm (ITU-T I.371, annex A, in its virtual scheduling form) keeps one timestamp for each key,
the theoretical arrival time: a grant is due when it is no more than `burst - 1` intervals ahead of now. A timestamp in
the past says nothing that its absence does not, so the table forgets those and stays as small as what is in use.

A job names a limit as `name`, or as `name:key` to be counted apart from other keys. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from .spec import LimitSpec

_PRUNE_AT: Final = 1024
_UNLIMITED: Final = LimitSpec()


class Grant(Struct, frozen=True):
    """Let through; `arrivals` are the new theoretical arrival times of the rate-limited keys among those asked for."""

    arrivals: dict[str, int]


class Denial(Struct, frozen=True):
    """Not now, because of `key`; `retry_at` for a rate, None for a concurrency (until somebody releases it)."""

    key: str
    retry_at: int | None


def limit_of(key: str) -> str:
    """The limit's name in `name` or `name:key`."""
    return key.partition(":")[0]


def carry_over(arrivals: Mapping[str, int], now: int, before: LimitSpec, after: LimitSpec) -> dict[str, int]:
    """Arrival times by key after a limit's change at `now`: as many intervals ahead as before, but of the new length.

    Without it, times that were reckoned in short intervals would count for next to nothing among long ones. Keys that
    nothing is remembered of are left out.
    """
    if before.interval_us is None or after.interval_us is None:
        return {}
    furthest = now + after.burst * after.interval_us
    ahead = {key: arrival - now for key, arrival in arrivals.items() if arrival > now}
    return {key: min(furthest, now - (-each * after.interval_us // before.interval_us)) for key, each in ahead.items()}


class LimitTable:
    """Who holds what just now. All or nothing: a denial takes none of the limits asked for."""

    def __init__(self, specs: Mapping[str, LimitSpec]) -> None:
        self._specs = dict(specs)
        self._held: dict[str, int] = {}
        self._arrivals: dict[str, int] = {}
        self._prune_at = _PRUNE_AT

    def configure(self, name: str, spec: LimitSpec, arrivals: Mapping[str, int]) -> None:
        """Set a limit, and arrival times as of `carry_over`; what is held stays held, also beyond a lower bound."""
        self._specs[name] = spec
        self._arrivals.update(arrivals)

    def restore(self, held: Iterable[str], arrivals: Mapping[str, int]) -> None:
        """Take over what the log says: a key for each holder, and the arrival times."""
        for key in held:
            self._held[key] = self._held.get(key, 0) + 1
        self._arrivals.update(arrivals)

    def acquire(self, keys: tuple[str, ...], now: int) -> Grant | Denial:
        """Take one of each limit in `keys`, which differ, or nothing."""
        arrivals: dict[str, int] = {}
        for key in keys:
            spec = self._specs.get(limit_of(key), _UNLIMITED)
            if spec.concurrent is not None and self._held.get(key, 0) >= spec.concurrent:
                return Denial(key, None)
            if spec.interval_us is not None:
                arrival = self._arrival(key, now, now + spec.burst * spec.interval_us)
                due_at = arrival - (spec.burst - 1) * spec.interval_us
                if due_at > now:
                    return Denial(key, due_at)
                arrivals[key] = arrival + spec.interval_us
        for key in keys:
            self._held[key] = self._held.get(key, 0) + 1
        self._arrivals.update(arrivals)
        self._prune(now)
        return Grant(arrivals)

    def release(self, keys: tuple[str, ...]) -> None:
        """Give back what `acquire` took of the concurrency; a rate is never given back."""
        for key in keys:
            left = self._held.get(key, 0) - 1
            assert left >= 0, f"limit {key} was released more often than taken"
            if left:
                self._held[key] = left
            else:
                self._held.pop(key, None)

    def held(self, key: str) -> int:
        """How many hold `key` just now."""
        return self._held.get(key, 0)

    def __len__(self) -> int:
        """How many keys are remembered; bounded by what is held plus what was granted a short while ago."""
        return len(self._held.keys() | self._arrivals.keys())

    def _arrival(self, key: str, now: int, furthest: int) -> int:
        """The theoretical arrival time of a key, between `now` and `furthest`, which is as far as a grant puts it.

        One further ahead means that the clock was set back. It is not believed, and forgotten, or the key would be
        denied until the clock is back where it was.
        """
        arrival = self._arrivals.get(key, now)
        if arrival > furthest:
            self._arrivals[key] = arrival = furthest
        return max(now, arrival)

    def _prune(self, now: int) -> None:
        if len(self._arrivals) > self._prune_at:
            self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
            self._prune_at = max(_PRUNE_AT, 2 * len(self._arrivals))
