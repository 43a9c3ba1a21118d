"""Cancelling: `scancel` for what the cluster has, said again as long as the queue shows that it had no effect."""

from __future__ import annotations

from typing import Final

import trio

from holdfast.events.errors import Unavailable

from .book import Member
from .ranges import shown_ranges
from .shared import Shared
from .site import Site

AGAIN_S: Final = 30.0


class Canceller:
    """Of one cluster."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def run(self, site: Site) -> None:
        """Cancel what is to be cancelled, until cancelled oneself."""
        while True:
            due = self._due(trio.current_time())
            for number, members in due:
                for member in members:
                    member.stopped_at = trio.current_time()
                try:
                    await self._cancel(site, number, members)
                except Unavailable as error:
                    # Whether it had an effect, the queue will show.
                    self._shared.on_trouble(f"{self._shared.name}: {error}")
            if not self._due(trio.current_time()):
                await self._shared.stirred(AGAIN_S)

    def _due(self, now: float) -> list[tuple[str, list[Member]]]:
        found = [
            (number, [each for each in members if each.stopped_at is None or now - each.stopped_at >= AGAIN_S])
            for number, members in self._shared.book.to_stop()
        ]
        return [(number, members) for number, members in found if members]

    async def _cancel(self, site: Site, number: str, members: list[Member]) -> None:
        entry = self._shared.book.entries.get(members[0].batch)
        indexes = sorted(each.index for each in members if each.index is not None)
        if entry is None or (indexes and len(indexes) < len(entry.members)):
            # With a name as well, scancel takes all tasks that wait, whatever their indexes.
            what = [f"{number}_[{shown_ranges(indexes)}]" if indexes else number]
        else:
            # An id may be another job's by now, where a controller was put back to an older state.
            what = [f"--name={entry.name}", number]
        finished = await site.run(("scancel", *what))
        if finished.exit_code:
            said = " ".join(finished.stderr.decode(errors="replace").split())
            message = f"scancel {what[-1]} failed: {said or f'exit code {finished.exit_code}'}"
            raise Unavailable(message)
