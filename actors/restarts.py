"""When a crashed child may start again, and when there have been too many crashes. Time is an input."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from holdfast.events.backoff import Uniform, full_jitter_us

_US_PER_S = 1_000_000


class RestartPolicy(Struct, frozen=True):
    """At most `max_restarts` of all children together in any `window_s` seconds, after growing random delays.

    The delay before the n-th restart of a child within the window is uniform between 0 and
    min(`backoff_cap_s`, `backoff_base_s` * 2 ** (n - 1)) seconds.
    """

    max_restarts: int = 5
    window_s: float = 60.0
    backoff_base_s: float = 0.1
    backoff_cap_s: float = 10.0


class Restarts:
    """The crashes within the window; no more than `max_restarts + 1` of them are kept."""

    def __init__(self, policy: RestartPolicy, random: Uniform) -> None:
        """Delays are drawn from `random`."""
        self._policy = policy
        self._random = random
        self._crashes: deque[tuple[float, str]] = deque()

    def record(self, name: str, now_s: float) -> int:
        """Note a crash of `name` at `now_s` (any clock, in seconds); returns how often it crashed in the window."""
        self._crashes.append((now_s, name))
        while self._crashes[0][0] <= now_s - self._policy.window_s:
            self._crashes.popleft()
        return sum(1 for _, crashed in self._crashes if crashed == name)

    @property
    def exceeded(self) -> bool:
        """Whether the last crash is one too many."""
        return len(self._crashes) > self._policy.max_restarts

    def delay_s(self, crashes: int) -> float:
        """How long to wait before the next start, in seconds, after `crashes` within the window."""
        base_us = round(self._policy.backoff_base_s * _US_PER_S)
        cap_us = round(self._policy.backoff_cap_s * _US_PER_S)
        return full_jitter_us(crashes, base_us, cap_us, self._random) / _US_PER_S
