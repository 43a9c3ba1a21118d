"""The local target: keeps a connection to this machine's runner, starting one if there is none.

Its two halves never wait for each other: `handle` puts frames into the outbox, and the connection's tasks send them and
bring the runner's reports to the scheduler. A runner that hangs delays nobody.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Final, Protocol, assert_never

import trio

from holdfast.events.backoff import Uniform
from holdfast.events.breaker import Breaker
from holdfast.events.errors import Unavailable
from holdfast.events.messages import Attached, AttemptStatus, Reported, Unreachable
from holdfast.store.home import Home

from ..actor import Actor
from ..address import Address
from ..inbox import Inbox
from ..world import Clock
from .link import (
    PROTOCOL,
    FromRunner,
    LinkBroken,
    Outbox,
    Pong,
    Report,
    Trouble,
    Welcome,
    encode,
    launch_frames,
    receive,
)
from .messages import Acknowledge, Connected, Launch, Order, Revoke, SetCapacity, Stop, TargetMessage
from .secrets import NoSecret, find_secrets

PING_S: Final = 5.0
SILENCE_S: Final = 20.0
UNREACHABLE_S: Final = 2.0
_US: Final = 1_000_000

ReportMessage = Connected | Reported | Unreachable


class Transport(Protocol):
    """The way to a runner; the simulation gives another."""

    async def connect(self) -> trio.abc.Stream:
        """A stream to the runner, which is started if it is not there. Raises Unavailable."""
        ...


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
        self._home = home
        self._transport = transport
        self._scheduler = scheduler
        self._clock = clock
        self._random = random
        self._on_trouble = on_trouble
        self._outbox: Outbox | None = None
        # Not from zero: what was meant for a connection of a target that crashed must not fit one of this one.
        self._session = clock.now()
        self._heard_at = 0.0
        self._missing_since: float | None = None
        self._unreachable_told = False

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
        outbox = self._outbox
        for message in batch:
            if outbox is None or message.session != self._session:
                continue
            match message:
                case Launch(orders=orders):
                    await self._launch(outbox, orders)
                case Stop(tokens=tokens):
                    outbox.put({"type": "stop", "tokens": tokens})
                case Revoke(tokens=tokens):
                    outbox.put({"type": "revoke", "tokens": tokens})
                case Acknowledge(tokens=tokens, receipt=receipt):
                    outbox.put({"type": "acknowledge", "tokens": tokens, "receipt": receipt})
                case SetCapacity(capacity=capacity):
                    outbox.put({"type": "capacity", "capacity": capacity})
                case _:
                    assert_never(message)

    async def _launch(self, outbox: Outbox, orders: Sequence[Order]) -> None:
        attempts: list[bytes] = []
        failed: list[AttemptStatus] = []
        for order in orders:
            try:
                secrets = find_secrets(order.spec.secrets, os.environ, self._home.secrets)
            except NoSecret as error:
                now = self._clock.now()
                status = AttemptStatus(order.token, "ended", ended_at=now, how="not_started", error=str(error))
                failed.append(status)
            else:
                attempts.append(encode(_attempt(order, secrets)))
        for launch in launch_frames(attempts):
            outbox.put_frame(launch)
        if failed:
            await self._scheduler.tell(Reported("local", tuple(failed)))

    async def _keep_connected(self) -> None:
        breaker = Breaker(base_us=50_000, cap_us=5_000_000)
        self._missing_since = trio.current_time()
        while True:
            reason = "its runner does not answer"
            try:
                with trio.fail_after(SILENCE_S):
                    stream = await self._transport.connect()
                async with stream:
                    breaker = breaker.succeeded()
                    await self._converse(stream)
            except* (Unavailable, trio.TooSlowError, trio.BrokenResourceError) as group:
                reason = str(group.exceptions[0]) or reason
            self._outbox = None
            breaker = breaker.failed(self._now_us(), self._random)
            await self._miss(reason)
            delay_s = ((breaker.until or 0) - self._now_us()) / _US
            await trio.sleep(max(0.0, delay_s))

    def _now_us(self) -> int:
        return int(trio.current_time() * _US)

    async def _miss(self, reason: str) -> None:
        """Say that the runner can't be reached, once it has been missing for longer than a restart takes."""
        now = trio.current_time()
        if self._missing_since is None:
            self._missing_since = now
        if not self._unreachable_told and now - self._missing_since >= UNREACHABLE_S:
            self._unreachable_told = True
            self._on_trouble(reason)
            await self._scheduler.tell(Unreachable("local", reason))

    async def _converse(self, stream: trio.abc.Stream) -> None:
        """Speak with the runner until the connection ends, which it does by raising."""
        outbox = Outbox()
        environment = dict(os.environ)
        outbox.put({"type": "hello", "protocol": PROTOCOL, "environ": environment})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outbox.drain_into, stream)
            nursery.start_soon(self._ping, outbox)
            await self._listen(stream, outbox)
            nursery.cancel_scope.cancel()

    async def _listen(self, stream: trio.abc.Stream, outbox: Outbox) -> None:
        self._heard_at = trio.current_time()
        async with aclosing(receive(stream)) as messages:
            async for message in messages:
                self._heard_at = trio.current_time()
                await self._hear(message, outbox)

    async def _hear(self, message: FromRunner, outbox: Outbox) -> None:
        match message:
            case Welcome():
                await self._welcome(message, outbox)
            case Report(attempts=attempts):
                await self._scheduler.tell(Reported("local", attempts))
            case Trouble(error=error):
                self._on_trouble(error)
            case Pong():
                pass
            case _:
                assert_never(message)

    async def _welcome(self, message: Welcome, outbox: Outbox) -> None:
        if message.protocol != PROTOCOL:
            problem = (
                f"the runner (process {message.pid}) of another Holdfast version speaks protocol {message.protocol}, "
                f"this one {PROTOCOL}; wait until its jobs have ended, or use that version"
            )
            raise LinkBroken(problem)
        self._session += 1
        self._outbox = outbox
        self._missing_since = None
        if self._unreachable_told:
            self._unreachable_told = False
            self._on_trouble(None)
        report = Attached("local", message.journal, message.boot, message.pid, message.attempts, message.receipt)
        await self._scheduler.tell(Connected(self._session, report))

    async def _ping(self, outbox: Outbox) -> None:
        number = 0
        while True:
            await trio.sleep(PING_S)
            if trio.current_time() - self._heard_at > SILENCE_S:
                self._missing_since = self._heard_at
                problem = f"its runner has not answered for {SILENCE_S:.0f} s"
                raise LinkBroken(problem)
            number += 1
            outbox.put({"type": "ping", "id": number})


def _attempt(order: Order, secrets: dict[str, str]) -> dict[str, object]:
    spec = order.spec
    own = {"HOLDFAST_JOB": str(order.job), "HOLDFAST_ATTEMPT": str(order.attempt)}
    return {
        "token": order.token,
        "argv": ["/bin/sh", "-c", spec.run] if isinstance(spec.run, str) else spec.run,
        "cwd": spec.cwd,
        "env": {**spec.env, **secrets, **own},
        "needs": spec.needs,
        "rates": order.rates,
        "timeout_us": spec.timeout_us,
        "grace_us": spec.grace_us,
        "max_output_bytes": spec.max_output_bytes,
    }
