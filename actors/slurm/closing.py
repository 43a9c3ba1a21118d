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
        self._turn = trio.Lock()

    def forget(self) -> None:
        """The book begins anew, and what is to be closed is found again."""
        self._entries.clear()

    def over(self, member: Member) -> None:
        """The end of an attempt is in the log."""
        entry = self._shared.book.drop(member)
        if entry is not None:
            self.close(entry)
        self._shared.left_behind([member.folder])

    def close(self, entry: Entry) -> None:
        """Nothing of a batch is to be expected any more."""
        self._shared.book.close(entry)
        if not entry.closed:
            entry.closed = True
            self._entries.append(entry)
            self._shared.stir()

    async def run(self, site: Site) -> None:
        """Record and tidy, until cancelled."""
        while True:
            is_tidy = await self.tidy(site)
            if not is_tidy or (not self._entries and not self._loose()):
                await self._shared.stirred(float("inf"))

    async def tidy(self, site: Site) -> bool:
        """Record what is closed, and remove what is no longer needed; whether that could be done just now."""
        async with self._turn:
            shared = self._shared
            entries, self._entries = self._entries, []
            if entries:
                await shared.record(*(BatchClosed(shared.name, each.name, "all have ended") for each in entries))
            works = self._loose()
            shared.leftovers = [each for each in shared.leftovers if each not in works]
            try:
                if works:
                    await close(site, list(works), shared.receipt)
            except Unavailable:
                shared.leftovers += works  # there may be secrets among it
                return False
            return True

    def _loose(self) -> dict[str, None]:
        """What may go by now: scripts that are still to start look for the ends of what they wait for."""
        needed = self._shared.book.needed
        return {each: None for each in self._shared.leftovers if each not in needed}
