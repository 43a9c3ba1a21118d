"""Turns at connecting: only so many begin at a time through one gateway, as sshd drops what is more (MaxStartups)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import trio

from holdfast.events.limits import Denial

from ..address import Address
from ..limiter import CONNECT, Acquire, Keys, LimiterMessage, Release
from ..world import Clock

LOOK_S: Final = 0.25
ANSWER_S: Final = 2.0


class Turns:
    """Gives them, by the limiter."""

    def __init__(self, limiter: Address[LimiterMessage], clock: Clock) -> None:
        self._limiter = limiter
        self._clock = clock

    @asynccontextmanager
    async def turn(self, gateway: str) -> AsyncGenerator[None]:
        """Wait for a turn at `gateway`, and have it for as long as the context lasts."""
        keys = (f"{CONNECT}:{gateway}",)
        while not await self._given(keys):  # noqa: ASYNC110 - the limiter tells nobody when it has room again
            await trio.sleep(LOOK_S)
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                await self._limiter.tell(Release([keys]))

    async def _given(self, keys: Keys) -> bool:
        # A limiter gives nothing to who has gone, so nothing is lost here; one that crashed may leave this unanswered.
        with trio.move_on_after(ANSWER_S):
            (answer,) = await self._limiter.ask(Acquire, [keys], self._clock.now())
            return not isinstance(answer, Denial)
        return False
