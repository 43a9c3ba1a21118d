"""Calls of functions in this process: the memory and the queue of a runner, without a process of its own.

It outlives the actors that speak to it, as a runner does: what was started is known until its end is acknowledged. What
it can't outlive is the process; its `journal` is new each time, so whatever was under way in an earlier one is lost.
"""

from __future__ import annotations

import math
import uuid
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import trio
from msgspec.structs import replace

from holdfast.events.capacity import fits, give_back, take
from holdfast.events.messages import AttemptStatus
from holdfast.events.records import Needs

from ..world import Clock
from .messages import Order, Rate

# A start or progress is worth a report only if the call still runs a moment later; an end is told at once.
SETTLE_S: Final = 0.02
_ARRIVALS_MAX: Final = 1_000
_US: Final = 1_000_000


UNKNOWN_S: Final = 10.0


class Executor(Protocol):
    """Makes the calls; tells `CallRunner` of each by `progressed` and `ended`, in the tree's thread."""

    def knows(self, order: Order, /) -> bool:
        """Whether the function is there; one that is not may still come."""
        ...

    def has_room(self, order: Order, /) -> bool:
        """Whether the call could start at once: a function that is not async needs a thread that is free."""
        ...

    def start(self, order: Order, /) -> None:
        """Call the function."""
        ...

    def stop(self, token: str, /) -> None:
        """Have the call end soon, if it can be."""
        ...


class NoFunctions:
    """The executor of a program that calls none: what an earlier one left under way is settled, and no more."""

    def knows(self, order: Order, /) -> bool:
        """Never."""
        del order
        return False

    def has_room(self, order: Order, /) -> bool:
        """Never."""
        del order
        return False

    def start(self, order: Order, /) -> None:
        """Never: its target offers nothing."""
        raise AssertionError(f"{order.token} was launched where nothing can be called")

    def stop(self, token: str, /) -> None:
        """Never, as nothing runs."""
        raise AssertionError(f"{token} runs where nothing can be called")


class CallRunner:
    """What is queued, runs, or has ended and was not acknowledged. For the tree's thread only."""

    def __init__(self, executor: Executor, clock: Clock, pid: int, journal: str = "") -> None:
        """`journal`: its name, which no other may have; without one it gets one."""
        self.journal = journal or uuid.uuid4().hex
        self.pid = pid
        self._executor = executor
        self._clock = clock
        self._capacity: dict[str, int] = {}
        self._used: dict[str, int] = {}
        self._queue: deque[Order] = deque()
        self._strangers: dict[str, Order] = {}
        self._patient_until: float | None = None
        self._known: dict[str, AttemptStatus] = {}
        self._needs: dict[str, Needs] = {}
        self._arrivals: dict[str, int] = {}
        self._urgent: dict[str, None] = {}
        self._settling: dict[str, None] = {}
        self._last_words: list[AttemptStatus] = []
        self._settled_at = math.inf
        self._start_at = math.inf
        self._wake: Callable[[], None] = _nobody
        self._changed = trio.Event()

    def attach(self, wake: Callable[[], None]) -> tuple[AttemptStatus, ...]:
        """Call `wake` from now on when there is news; returns all that is known. Nothing before is told again."""
        self._wake = wake
        self._urgent.clear()
        self._settling.clear()
        self._last_words.clear()
        return tuple(self._known.values())

    def detach(self) -> None:
        """Wake nobody any more."""
        self._wake = _nobody

    def launch(self, order: Order) -> None:
        """Queue a call, unless its token is known: a token is never called twice."""
        if order.token not in self._known:
            self._known[order.token] = AttemptStatus(order.token, "queued")
            self._queue.append(order)

    def revoke(self, token: str) -> None:
        """Take back a call that has not started."""
        status = self._known.get(token)
        if status is not None and status.state == "queued":
            self._queue = deque(order for order in self._queue if order.token != token)
            self._strangers.pop(token, None)
            self._tell(AttemptStatus(token, "revoked"))

    def stop(self, token: str) -> None:
        """End a call: taken back if it is queued, told to stop if it runs."""
        self.revoke(token)
        status = self._known.get(token)
        if status is not None and status.state == "running":
            self._executor.stop(token)

    def acknowledge(self, token: str) -> None:
        """Forget a call whose end is in the log."""
        status = self._known.get(token)
        if status is not None and status.state in {"ended", "revoked"}:
            del self._known[token]
            self._changed.set()

    def set_capacity(self, capacity: dict[str, int]) -> None:
        """Never have more than this in use."""
        self._capacity = capacity

    def start_what_fits(self) -> None:
        """Start calls, in order, as far as capacity and rates allow; those of functions that are not there yet wait.

        So do those for which there is no thread: they have not started, and keep nobody else from it.
        """
        self._start_at = math.inf
        self._look_at_strangers()
        aside: list[Order] = []
        try:
            while self._queue:
                order = self._queue[0]
                if not self._executor.knows(order):
                    self._take_in_stranger(self._queue.popleft())
                elif not self._executor.has_room(order):
                    aside.append(self._queue.popleft())
                elif self._may_start(order):
                    self._start(self._queue.popleft())
                else:
                    return
        finally:
            self._queue.extendleft(reversed(aside))

    def _may_start(self, order: Order) -> bool:
        """Whether capacity and rates allow it now."""
        if not fits(self._used, tuple(order.spec.needs.items()), self._capacity):
            return False
        if not order.rates:  # as most have none
            return True
        now = self._clock.now()
        wait_us = max(_wait_us(self._arrivals, rate, now) for rate in order.rates)
        if wait_us > 0:
            self._start_at = trio.current_time() + wait_us / _US
        return wait_us <= 0

    def _start(self, order: Order) -> None:
        now = self._clock.now()
        for key, interval_us, _ in order.rates:
            self._arrivals[key] = max(self._arrivals.get(key, 0), now) + interval_us
        if len(self._arrivals) > _ARRIVALS_MAX:
            self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        needs = self._needs[order.token] = tuple(order.spec.needs.items())
        take(self._used, needs)
        self._known[order.token] = AttemptStatus(order.token, "running", self.pid, started_at=now)
        self._settle(order.token)
        self._executor.start(order)

    def _look_at_strangers(self) -> None:
        """Take up the calls whose function has come, and give up the others once none has come for a while."""
        for token, order in list(self._strangers.items()):
            if self._executor.knows(order):
                del self._strangers[token]
                self._queue.appendleft(order)
            elif trio.current_time() >= self._give_up_at():
                del self._strangers[token]
                self._give_up(order)

    def _take_in_stranger(self, order: Order) -> None:
        """Let a call wait for its function, or give it up at once where none has come for a while.

        A program registers its functions as it starts; later, waiting would only take places from calls that can be
        made.
        """
        if trio.current_time() < self._give_up_at():
            self._strangers[order.token] = order
        else:
            self._give_up(order)

    def _give_up_at(self) -> float:
        """When calls of unknown functions are given up: a while after the first came, or after a function did."""
        if self._patient_until is None:
            self._patient_until = trio.current_time() + UNKNOWN_S
        return self._patient_until

    def _give_up(self, order: Order) -> None:
        name = order.spec.call.function if order.spec.call is not None else ""
        why = f"no function {name!r} is registered where it would be called: register it, then retry the job"
        self._tell(AttemptStatus(order.token, "ended", ended_at=self._clock.now(), how="not_started", error=why))

    def look(self) -> None:
        """A function has come: look again at those that wait for one, and wait a while for more."""
        self._patient_until = None
        if self._strangers:
            self._wake()

    def progressed(self, token: str, fraction: float | None, message: str) -> None:
        """A call that runs says how far it is; the last word within a moment counts."""
        status = self._known.get(token)
        if status is None or (status.fraction, status.message) == (fraction, message):
            return
        if status.state == "running":
            self._known[token] = replace(status, fraction=fraction, message=message)
            self._settle(token)
            self._wake()

    def ended(self, end: AttemptStatus) -> None:
        """A call is over; `end` says how, without its times."""
        status = self._known[end.token]
        assert status.state == "running", "what has not started can't end"
        give_back(self._used, self._needs.pop(end.token))
        settling = end.token in self._settling
        self._settling.pop(end.token, None)
        if settling and (status.fraction is not None or status.message):
            self._last_words.append(status)  # what it said last, and nobody was told yet
        self._tell(replace(end, started_at=status.started_at, ended_at=max(self._clock.now(), status.started_at or 0)))

    @property
    def next_at(self) -> float:
        """When there is something to do without being asked, in seconds on Trio's clock."""
        strangers = self._give_up_at() if self._strangers else math.inf
        return min(self._start_at, self._settled_at if self._settling else math.inf, strangers)

    @property
    def places(self) -> int:
        """How many calls may be made at once, as its target offers now; 0 before it is known, or where it is none."""
        return self._capacity.get("calls", 0)

    @property
    def running(self) -> tuple[str, ...]:
        """The tokens of the calls that run."""
        return tuple(self._needs)

    @property
    def without_room(self) -> int:
        """How many calls were launched, and keep a place, but have nowhere to start."""
        return sum(self._executor.knows(order) and not self._executor.has_room(order) for order in self._queue)

    @property
    def acknowledged(self) -> bool:
        """Whether every end that was told is in the log."""
        return not any(status.state in {"ended", "revoked"} for status in self._known.values())

    async def finished(self) -> None:
        """Wait until nothing runs, and every end that was told is acknowledged."""
        while self._needs or not self.acknowledged:
            self._changed = trio.Event()
            await self._changed.wait()

    def take_news(self) -> tuple[AttemptStatus, ...]:
        """What has happened since it was last asked, and is worth telling by now."""
        tokens = [*self._urgent]
        self._urgent.clear()
        last_words, self._last_words = self._last_words, []
        if self._settling and trio.current_time() >= self._settled_at:
            tokens += self._settling
            self._settling.clear()
            self._settled_at = math.inf
        news = (self._known[token] for token in tokens if token in self._known)
        return (*last_words, *news)

    def _settle(self, token: str) -> None:
        if not self._settling:
            self._settled_at = trio.current_time() + SETTLE_S
        self._settling[token] = None

    def _tell(self, status: AttemptStatus) -> None:
        self._known[status.token] = status
        self._urgent[status.token] = None
        self._wake()


def _nobody() -> None:
    """Nobody is told."""


def _wait_us(arrivals: dict[str, int], rate: Rate, now: int) -> int:
    """How long the rate makes a start wait: GCRA, see `holdfast.events.limits`."""
    key, interval_us, burst = rate
    return arrivals.get(key, 0) - (burst - 1) * interval_us - now
