"""Polling: one question for the whole queue, never sooner than the target's `poll` after the last.

The slower the controller answers, the less often it is asked.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from holdfast.events.backoff import full_jitter_us
from holdfast.events.errors import Unavailable
from holdfast.events.facts import BatchWaits
from holdfast.events.messages import Unreachable

from .asking import ask_queue, ask_user
from .book import Sights
from .looking import Looker
from .shared import Shared
from .site import Site

BUSY_SHARE: Final = 3
"""The controller is to be left alone for so many times as long as it took to answer."""
BUSY_CAP_S: Final = 60.0
"""One answer that took half a minute is no reason to look away for ten."""
FAILED_CAP_US: Final = 120_000_000
_US: Final = 1_000_000


class Poller:
    """Of one cluster."""

    def __init__(self, shared: Shared, looker: Looker, came_back: Callable[[], Awaitable[None]]) -> None:
        """`came_back`: is awaited when a controller answers that was away for so long that all was unknown."""
        self._shared = shared
        self._looker = looker
        self._came_back = came_back
        self._failures = 0
        self._failing_since: float | None = None
        self._away = False
        self._user = ""
        self._asked_at = -math.inf

    async def ask(self, site: Site) -> Sights:
        """Look at the queue. Raises Unavailable."""
        self._user = self._user or await ask_user(site)
        asked_at = self._asked_at = trio.current_time()
        rows = await ask_queue(site, self._user)
        return self._shared.book.see(rows, asked_at, trio.current_time())

    @property
    def rest_s(self) -> float:
        """How long the queue is to be left alone."""
        return max(0.0, self._asked_at + self._shared.slurm.poll_us / _US - trio.current_time())

    async def run(self, site: Site) -> None:
        """Poll until cancelled, while the cluster has anything."""
        shared = self._shared
        wait_s = self._pause_s(0.0)
        while True:
            await trio.sleep(wait_s)
            while not shared.book.waits_for_cluster:
                await shared.stirred(float("inf"))
            began_at = trio.current_time()
            try:
                sights = await self.ask(site)
            except Unavailable as error:
                wait_s = await self._failed(str(error), began_at)
            else:
                # Of the controller's time: what it takes to record what it said is none of it.
                wait_s = self._pause_s(trio.current_time() - began_at)
                await self._answered(sights)

    def _pause_s(self, took_s: float) -> float:
        jitter = 1 + self._shared.random.random() / 10
        return max(self._shared.slurm.poll_us / _US, min(BUSY_SHARE * took_s, BUSY_CAP_S)) * jitter

    async def _failed(self, reason: str, began_at: float) -> float:
        shared = self._shared
        self._failures += 1
        self._failing_since = began_at if self._failing_since is None else self._failing_since
        if not self._away and trio.current_time() - self._failing_since >= shared.times.away_s:
            self._away = True
            shared.on_trouble(f"{shared.name} does not answer: {reason}")
            await shared.scheduler.tell(Unreachable(shared.name, reason))
        cap_us = max(FAILED_CAP_US, shared.slurm.poll_us)
        return shared.slurm.poll_us / _US + full_jitter_us(self._failures, _US, cap_us, shared.random) / _US

    async def _answered(self, sights: Sights) -> None:
        self._failures, self._failing_since = 0, None
        if self._away:
            self._away = False
            self._shared.on_trouble(None)
            await self._came_back()
        await self.follow(sights)

    async def follow(self, sights: Sights) -> None:
        """Do what the queue calls for."""
        shared, now = self._shared, trio.current_time()
        for entry, number in sights.found:
            await self._looker.adopt(entry, number)
        for entry in sights.missed:
            if entry.missed_at is None:
                entry.missed_at = now
            elif now - entry.missed_at >= shared.times.grace_s:
                self._looker.look_for(entry)
        if sights.waits:
            await shared.record(*(BatchWaits(shared.name, entry.name, reason) for entry, reason in sights.waits))
        if sights.statuses:
            await shared.report(sights.statuses)
        if shared.book.left():
            self._looker.wake()
        shared.stir()
