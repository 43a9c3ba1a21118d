"""The views afresh from the log, in one transaction: before it or after it, never between (promise P4)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.errors import IllegalMove
from holdfast.events.facts import Event

from .contract import StoredEvent
from .errors import DamagedLog
from .fold import Fold
from .lookups import Lookups
from .reading import read_events
from .statements import transaction
from .views import clear_views, write_views

# So many jobs are kept in memory; those that were written are read again from the views when an event changes them.
JOBS_MAX: Final = 50_000


def rebuild(connection: apsw.Connection, path: Path) -> int:
    """Empty the views and fold the whole log into them; returns how many events it took.

    Raises DamagedLog, with the views left as they were, if the log can't be folded.
    """
    with transaction(connection):
        clear_views(connection)
        return fold_into(connection, read_events(connection, path, 0), path)


def fold_into(
    views: apsw.Connection, events: Iterable[tuple[StoredEvent, Event]], path: Path, jobs_max: int = JOBS_MAX
) -> int:
    """Fold the log at `path` into empty views, inside the caller's transaction; returns the last event's seq.

    `jobs_max` bounds the memory it takes. Raises DamagedLog for an event that can't follow those before it.
    """
    lookups = Lookups(views, "")
    fold = Fold(lookups.job, lookups.attempt)
    seq = 0
    for stored, event in events:
        seq = stored.seq
        try:
            fold.take(event, seq, stored.time)
        except IllegalMove as error:
            raise DamagedLog(path, f"event {seq} can't follow those before it: {error}") from error
        if len(fold.jobs.changed) >= jobs_max:
            write_views(views, fold.changes(), fold.numbered)
            fold.forget()
    if seq:
        write_views(views, fold.changes(), fold.numbered)
    return seq
