"""Speaking with a runner, wherever it is: what the scheduler says goes out, what the runner reports comes in.

Its two halves never wait for each other: `pass_on` puts frames into the outbox, and the connection's tasks send them
and bring the runner's reports to the scheduler. A runner that hangs delays nobody.
"""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final, Protocol, assert_never

import trio
from msgspec import Struct

from holdfast.events.errors import Unavailable
from holdfast.events.messages import (
    Answer,
    Attached,
    AttemptStatus,
    OutputPiece,
    ReadOutput,
    Refusal,
    Reported,
    Unreachable,
)

from ..address import Address
from ..reply import Reply
from ..slurm.site import Finished
from ..world import Clock
from . import prompting
from .executions import Executions, Way
from .link import (
    PROTOCOL,
    Data,
    Done,
    FromRunner,
    LinkBroken,
    Outbox,
    Pong,
    Printed,
    Report,
    Trouble,
    Welcome,
    encode,
    launch_frames,
    receive,
)
from .messages import Acknowledge, Connected, Launch, Order, Revoke, SetCapacity, Settle, Stop, TargetMessage
from .secrets import NoSecret, find_secrets

_US: Final = 1_000_000

READS_MAX: Final = 256

ReportMessage = Connected | Reported | Unreachable


class Patience(Struct, frozen=True):
    """How often a runner is asked whether it lives, and how long it may be silent or away, in seconds.

    Silent for `suspect_s`, it is suspected; for `silence_s`, given up. Away for `away_s`, what is in flight is unknown.
    What comes from it is answered within `answer_s`, where that matters; see `prompting`.
    """

    ping_s: float = 5.0
    suspect_s: float = 10.0
    silence_s: float = 20.0
    away_s: float = 2.0
    answer_s: float | None = None


class Ears(Struct, frozen=True):
    """Who hears how it goes.

    `trouble`: what keeps it from starting anything, or None: nothing any more. `answered`: the runner does, after so
    many microseconds. `silent`: it does not, and how that is seen.
    """

    trouble: Callable[[str | None], None]
    answered: Callable[[int], None]
    silent: Callable[[str], None]


class Line(Struct, frozen=True):
    """A stream to a runner, and what there is around it.

    `environ`: of what it starts. `workdir`: the folder that `cwd` is relative to; None for this machine, where it is
    absolute.
    """

    stream: trio.abc.Stream
    environ: Mapping[str, str]
    workdir: str | None = None


class Carrier(Protocol):
    """What brings files along; see `connections.porter`."""

    def take_along(self, orders: Sequence[Order], launch: Callable[[Order], Awaitable[None]]) -> list[Order]:
        """Those that can be launched at once; the others are when their files are there."""
        ...

    def let_go(self, tokens: Sequence[str]) -> None:
        """These are not to start."""
        ...

    def bring_back(self, statuses: Sequence[AttemptStatus]) -> list[AttemptStatus]:
        """What can be told now of these."""
        ...


class Conversation:
    """All conversations with one target's runner, one after the other."""

    def __init__(
        self,
        target: str,
        secrets: Path,
        scheduler: Address[ReportMessage],
        clock: Clock,
        ears: Ears,
        patience: Patience,
        carrier: Carrier | None = None,
    ) -> None:
        """`secrets`: the folder of secrets that have a file; `carrier`: brings files along, where there is a way."""
        self._target = target
        self._secrets = secrets
        self._scheduler = scheduler
        self._clock = clock
        self._ears = ears
        self._patience = patience
        self._carrier = carrier
        self._outbox: Outbox | None = None
        self._prompter: prompting.Prompter | None = None
        self._workdir: str | None = None
        # Not from zero: what was meant for a connection of a target that crashed must not fit one of this one.
        self._session = clock.now()
        self._began_at = self._heard_at = self._pinged_at = 0.0
        self._missing_since: float | None = None
        self._unreachable_told = False
        self._trouble = ""
        self._reads: dict[int, Reply[Answer]] = {}
        self._executions = Executions(target)
        self._asked = 0

    @property
    def connected(self) -> bool:
        """Whether the runner answers, as far as is known."""
        return self._outbox is not None

    def alive(self) -> None:
        """Something was heard of the machine, if not of its runner."""
        self._heard_at = trio.current_time()

    def read(self, request: ReadOutput, reply: Reply[Answer]) -> None:
        """Have the runner read a piece of output; where none is connected, that is the answer."""
        if self._outbox is None or len(self._reads) >= READS_MAX:
            reply.send(Refusal(f"{self._target} can't be asked just now; ask again", Unavailable.exit_code))
            return
        self._asked += 1
        self._reads[self._asked] = reply
        place = {"segment": request.segment, "start": request.start, "end": request.end}
        token = {} if request.token is None else {"token": request.token}
        self._outbox.put({"type": "read", "id": self._asked, **place, **token})

    async def execute(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float, without: Callable[[str], bool]
    ) -> Finished:
        """Have the runner run a command, in the workdir; see `Executions.run`, also for what it raises."""
        return await self._executions.run(argv, stdin=stdin, timeout_s=timeout_s, without=without)

    async def pass_on(self, message: TargetMessage) -> None:
        """Pass on what is meant for the connection that stands; the rest will be said again."""
        outbox = self._outbox
        if outbox is None or message.session != self._session:
            return
        match message:
            case Launch(orders=orders):
                await self._launch(outbox, orders if self._carrier is None else self._take_along(outbox, orders))
            case Stop(tokens=tokens):
                self._let_go(tokens)
                outbox.put({"type": "stop", "tokens": tokens})
            case Revoke(tokens=tokens):
                self._let_go(tokens)
                outbox.put({"type": "revoke", "tokens": tokens})
            case Acknowledge(tokens=tokens, receipt=receipt):
                outbox.put({"type": "acknowledge", "tokens": tokens, "receipt": receipt})
            case SetCapacity(capacity=capacity):
                outbox.put({"type": "capacity", "capacity": capacity})
            case Settle():
                pass  # a runner has no allocations
            case _:
                assert_never(message)

    def _take_along(self, outbox: Outbox, orders: Sequence[Order]) -> Sequence[Order]:
        async def launch(order: Order) -> None:
            if outbox is self._outbox:
                await self._launch(outbox, [order])

        assert self._carrier is not None, "only a carrier takes anything along"
        return self._carrier.take_along(orders, launch)

    def _let_go(self, tokens: Sequence[str]) -> None:
        if self._carrier is not None:
            self._carrier.let_go(tokens)

    def _brought_back(self, attempts: tuple[AttemptStatus, ...]) -> tuple[AttemptStatus, ...]:
        return attempts if self._carrier is None else tuple(self._carrier.bring_back(attempts))

    async def _launch(self, outbox: Outbox, orders: Sequence[Order]) -> None:
        attempts: list[bytes] = []
        failed: list[AttemptStatus] = []
        for order in orders:
            try:
                secrets = find_secrets(order.spec.secrets, os.environ, self._secrets)
            except NoSecret as error:
                now = self._clock.now()
                status = AttemptStatus(order.token, "ended", ended_at=now, how="not_started", error=str(error))
                failed.append(status)
            else:
                attempts.append(encode(_attempt(order, secrets, self._workdir)))
        if self._prompter is not None and attempts:
            self._prompter.ask()
        for launch in launch_frames(attempts):
            outbox.put_frame(launch)
        if failed:
            await self._scheduler.tell(Reported(self._target, tuple(failed)))

    def miss(self) -> None:
        """Nothing is connected: from now on, if not from before, the runner counts as missing."""
        if self._missing_since is None:
            self._missing_since = trio.current_time()

    @property
    def patience_left_s(self) -> float:
        """After how long `missing` would tell that it can't be reached; infinite if that has been told."""
        if self._missing_since is None or self._unreachable_told:
            return math.inf
        return max(0.05, self._missing_since + self._patience.away_s - trio.current_time())

    async def missing(self, reason: str) -> None:
        """Say that the runner can't be reached, once it has been missing for longer than a restart takes."""
        self.miss()
        away_s = trio.current_time() - (self._missing_since or 0.0)
        if not self._unreachable_told and away_s >= self._patience.away_s:
            self._unreachable_told = True
            self._trouble = reason
            self._ears.trouble(reason)
            await self._scheduler.tell(Unreachable(self._target, reason))
        elif self._unreachable_told and reason != self._trouble:  # it may want a person by now
            self._trouble = reason
            self._ears.trouble(reason)

    async def hold(self, line: Line) -> None:
        """Speak with the runner until the connection ends, which it does by raising LinkBroken, or is cancelled."""
        outbox = Outbox()
        self._workdir = line.workdir
        self._began_at = trio.current_time()
        outbox.put({"type": "hello", "protocol": PROTOCOL, "environ": dict(line.environ)})
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(outbox.drain_into, line.stream)
                nursery.start_soon(self._ping, outbox)
                if self._patience.answer_s is not None:
                    self._prompter = prompting.Prompter(outbox, self._patience.answer_s)
                    nursery.start_soon(self._prompter.run)
                await self._listen(line, outbox)
                nursery.cancel_scope.cancel()
        finally:
            self._outbox = self._prompter = None
            self._executions.end()
            for reply in self._reads.values():
                reply.send(Refusal(f"the connection to {self._target} ended; ask again", Unavailable.exit_code))
            self._reads.clear()

    async def _listen(self, line: Line, outbox: Outbox) -> None:
        self._heard_at = trio.current_time()
        async with aclosing(receive(line.stream, self._hear_bytes)) as messages:
            async for message in messages:
                await self._hear(message, line, outbox)

    def _hear_bytes(self, count: int) -> None:
        self._heard_at = trio.current_time()
        if self._prompter is not None:
            self._prompter.hear(count)

    async def _hear(self, message: FromRunner, line: Line, outbox: Outbox) -> None:
        match message:
            case Welcome():
                await self._welcome(message, line, outbox)
            case Report(attempts=attempts):
                await self._scheduler.tell(Reported(self._target, self._brought_back(attempts)))
            case Trouble(error=error):
                self._ears.trouble(error)
            case Pong(id=number):
                if number != prompting.NUMBER:
                    self._ears.answered(int((trio.current_time() - self._pinged_at) * _US))
            case Data(id=number):
                reply = self._reads.pop(number, None)
                if reply is not None:
                    reply.send(_piece(message))
            case Printed() | Done():
                self._executions.hear(message)
            case _:
                assert_never(message)

    async def _welcome(self, message: Welcome, line: Line, outbox: Outbox) -> None:
        if message.protocol != PROTOCOL:
            problem = (
                f"the runner (process {message.pid}) of another Holdfast version speaks protocol {message.protocol}, "
                f"this one {PROTOCOL}; wait until its jobs have ended, or use that version"
            )
            raise LinkBroken(problem)
        self._session += 1
        self._outbox = outbox
        self._executions.begin(Way(outbox, line.environ, line.workdir or "/", message.pid, message.executes))
        self._missing_since = None
        if self._unreachable_told:
            self._unreachable_told = False
            self._ears.trouble(None)
        self._ears.answered(int((trio.current_time() - self._began_at) * _US))
        attempts = self._brought_back(message.attempts)
        report = Attached(self._target, message.journal, message.boot, message.pid, attempts, message.receipt)
        await self._scheduler.tell(Connected(self._session, report))

    async def _ping(self, outbox: Outbox) -> None:
        number = 0
        while True:
            await trio.sleep(self._patience.ping_s)
            silent_s = trio.current_time() - self._heard_at
            if silent_s > self._patience.silence_s:
                self._missing_since = self._heard_at
                problem = f"its runner has not answered for {self._patience.silence_s:.0f} s"
                raise LinkBroken(problem)
            if silent_s > self._patience.suspect_s:
                self._ears.silent(f"nothing was heard of it for {silent_s:.0f} s")
            number += 1
            self._pinged_at = trio.current_time()
            outbox.put({"type": "ping", "id": number})


def _piece(data: Data) -> Answer:
    if data.error is not None:
        return Refusal(data.error, Unavailable.exit_code)
    return OutputPiece(data.base64, data.running)


def _attempt(order: Order, secrets: dict[str, str], workdir: str | None) -> dict[str, object]:
    spec = order.spec
    own = {"HOLDFAST_JOB": str(order.job), "HOLDFAST_ATTEMPT": str(order.attempt)}
    attempt: dict[str, object] = {
        "token": order.token,
        "argv": ["/bin/sh", "-c", spec.run] if isinstance(spec.run, str) else spec.run,
        "cwd": spec.cwd if workdir is None else f"{workdir}/{spec.cwd}",
        "env": {**spec.env, **secrets, **own},
        "needs": spec.needs,
        "rates": order.rates,
        "timeout_us": spec.timeout_us,
        "grace_us": spec.grace_us,
        "max_output_bytes": spec.max_output_bytes,
    }
    return attempt if workdir is None else {**attempt, "make_cwd": True}
