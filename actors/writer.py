"""The persistence writer: merges every commit that waits into one transaction, and answers after the sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import trio

from holdfast.events.draft import Draft
from holdfast.events.errors import Damaged, Unavailable
from holdfast.store.contract import Store
from holdfast.store.errors import LogFailed

from .actor import Actor
from .reply import Request

# Up to here a commit takes about as long as the way to a worker thread and back; a longer one would keep all waiting.
INLINE_ENTRIES_MAX: Final = 512


class Commit(Request[int], frozen=True):
    """Record a draft; answered, after the sync, with the seq before its first event. Fails with Unavailable."""

    draft: Draft


class Disk(Protocol):
    """The way to a store, whose calls take as long as the disk does; the simulation gives another."""

    async def open(self) -> Store:
        """Open the store. Raises Unavailable."""
        ...

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        """See `Store.commit`."""
        ...


class ThreadedDisk:
    """Goes to a worker thread for what takes longer than the way there and back."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store

    async def open(self) -> Store:
        """Open the store. Raises Unavailable."""
        return await trio.to_thread.run_sync(self._open_store)

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        """See `Store.commit`."""
        if sum(len(draft.entries) for draft in drafts) <= INLINE_ENTRIES_MAX:
            return store.commit(drafts)
        return await trio.to_thread.run_sync(store.commit, drafts)


class OpenLog:
    """Where the writer puts the store that it has open, for the actors that start after it."""

    def __init__(self) -> None:
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The open store."""
        assert self._store is not None, "the writer starts before everybody who needs the store"
        return self._store

    def put(self, store: Store | None) -> None:
        """Set or take away the store."""
        self._store = store


class Writer(Actor[Commit]):
    """Owns the only connection that writes."""

    def __init__(self, log: OpenLog, disk: Disk) -> None:
        """The log is opened at each start, so a writer that crashed reads it afresh."""
        self._log = log
        self._disk = disk

    async def opened(self) -> None:
        """Open the log."""
        self._log.put(await self._disk.open())

    async def closed(self) -> None:
        """Close the log."""
        self._log.store.close()
        self._log.put(None)

    async def handle(self, batch: Sequence[Commit]) -> None:
        """One transaction for everybody who waits. A refusal is everybody's; after it the next try starts clean.

        A sync that failed says nothing of what is on the disk: the writer crashes, and the tree starts from the log. A
        log that is damaged gets no better by trying again: that crash ends the tree.
        """
        if not batch:
            return
        drafts = [message.draft for message in batch]
        try:
            starts = await self._disk.commit(self._log.store, drafts)
        except (LogFailed, Damaged):
            raise
        except Unavailable as error:
            for message in batch:
                message.reply.fail(error)
            return
        for message, start in zip(batch, starts, strict=True):
            message.reply.send(start)
