"""The supervisor tree: which actors there are, in which order they start, and who is told of whom.

    writer -> limiter -> scheduler -> local target -> function target -> connections -> control socket

One that crashes takes those after it along (rest for one): they hold what it told them. Each starts from the log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Final

import trio
from msgspec import Struct

from holdfast.events.backoff import Uniform
from holdfast.events.draft import Draft
from holdfast.events.messages import AskStatus
from holdfast.events.spec import FUNCTIONS, LOCAL
from holdfast.store.home import Home

from .address import Address
from .child import Child, actor_child
from .connections.connections import Connections
from .connections.dialling import Dialler, NoWay
from .connections.host import Around, Times
from .connections.messages import ConnectionsMessage
from .connections.turns import Turns
from .control import ControlServer, Door
from .directory import Directory, log_of
from .inbox import Inbox
from .limiter import Limiter, LimiterMessage
from .restarts import RestartPolicy
from .scheduler import Ask, Identity, Parts, Scheduler, SchedulerMessage
from .standing import Standing
from .supervision import Strategy, Supervisor
from .targets.calling import CallRunner
from .targets.functions import FunctionTarget
from .targets.local import LocalTarget, Transport
from .targets.messages import TargetMessage
from .world import Clock
from .writer import Commit, Disk, OpenLog, Writer

INBOX: Final = 4096
TARGET_INBOX: Final = 100_000


class World(Struct, frozen=True):
    """Everything outside of the tree, real or simulated."""

    home: Home
    disk: Disk
    clock: Clock
    random: Uniform
    transport: Transport
    identity: Identity
    door: Door
    calls: CallRunner | None = None
    """What calls functions in this process; None where nothing ever was called in this home."""
    commands: CallRunner | None = None
    """What runs the local target's commands in this process, in place of a runner; for tests."""
    dialler: Callable[[str], Dialler] = NoWay
    """Makes what connects to other machines, given the home's id; called once there is one."""
    times: Times = Times()


class Watcher(Struct, frozen=True):
    """Who hears what happens in the tree: each commit, trouble that passes (None: it has), and crashes of actors."""

    on_commit: Callable[[Draft, int], None]
    on_trouble: Callable[[str | None], None]
    on_crash: Callable[[str, Exception, int], None]


class _Inboxes:
    """One for each actor; they outlive it, so that an address stays valid while it is restarted."""

    def __init__(self) -> None:
        self.writer = Inbox[Commit]("writer", INBOX)
        self.limiter = Inbox[LimiterMessage]("limiter", INBOX)
        self.scheduler = Inbox[SchedulerMessage]("scheduler", INBOX)
        self.local = Inbox[TargetMessage]("target:local", TARGET_INBOX)
        self.functions = Inbox[TargetMessage]("target:functions", TARGET_INBOX)
        self.connections = Inbox[ConnectionsMessage]("connections", TARGET_INBOX)
        self.control = ControlServer.inbox()


class Tree:
    """A supervisor tree, not yet running."""

    def __init__(self, world: World, watcher: Watcher) -> None:
        self._world = world
        self._watcher = watcher
        self._inboxes = inboxes = _Inboxes()
        self._log = OpenLog()
        self._standing = Standing(world.identity.pid, world.identity.version)
        self.scheduler: Address[SchedulerMessage] = Address(inboxes.scheduler)
        here = {LOCAL: Address(inboxes.local)}
        if world.calls is not None:
            here[FUNCTIONS] = Address(inboxes.functions)
        self._directory = Directory(here, Address(inboxes.connections))
        self._supervisor = Supervisor(
            self._children(inboxes),
            strategy=Strategy.REST_FOR_ONE,
            policy=RestartPolicy(),
            random=world.random,
            on_crash=watcher.on_crash,
        )

    def _children(self, inboxes: _Inboxes) -> list[Child]:
        """The actors in the order in which they start."""
        world, calls, connections = self._world, self._world.calls, Address(inboxes.connections)
        children = [
            actor_child(lambda: Writer(self._log, world.disk), inboxes.writer),
            actor_child(Limiter, inboxes.limiter),
            actor_child(self._make_scheduler, inboxes.scheduler),
            actor_child(self._make_local, inboxes.local),
        ]
        if calls is not None:
            make_functions = partial(FunctionTarget, FUNCTIONS, calls, self.scheduler, world.clock)
            children.append(actor_child(make_functions, inboxes.functions))
        children.append(actor_child(self._make_connections, inboxes.connections))
        make_control = partial(ControlServer, world.door, self.scheduler, connections, self._standing)
        children.append(actor_child(make_control, inboxes.control))
        return children

    def _make_scheduler(self) -> Scheduler:
        world, watcher = self._world, self._watcher
        parts = Parts(
            self._log,
            Address(self._inboxes.writer),
            Address(self._inboxes.limiter),
            self._directory,
            world.clock,
            world.random,
            world.identity,
            self._standing,
            watcher.on_commit,
            watcher.on_trouble,
        )
        return Scheduler(parts)

    def _make_local(self) -> LocalTarget | FunctionTarget:
        world = self._world
        if world.commands is not None:
            return FunctionTarget(LOCAL, world.commands, self.scheduler, world.clock)
        on_trouble = self._watcher.on_trouble
        return LocalTarget(world.home, world.transport, self.scheduler, world.clock, world.random, on_trouble)

    def _make_connections(self) -> Connections:
        world = self._world
        around = Around(
            world.home,
            Turns(Address(self._inboxes.limiter), world.clock),
            self.scheduler,
            log_of(self._log),
            world.clock,
            world.random,
            self._watcher.on_trouble,
            world.times,
            settled=self._settle,
        )
        return Connections(self._directory, world.dialler, around)

    async def _settle(self) -> None:
        await self.scheduler.ask(Ask, AskStatus(), "connections")

    def lives(self, job: int) -> bool:
        """Whether the job is in the scheduler's memory, as all are that have not ended."""
        return self._standing.lives(job)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until stopped. Raises RestartIntensityExceeded, with the last crash as its cause."""
        with ExitStack() as inboxes:
            for inbox in vars(self._inboxes).values():
                inboxes.enter_context(inbox)
            await self._supervisor.run(task_status=task_status)

    def stop(self) -> None:
        """Stop in order, the scheduler last but for the limiter and the writer."""
        self._supervisor.stop()
