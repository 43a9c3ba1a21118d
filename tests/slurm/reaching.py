"""A way to a runner, as a supervisor has it for a cluster, without a supervisor: dialler, conversation and site."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio
from msgspec import Struct

from holdfast.actors.address import Address
from holdfast.actors.connections.dialling import RemoteLine
from holdfast.actors.connections.ways import Ways
from holdfast.actors.inbox import Inbox
from holdfast.actors.slurm.login import LoginSite
from holdfast.actors.targets.conversation import Conversation, Ears, Patience, ReportMessage
from holdfast.actors.targets.link import LinkBroken
from holdfast.actors.targets.messages import Connected
from holdfast.actors.world import SystemClock
from holdfast.events.records import Target
from holdfast.events.spec import SlurmSpec, SshSpec
from tests.system.place import until

HOME_ID: Final = "0123456789abcdef"
PATIENCE_S: Final = 30.0


def _ignore(_: object) -> None:
    pass


class Told:
    """A conversation with nobody but a test behind it."""

    def __init__(self) -> None:
        self._inbox = Inbox[ReportMessage]("scheduler", 1_000)
        self.runner = 0
        ears = Ears(_ignore, _ignore, _ignore)
        self.conversation = Conversation(
            "cluster", Path("nowhere"), Address(self._inbox), SystemClock(), ears, Patience()
        )

    async def until_connected(self) -> None:
        """Wait for the runner's welcome."""
        with trio.fail_after(PATIENCE_S):
            while True:
                for message in await self._inbox.take():
                    if isinstance(message, Connected):
                        self.runner = message.report.pid
                        return


class Reached(Struct):
    """A target whose runner answers. `over` is set when its connection has ended; `cut` ends it."""

    site: LoginSite
    told: Told
    line: RemoteLine
    over: trio.Event
    cut: trio.CancelScope


def cluster(workdir: Path | str, name: str = "cluster", host: str = "") -> Target:
    """A cluster whose commands run here or, with a host, there."""
    if host:
        return Target(name, slurm=SlurmSpec(), ssh=SshSpec(host, workdir=str(workdir)))
    return Target(name, slurm=SlurmSpec(workdir=str(workdir)))


@asynccontextmanager
async def ways(home_id: str = HOME_ID) -> AsyncGenerator[Ways]:
    """A dialler that runs."""
    made = Ways(home_id)
    async with trio.open_nursery() as nursery:
        await nursery.start(made.run)
        yield made
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def reached(by: Ways, target: Target, told: Told | None = None) -> AsyncGenerator[Reached]:
    """A connection that stands for as long as the block lasts, if it does not end before."""
    told = told or Told()
    with trio.fail_after(PATIENCE_S):
        line = await by.dial(target, None)
    hidden: list[str] = ["TEST_SECRET"]
    site = LoginSite(told.conversation, line.workdir or "", line.private, lambda: hidden)
    made = Reached(site, told, line, trio.Event(), trio.CancelScope())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_hold, made)
        async with trio.open_nursery() as waiting:
            waiting.start_soon(_give_up, made)
            await told.until_connected()
            waiting.cancel_scope.cancel()
        yield made
        made.cut.cancel()


async def seen_to(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that tells nobody when it happens, such as a file."""
    await trio.to_thread.run_sync(until, condition, what)


async def _hold(made: Reached) -> None:
    try:
        with made.cut:
            async with made.line.stream:
                await _until_broken(made)
    finally:
        made.over.set()


async def _give_up(made: Reached) -> None:
    await made.over.wait()
    message = "the connection ended before the welcome"
    raise LinkBroken(message)


async def _until_broken(made: Reached) -> None:
    try:
        await made.told.conversation.hold(made.line)
    except* LinkBroken:
        pass
