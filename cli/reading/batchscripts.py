"""The batches that a job's attempts went to a cluster in: their ids there, and the scripts, as the log has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from holdfast.events.codec import TYPE_NAMES, decode_event
from holdfast.events.errors import Damaged
from holdfast.events.facts import AttemptBatched, BatchPlanned, BatchWaits
from holdfast.events.records import Batch, ClosedBatch, SubmittedBatch
from holdfast.store.contract import StoredEvent
from holdfast.store.reader import Reader
from holdfast.store.reading import COLUMNS, LINE
from holdfast.store.statements import number, select

_PLANNED: Final = "select planned from batch where name = ?"
_OF_BATCH: Final = (
    f"select {COLUMNS} from events where seq between (select planned from batch where name = ?1) "  # noqa: S608 - ours
    "and (select seq from batch where name = ?1) and type glob 'batch_*' and data ->> 'batch' = ?1 order by seq"
)
_WAITS: Final = TYPE_NAMES[BatchWaits]


class Place(Struct, frozen=True):
    """The batch of an attempt, and its number in that, if it is an array."""

    batch: Batch
    index: int | None

    @property
    def slurm_id(self) -> str | None:
        """The attempt's id in Slurm, such as `4711` or `4711_3`; None as long as that is not known."""
        state = self.batch.state
        known = state.id if isinstance(state, SubmittedBatch | ClosedBatch) else None
        return known if known is None or self.index is None else f"{known}_{self.index}"


def places_of(reader: Reader, events: Iterable[StoredEvent]) -> dict[int, Place]:
    """For each attempt among a job's events that went to a cluster: where it stands there."""
    decoded = (decode_event(stored.type, stored.version, stored.data) for stored in events)
    # Of an attempt that was put into several, the last one counts: it was taken out of those before.
    return {event.attempt: _place(reader, event) for event in decoded if isinstance(event, AttemptBatched)}


def newest_place(reader: Reader, job: int, attempt: int) -> Place | None:
    """Where this attempt of the job stands, if it went to a cluster; it must be the job's newest."""
    batched = reader.lookups.batched([job]).get(job)
    return _place(reader, batched) if batched is not None and batched.attempt == attempt else None


def _place(reader: Reader, batched: AttemptBatched) -> Place:
    batch = reader.lookups.batch(batched.batch)
    assert batch is not None, f"the batch {batched.batch} was planned in the commit that put attempts into it"
    return Place(batch, batched.index)


def happened_to(reader: Reader, batch: str) -> list[StoredEvent]:
    """The events of a batch; of the reasons why it waited only the newest, as they change with every job around it."""
    found = [StoredEvent(*row) for row in select(reader.connection, LINE, _OF_BATCH, (batch,))]
    newest = max((stored.seq for stored in found if stored.type == _WAITS), default=0)
    return [stored for stored in found if stored.type != _WAITS or stored.seq == newest]


def script_of(reader: Reader, batch: str) -> BatchPlanned:
    """The event with the script of a batch that exists. Raises Damaged if its SHA-256 is not the script's."""
    seq = number(reader.connection, _PLANNED, (batch,))
    _, planned = next(reader.events(seq - 1))
    assert isinstance(planned, BatchPlanned), f"the view says that event {seq} plans the batch {batch}"
    if hashlib.sha256(planned.script.encode()).hexdigest() != planned.sha256:
        message = f"the script of event {seq} is not the one that was recorded: its SHA-256 is another"
        raise Damaged(f"{message}; look with `holdfast verify`, and restore the home from a backup")
    return planned
