"""A scheduler with a real writer and limiter, a log in memory on a disk of the test's own, and a target's inbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random

import trio

from holdfast.actors.address import Address
from holdfast.actors.connections.messages import ConnectionsMessage
from holdfast.actors.directory import Directory
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import Limiter, LimiterMessage
from holdfast.actors.scheduler import Identity, Parts, Scheduler, SchedulerMessage
from holdfast.actors.standing import Standing
from holdfast.actors.targets.messages import TargetMessage
from holdfast.actors.world import SystemClock
from holdfast.actors.writer import Commit, OpenLog, Writer
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Command
from holdfast.store.contract import Store
from holdfast.store.memory import MemoryStore

Writing = Callable[[Store, Sequence[Draft]], Awaitable[list[int]]]


async def write(store: Store, drafts: Sequence[Draft]) -> list[int]:
    """Commit at once."""
    return store.commit(drafts)


class Disk:
    """A disk whose commits do what the test wants."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.writing: Writing = write

    async def open(self) -> Store:
        return self._store

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        return await self.writing(store, drafts)


class Stage:
    """Everything that a scheduler needs. `target` is the inbox of its one target, which nobody empties."""

    def __init__(self) -> None:
        self.store = MemoryStore("home", 1)
        self.disk = Disk(self.store)
        self.target = Inbox[TargetMessage]("target:local", 100)
        self._writer = Inbox[Commit]("writer", 100)
        self._limiter = Inbox[LimiterMessage]("limiter", 100)
        self._scheduler = Inbox[SchedulerMessage]("scheduler", 100)
        self.writer = Address[Commit](self._writer)
        self.scheduler = Address[SchedulerMessage](self._scheduler)
        self._log = OpenLog()

    def draft(self, *commands: Command) -> Draft:
        """What these commands would record."""
        draft = Draft(self.store.base, 1, Random(1), "test")
        for command in commands:
            decide(draft, command)
        return draft

    async def begin(self, nursery: trio.Nursery) -> None:
        """Start all but the scheduler."""
        await nursery.start(Writer(self._log, self.disk).run, self._writer)
        nursery.start_soon(Limiter().run, self._limiter)

    async def schedule(self, nursery: trio.Nursery) -> Scheduler:
        """Start a scheduler."""
        parts = Parts(
            self._log,
            self.writer,
            Address(self._limiter),
            Directory({"local": Address(self.target)}, Address(Inbox[ConnectionsMessage]("connections", 100))),
            SystemClock(),
            Random(1),
            Identity(1, "test", "host", "0"),
            Standing(1, "0"),
            on_commit=_ignore,
            on_trouble=_ignore,
        )
        scheduler = Scheduler(parts)
        await nursery.start(scheduler.run, self._scheduler)
        return scheduler


def _ignore(*_: object) -> None:
    pass
