"""Closing: what is over in the log is over on the cluster as well, where nothing is left lying about but the claims."""

from __future__ import annotations

import trio

from holdfast.events.errors import Unavailable
from holdfast.events.facts import BatchClosed

from .asking import close
from .book import Entry, Member
from .shared import Shared
from .site import Site


class Closer:
    """Of one cluster."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._entries: list[Entry] = []
        self._works: list[str] = []
        self._news = trio.Event()

    def over(self, member: Member) -> None:
        """The end of an attempt is in the log."""
        entry = self._shared.book.drop(member)
        self._works.append(member.folder)
        if entry is not None:
            self.close(entry)
        self._news.set()

    def close(self, entry: Entry) -> None:
        """Nothing of a batch is to be expected any more."""
        self._shared.book.close(entry)
        if not entry.closed:
            entry.closed = True
            self._entries.append(entry)
            self._news.set()

    async def run(self, site: Site) -> None:
        """Record and tidy, until cancelled."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            entries, self._entries = self._entries, []
            if entries:
                name = self._shared.name
                await self._shared.record(*(BatchClosed(name, each.name, "all have ended") for each in entries))
            # Scripts that are still to start look for the ends of what they wait for.
            needed = self._shared.book.needed
            works = [each for each in self._works if each not in needed]
            self._works = [each for each in self._works if each in needed]
            try:
                if works:
                    await close(site, works)
            except Unavailable:
                continue  # a few small files stay there
