"""Through a step of Slurm's, which holds back what is said, things are said as fast as over any other way."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
import trio
from msgspec import Struct
from trio.testing import MockClock

from holdfast.actors.address import Address
from holdfast.actors.connections.dialling import RemoteLine
from holdfast.actors.connections.host import Around, Host
from holdfast.actors.connections.interview import Interview
from holdfast.actors.connections.turns import Turns
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import Limiter, LimiterMessage, Restore
from holdfast.actors.scheduler import SchedulerMessage
from holdfast.actors.slurm.log import Log
from holdfast.actors.staging.localfiles import LocalFiles
from holdfast.actors.staging.remotefiles import RemoteFiles
from holdfast.actors.targets.link import frame
from holdfast.actors.targets.messages import Connected, Launch, Order
from holdfast.events.facts import AttemptBatched
from holdfast.events.messages import HostSeen, Reported
from holdfast.events.records import Allocation, Batch, Granted, Target
from holdfast.events.spec import JobSpec, SlurmSpec, SshSpec
from holdfast.store.home import Home
from tests.simulation.clocks import WallClock

from .nagle import PUT_OFF_S, nagle_pair

HOST: Final = Target("host", ssh=SshSpec("host"))
ALLOCATION: Final = Target(
    "cluster/1", slurm=SlurmSpec(), allocation=Allocation("cluster", 1, 3_600_000_000, Granted(0, "7", "n1"))
)
HURRY_S: Final = 0.006
"""As long as a message may take: what is heard is answered within 5 ms."""


class Token(Struct):
    """An attempt to launch."""

    token: str


class Heard(Struct):
    """A message to a runner."""

    type: str
    id: int = -1
    attempts: tuple[Token, ...] = ()


class Runner:
    """At the far end of such a connection: it ends each attempt as soon as it hears of it.

    `words`: in how many characters it says how; `apart`: of each by itself.
    """

    def __init__(self, *, words: int = 0, apart: bool = False) -> None:
        self.near, self.far = nagle_pair()
        self.pings = 0
        self._words = "x" * words
        self._apart = apart

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """See `Dialler`, and answer."""
        task_status.started()
        buffer = bytearray()
        while True:
            buffer += await self.far.receive_some()
            while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[:4], "big")):
                message = msgspec.json.decode(bytes(buffer[4:end]), type=Heard)
                del buffer[:end]
                await self._answer(message)

    async def _answer(self, message: Heard) -> None:
        if message.type == "hello":
            await self._say(type="welcome", protocol=1, pid=7, boot="b", journal="j", receipt="", attempts=[])
        elif message.type == "ping":
            self.pings += message.id == 0
            await self._say(type="pong", id=message.id)
        elif message.type == "launch":
            end = {"state": "ended", "how": "exited", "exit_code": 0, "error": self._words}
            ends = [{"token": attempt.token, **end} for attempt in message.attempts]
            for reported in [[each] for each in ends] if self._apart else [ends]:
                await self._say(type="report", attempts=reported)

    async def _say(self, **message: object) -> None:
        await self.far.send_all(frame(message))

    # As a dialler.

    async def gateway(self, target: Target) -> str:
        await trio.lowlevel.checkpoint()
        return target.name

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        del target, interview
        await trio.lowlevel.checkpoint()
        return RemoteLine(self.near, {}, "/shared", "/shared/.holdfast/x", _files)


class Way:
    """What the scheduler has to do with the way there."""

    def __init__(self, host: Host, inbox: Inbox[SchedulerMessage]) -> None:
        self._host = host
        self._inbox = inbox
        self._session = self._launched = self._ended = 0

    async def until_connected(self) -> None:
        """Wait for the runner's welcome."""
        while not self._session:
            await self._hear()

    async def launch(self, times: int = 1) -> None:
        """Say that so many attempts are to start, all in one message."""
        numbers = range(self._launched + 1, self._launched + times + 1)
        self._launched += times
        spec = JobSpec(("true",), cwd=".")
        orders = tuple(Order(number, 1, f"home.{number}.1", spec) for number in numbers)
        await self._host.pass_on(Launch(self._session, orders))

    async def until_ended(self) -> None:
        """Wait until all have ended that were launched."""
        while self._ended < self._launched:
            await self._hear()

    async def _hear(self) -> None:
        for message in await self._inbox.take():
            if isinstance(message, Connected):
                self._session = message.session
            elif isinstance(message, Reported):
                self._ended += len(message.attempts)
            else:
                assert isinstance(message, HostSeen)


@asynccontextmanager
async def connected(target: Target, runner: Runner, autojump_clock: MockClock) -> AsyncGenerator[Way]:
    """A target that is connected, and has been for a while."""
    del autojump_clock  # it has to be there
    inbox, limiter_inbox = Inbox[SchedulerMessage]("scheduler", 1_000), Inbox[LimiterMessage]("limiter", 100)
    limiter, clock = Address[LimiterMessage](limiter_inbox), WallClock()
    around = Around(
        Home(Path("nowhere")),
        Turns(limiter, clock),
        Address(inbox),
        Log(_know_nothing, _hold_nothing, _know_nothing, _know_nothing, set),
        clock,
        Random(1),
        _know_nothing,
    )
    host = Host(target, "home", runner, around)
    way = Way(host, inbox)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Limiter().run, limiter_inbox)
        await limiter.ask(Restore, {}, (), {})
        nursery.start_soon(runner.run)
        nursery.start_soon(host.run)
        host.attend(wanted=True)
        await way.until_connected()
        await trio.sleep(1)
        yield way
        nursery.cancel_scope.cancel()


async def trips_s(target: Target, autojump_clock: MockClock) -> float:
    """How long it takes to launch 20 attempts and hear of their ends at length, three times over."""
    async with connected(target, Runner(words=2_000), autojump_clock) as way:
        began = trio.current_time()
        for _ in range(3):
            await way.launch(20)
            await way.until_ended()
        return trio.current_time() - began


async def test_many_launches_and_long_reports_wait_for_no_acknowledgement_that_is_put_off(
    autojump_clock: MockClock,
) -> None:
    assert await trips_s(HOST, autojump_clock) > 3 * PUT_OFF_S, "so the connection does hold back what is said"
    assert await trips_s(ALLOCATION, autojump_clock) < 3 * HURRY_S


@pytest.mark.parametrize("target, least_s, most_s", [(HOST, PUT_OFF_S, 1.0), (ALLOCATION, 0.0, HURRY_S)])
async def test_ends_that_follow_each_other_wait_for_no_acknowledgement_that_is_put_off(
    autojump_clock: MockClock, target: Target, least_s: float, most_s: float
) -> None:
    runner = Runner(apart=True)
    async with connected(target, runner, autojump_clock) as way:
        await way.launch(2)
        began = trio.current_time()
        await way.until_ended()
        assert least_s <= trio.current_time() - began < most_s


async def test_who_has_heard_enough_is_asked_no_more(autojump_clock: MockClock) -> None:
    runner = Runner()
    async with connected(ALLOCATION, runner, autojump_clock) as way:
        asked = runner.pings
        await way.launch()
        await way.until_ended()
        await trio.sleep(60)
        assert asked < runner.pings <= asked + 8


async def test_elsewhere_nobody_is_asked(autojump_clock: MockClock) -> None:
    runner = Runner()
    async with connected(HOST, runner, autojump_clock) as way:
        await way.launch()
        await way.until_ended()
        await trio.sleep(60)
        assert runner.pings == 0


@asynccontextmanager
async def _files() -> AsyncGenerator[RemoteFiles]:
    yield LocalFiles()


def _know_nothing(asked: str | None) -> None:
    del asked


def _hold_nothing(target: str) -> tuple[list[Batch], list[tuple[str, AttemptBatched]]]:
    del target
    return [], []
