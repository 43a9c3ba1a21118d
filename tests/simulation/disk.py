"""The log that outlives every supervisor, and the disk below it: full, slow, failing before or after the fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct

from holdfast.events.draft import Draft
from holdfast.events.facts import Event
from holdfast.store.contract import LiveBase, Store, StoredEvent
from holdfast.store.errors import DiskFull, LogFailed
from holdfast.store.memory import MemoryStore
from tests.actors.stepping import pause

from .determinism import now_us

PATH: Final = Path("simulated/log.db")


class Condition(Struct):
    """How the disk does: full until a time; `lost` of the commits (0 to 1) fail before or after they are recorded."""

    full_until_us: int = 0
    lost: float = 0.0
    slow: float = 0.0
    latency_s: float = 0.0


class DurableLog:
    """What is on the disk. `on_commit()` is called whenever it has changed."""

    def __init__(self, random: Random, now: int) -> None:
        self.store = MemoryStore("home", now)
        self.condition = Condition()
        self.random = random
        self.on_commit: Callable[[], object] = lambda: None
        self.on_open: Callable[[], object] = lambda: None


class Handle:
    """The store as one writer has it open. See `holdfast.store.contract.Store`."""

    def __init__(self, log: DurableLog) -> None:
        self._log = log
        self._store = log.store
        self._failed = False

    @property
    def seq(self) -> int:
        return self._store.seq

    @property
    def base(self) -> LiveBase:
        return self._store.base

    def commit(self, drafts: Sequence[Draft]) -> list[int]:
        condition, random = self._log.condition, self._log.random
        if self._failed:
            raise LogFailed(PATH, "it failed before and was not opened again")
        if now_us() < condition.full_until_us:
            raise DiskFull(PATH)
        if condition.lost and random.random() < condition.lost:
            self._failed = True
            if random.random() < 0.5:
                self._store.commit(drafts)
                self._log.on_commit()
            raise LogFailed(PATH, "a sync failed")
        starts = self._store.commit(drafts)
        self._log.on_commit()
        return starts

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        return self._store.events(after)

    def close(self) -> None:
        self._failed = True

    def fail(self) -> None:
        """Whoever has it open was killed: nothing more gets onto the disk."""
        self._failed = True


class SimulatedDisk:
    """The way of one supervisor to the log; see `holdfast.actors.writer.Disk`."""

    def __init__(self, log: DurableLog) -> None:
        self.log = log
        self.dead = False
        self._handle: Handle | None = None

    def die(self) -> None:
        """The supervisor was killed."""
        self.dead = True
        if self._handle is not None:
            self._handle.fail()

    async def open(self) -> Store:
        await self._wait()
        if self.dead:
            raise LogFailed(PATH, "the supervisor is dead")
        self.log.on_open()
        self._handle = Handle(self.log)
        return self._handle

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        await self._wait()
        starts = store.commit(drafts)
        await self._wait()
        return starts

    async def _wait(self) -> None:
        condition, random = self.log.condition, self.log.random
        if condition.slow and random.random() < condition.slow:
            await pause(random.random() * condition.latency_s)
