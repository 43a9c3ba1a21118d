"""The ready queue of one target: which job is next, in O(log n), however many wait.

Jobs of equal needs and limits stand in one lane, by priority and then by age; only lane heads compete. A lane whose
limit is used up is parked until that limit has room, one that is too large for its target until the target changes.
Entries are hints: each is checked against the record when it is taken, so an entry that was overtaken by events, or
left by a tick that failed, does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from .records import Job, Needs
from .states import Ready

TOO_LARGE: Final = ":"  # to park under; no limit's key begins so

Lane = tuple[Needs, tuple[str, ...]]
Lookup = Callable[[int], Job | None]


def _lane_of(job: Job) -> Lane:
    return job.policy.needs, job.policy.limits


class ReadyQueue:
    """Hints for the jobs of one target that are ready."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, list[tuple[int, int]]] = {}
        self._heads: list[tuple[int, int, Lane]] = []
        self._parked: dict[str, set[Lane]] = {}
        self._parked_lanes: dict[Lane, str] = {}

    def __len__(self) -> int:
        """Entries, of which some may be stale."""
        return sum(map(len, self._lanes.values()))

    @property
    def empty(self) -> bool:
        """Whether there is no entry, not even a stale one."""
        return not any(self._lanes.values())

    def load(self) -> dict[str, int]:
        """What the jobs that wait for nothing but room need in sum; stale entries count as well."""
        total: dict[str, int] = {}
        for lane, heap in self._lanes.items():
            if heap and lane not in self._parked_lanes:
                for name, amount in lane[0]:
                    total[name] = total.get(name, 0) + amount * len(heap)
        return total

    def push(self, job: Job) -> None:
        """Add a ready job, or put one back."""
        lane = _lane_of(job)
        heap = self._lanes.setdefault(lane, [])
        entry = (-job.priority, job.id)
        heappush(heap, entry)
        if heap[0] == entry and lane not in self._parked_lanes:
            heappush(self._heads, (*entry, lane))

    def pop(self, lookup: Lookup) -> Job | None:
        """Take the most urgent job that is really ready, or None."""
        while self._heads:
            rank, number, lane = heappop(self._heads)
            heap = self._lanes.get(lane)
            if not heap or heap[0] != (rank, number) or lane in self._parked_lanes:
                continue
            heappop(heap)
            while heap and heap[0] == (rank, number):
                heappop(heap)  # the same hint twice: one tick must not be given the job twice
            self._raise_head(lane)
            job = lookup(number)
            if job is not None and type(job.state) is Ready and -job.priority == rank and _lane_of(job) == lane:
                return job
        return None

    def set_aside(self, job: Job) -> Lane:
        """Put a job back and keep its lane out of the competition until `bring_back`."""
        lane = _lane_of(job)
        heappush(self._lanes.setdefault(lane, []), (-job.priority, job.id))
        self._parked_lanes[lane] = ""
        return lane

    def bring_back(self, lane: Lane) -> None:
        """Let a lane that was set aside compete again."""
        if self._parked_lanes.get(lane) == "":
            del self._parked_lanes[lane]
            self._raise_head(lane)

    def park(self, job: Job, key: str) -> None:
        """Put a job back and keep its lane out of the competition until `unpark(key)`."""
        lane = self.set_aside(job)
        self._parked_lanes[lane] = key
        self._parked.setdefault(key, set()).add(lane)

    def unpark(self, key: str) -> None:
        """Let the lanes that wait for `key` compete again."""
        for lane in self._parked.pop(key, ()):
            self._parked_lanes.pop(lane, None)
            self._raise_head(lane)

    def parked_keys(self) -> list[str]:
        """The limit keys that lanes wait for."""
        return list(self._parked)

    def _raise_head(self, lane: Lane) -> None:
        heap = self._lanes.get(lane)
        if heap:
            heappush(self._heads, (*heap[0], lane))
        else:
            self._lanes.pop(lane, None)
