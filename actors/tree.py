"""The supervisor tree: which actors there are, in which order they start, and who is told of whom.

    writer -> limiter -> scheduler -> local target -> function target -> control socket

One that crashes takes those after it along (rest for one): they hold what it told them. Each starts from the log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import trio
from msgspec import Struct

from holdfast.events.backoff import Uniform
from holdfast.events.draft import Draft
from holdfast.events.spec import FUNCTIONS, LOCAL
from holdfast.store.home import Home

from .address import Address
from .child import actor_child
from .control import ControlServer, Door
from .inbox import Inbox
from .limiter import Limiter, LimiterMessage
from .restarts import RestartPolicy
from .scheduler import Identity, Parts, Scheduler, SchedulerMessage
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


class Watcher(Struct, frozen=True):
    """Who hears what happens in the tree: each commit, trouble that passes (None: it has), and crashes of actors."""

    on_commit: Callable[[Draft, int], None]
    on_trouble: Callable[[str | None], None]
    on_crash: Callable[[str, Exception, int], None]


class Tree:
    """A supervisor tree, not yet running."""

    def __init__(self, world: World, watcher: Watcher) -> None:
        writer = Inbox[Commit]("writer", INBOX)
        limiter = Inbox[LimiterMessage]("limiter", INBOX)
        scheduler = Inbox[SchedulerMessage]("scheduler", INBOX)
        local = Inbox[TargetMessage]("target:local", TARGET_INBOX)
        functions = Inbox[TargetMessage]("target:functions", TARGET_INBOX)
        control = ControlServer.inbox()
        self.scheduler: Address[SchedulerMessage] = Address(scheduler)
        self._inboxes = (writer, limiter, scheduler, local, functions, control)
        calls = world.calls
        targets = {LOCAL: Address(local)} | ({} if calls is None else {FUNCTIONS: Address(functions)})
        log = OpenLog()
        standing = Standing(world.identity.pid, world.identity.version)
        parts = Parts(
            log,
            Address(writer),
            Address(limiter),
            targets,
            world.clock,
            world.random,
            world.identity,
            standing,
            watcher.on_commit,
            watcher.on_trouble,
        )

        def make_local() -> LocalTarget | FunctionTarget:
            address = Address[SchedulerMessage](scheduler)
            if world.commands is not None:
                return FunctionTarget(LOCAL, world.commands, address, world.clock)
            return LocalTarget(world.home, world.transport, address, world.clock, world.random, watcher.on_trouble)

        children = [
            actor_child(lambda: Writer(log, world.disk), writer),
            actor_child(Limiter, limiter),
            actor_child(lambda: Scheduler(parts), scheduler),
            actor_child(make_local, local),
        ]
        if calls is not None:
            children.append(
                actor_child(lambda: FunctionTarget(FUNCTIONS, calls, Address(scheduler), world.clock), functions)
            )
        children.append(actor_child(lambda: ControlServer(world.door, self.scheduler, standing), control))
        self._supervisor = Supervisor(
            children,
            strategy=Strategy.REST_FOR_ONE,
            policy=RestartPolicy(),
            random=world.random,
            on_crash=watcher.on_crash,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run until stopped. Raises RestartIntensityExceeded, with the last crash as its cause."""
        with ExitStack() as inboxes:
            for inbox in self._inboxes:
                inboxes.enter_context(inbox)
            await self._supervisor.run(task_status=task_status)

    def stop(self) -> None:
        """Stop in order, the scheduler last but for the limiter and the writer."""
        self._supervisor.stop()
