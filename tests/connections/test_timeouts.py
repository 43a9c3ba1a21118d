"""A thousand attempts to connect that time out leave nothing behind: no task, no memory, no turn at a gateway."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from random import Random

import trio

from holdfast.actors.address import Address
from holdfast.actors.connections.connections import Connections
from holdfast.actors.connections.dialling import RemoteLine
from holdfast.actors.connections.host import Around
from holdfast.actors.connections.interview import Interview
from holdfast.actors.connections.messages import ConnectionsMessage
from holdfast.actors.connections.turns import Turns
from holdfast.actors.directory import Directory
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import Limiter, LimiterMessage, Restore
from holdfast.actors.scheduler import SchedulerMessage
from holdfast.actors.slurm.log import Log
from holdfast.events.facts import AttemptBatched
from holdfast.events.hosts import Down
from holdfast.events.messages import HostSeen
from holdfast.events.records import Batch, Target
from holdfast.events.spec import SshSpec
from holdfast.store.home import Home
from tests.simulation.clocks import WallClock
from tests.simulation.determinism import Steps, run

HOSTS = 20
TIMEOUTS = 1_000
GATED = 3


class Silence:
    """Machines that never answer; the first few have one gateway."""

    def __init__(self) -> None:
        self.dialled = self.dialling = self.dialling_most = 0

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        await trio.lowlevel.checkpoint()
        task_status.started()

    async def gateway(self, target: Target) -> str:
        return "gate" if int(target.name) < GATED else target.name

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        del interview
        self.dialled += 1
        gated = int(target.name) < GATED
        self.dialling += gated
        self.dialling_most = max(self.dialling_most, self.dialling)
        try:
            await trio.sleep_forever()
        finally:
            self.dialling -= gated


class Reports:
    """What the scheduler is told of them."""

    def __init__(self) -> None:
        self.timed_out = 0
        self.inbox = Inbox[SchedulerMessage]("scheduler", 1_000)
        self._more = trio.Event()

    async def read(self) -> None:
        while True:
            for message in await self.inbox.take():
                if isinstance(message, HostSeen) and isinstance(message.host, Down):
                    self.timed_out += 1
                    self._more.set()

    async def wait(self, timed_out: int) -> None:
        """Wait until so many attempts have timed out."""
        while self.timed_out < timed_out:
            self._more = trio.Event()
            await self._more.wait()


def held() -> tuple[int, int]:
    """Tasks, and Python's small pieces of memory."""
    gc.collect()
    return trio.lowlevel.current_statistics().tasks_living, sys.getallocatedblocks()


def test_p9_a_thousand_dial_time_outs_leave_no_task_no_memory_and_no_turn_behind() -> None:
    silence, reports, moments = Silence(), Reports(), list[tuple[int, int]]()

    async def scenario() -> None:
        clock = WallClock()
        limiter_inbox = Inbox[LimiterMessage]("limiter", 100)
        limiter = Address[LimiterMessage](limiter_inbox)
        inbox = Inbox[ConnectionsMessage]("connections", 1_000)
        directory = Directory({}, Address(inbox))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Limiter().run, limiter_inbox)
            nursery.start_soon(reports.read)
            await limiter.ask(Restore, {}, (), {})
            around = Around(
                Home(Path("nowhere")),
                Turns(limiter, clock),
                Address(reports.inbox),
                Log(_know_nothing, _hold_nothing, _know_nothing, _know_nothing, set),
                clock,
                Random(1),
                _ignore,
            )
            nursery.start_soon(Connections(directory, lambda _: silence, around).run, inbox)
            for number in range(HOSTS):
                directory.meet(Target(str(number), ssh=SshSpec(str(number))))
                directory.attend(str(number), wanted=True)
            for part in (1, 2, 3, 4):
                await reports.wait(part * TIMEOUTS // 4)
                moments.append(held())
            nursery.cancel_scope.cancel()

    run(scenario, 1, Steps())
    assert silence.dialled >= TIMEOUTS
    assert 0 < silence.dialling_most <= 2, "turns are given, and given back"
    tasks = [each[0] for each in moments]
    blocks = [each[1] for each in moments]
    assert max(tasks) - min(tasks) <= HOSTS, f"tasks: {tasks}"
    assert blocks[-1] - blocks[0] < TIMEOUTS / 4, f"pieces of memory: {blocks}"


def _know_nothing(asked: str) -> None:
    del asked


def _hold_nothing(target: str) -> tuple[list[Batch], list[tuple[str, AttemptBatched]]]:
    del target
    return [], []


def _ignore(trouble: str | None) -> None:
    del trouble
