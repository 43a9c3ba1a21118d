"""Which limit keys wait for their rate, and when each may be asked for again: O(log n), however many wait."""

from __future__ import annotations

from heapq import heappop, heappush


class RateWaits:
    """Keys by the time at which their rate has room again, in microseconds since the epoch."""

    def __init__(self) -> None:
        self._room_at: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._looked_at = 0

    def note(self, key: str, room_at: int) -> None:
        """A key was refused, and has room again at `room_at`."""
        if self._room_at.get(key) != room_at:
            self._room_at[key] = room_at
            heappush(self._heap, (room_at, key))

    def due(self, now: int) -> list[str]:
        """Take the keys whose time has come."""
        set_back = now < self._looked_at  # then what the clock will show when a rate has room again is not known
        self._looked_at = now
        keys: list[str] = []
        if set_back:
            keys += self._room_at
            self._room_at.clear()
            self._heap.clear()
        while self._heap and self._heap[0][0] <= now:
            room_at, key = heappop(self._heap)
            if self._room_at.get(key) == room_at:  # else it was refused anew meanwhile, until another time
                del self._room_at[key]
                keys.append(key)
        return keys

    @property
    def next_at(self) -> int | None:
        """When to look for due keys; None: none waits."""
        return self._heap[0][0] if self._heap else None
