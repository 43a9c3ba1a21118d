"""What waits in a cluster's queue until somebody does something about it: said once, while a `run` looks on."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.actors.slurm.reasons import needs_somebody
from holdfast.events.allocations import ATTEMPT
from holdfast.events.draft import Draft
from holdfast.events.facts import BatchWaits
from holdfast.store.reader import Reader

from ..explaining.slurmwords import waiting_text


class QueueWaits:
    """Of one run."""

    def __init__(self) -> None:
        self._untold: dict[tuple[str, str], None] = {}
        self._told: set[tuple[str, str]] = set()

    def note(self, draft: Draft) -> None:
        """Take in what was committed."""
        for entry in draft.entries:
            if type(entry.event) is BatchWaits and needs_somebody(entry.event.reason):
                self._untold[entry.event.batch, entry.event.reason] = None

    def lines(self, reader: Reader) -> Iterator[str]:
        """A line for each batch and reason that was not told yet."""
        untold, self._untold = self._untold, {}
        for each in untold.keys() - self._told:
            self._told.add(each)
            batch, reason = reader.lookups.batch(each[0]), each[1]
            if batch is None:
                continue
            number, attempt = map(int, each[0].split(".")[1:3])
            if attempt == ATTEMPT:
                yield f"allocation {number} of {batch.target} waits in the queue: {waiting_text(reason)}"
            elif (job := next(reader.jobs("id = ?", (number,)), None)) is not None:
                name = f" ({job.name})" if job.name else ""
                others = f" and {batch.size - 1:,} like it wait" if batch.size > 1 else " waits"
                yield f"job {job.id}{name}{others} in the queue of {batch.target}: {waiting_text(reason)}"
