"""The local target: keeps a connection to this machine's runner, starting one if there is none."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import trio

from holdfast.events.backoff import Uniform
from holdfast.events.breaker import Breaker
from holdfast.events.errors import Unavailable
from holdfast.events.spec import LOCAL
from holdfast.store.home import Home

from ..actor import Actor
from ..address import Address
from ..inbox import Inbox
from ..world import Clock
from .conversation import Conversation, Ears, Line, Patience, ReportMessage
from .messages import TargetMessage

_PATIENCE: Final = Patience()
_US: Final = 1_000_000


class Transport(Protocol):
    """The way to a runner; the simulation gives another."""

    async def connect(self) -> trio.abc.Stream:
        """A stream to the runner, which is started if it is not there. Raises Unavailable."""
        ...


def _ignore(_: object) -> None:
    pass


class LocalTarget(Actor[TargetMessage]):
    """Turns the scheduler's messages into the runner's, and back."""

    def __init__(
        self,
        home: Home,
        transport: Transport,
        scheduler: Address[ReportMessage],
        clock: Clock,
        random: Uniform,
        on_trouble: Callable[[str | None], None],
    ) -> None:
        """`on_trouble` hears why nothing can be started just now, and None when it can again."""
        self._transport = transport
        self._random = random
        ears = Ears(on_trouble, _ignore, _ignore)
        self._conversation = Conversation(LOCAL, home.secrets, scheduler, clock, ears, _PATIENCE)

    async def run(
        self, inbox: Inbox[TargetMessage], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve the inbox beside the connection."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_connected)
            await super().run(inbox, task_status=task_status)
            nursery.cancel_scope.cancel()

    async def handle(self, batch: Sequence[TargetMessage]) -> None:
        """Pass on what is meant for the connection that stands; the rest will be said again."""
        for message in batch:
            await self._conversation.pass_on(message)

    async def _keep_connected(self) -> None:
        breaker = Breaker(base_us=50_000, cap_us=5_000_000)
        self._conversation.miss()
        while True:
            reason = "its runner does not answer"
            try:
                with trio.fail_after(_PATIENCE.silence_s):
                    stream = await self._transport.connect()
                async with stream:
                    breaker = breaker.succeeded()
                    await self._conversation.hold(Line(stream, dict(os.environ)))
            except* (Unavailable, trio.TooSlowError, trio.BrokenResourceError) as group:
                reason = str(group.exceptions[0]) or reason
            breaker = breaker.failed(_now_us(), self._random)
            await self._conversation.missing(reason)
            delay_s = ((breaker.until or 0) - _now_us()) / _US
            await trio.sleep(max(0.0, delay_s))


def _now_us() -> int:
    return int(trio.current_time() * _US)
