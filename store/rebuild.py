"""The views afresh from the log, in one transaction: before it or after it, never between (promise P4)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from holdfast.events.errors import IllegalMove

from .connection import translated
from .errors import DamagedLog
from .fold import Fold
from .lookups import Lookups
from .reading import read_events
from .views import clear_views, write_views

FLUSH_AT: Final = 100_000


def rebuild(connection: apsw.Connection, path: Path) -> int:
    """Empty the views and fold the whole log into them; returns how many events it took.

    Raises DamagedLog, with the views left as they were, if the log can't be folded.
    """
    lookups = Lookups(connection, "")
    fold = Fold(lookups.job, lookups.attempt)
    seq = 0
    with translated(path):
        connection.execute("begin immediate")
        try:
            clear_views(connection)
            for stored, event in read_events(connection, path, 0):
                seq = stored.seq
                try:
                    fold.take(event, seq, stored.time)
                except IllegalMove as error:
                    raise DamagedLog(path, f"event {seq} can't follow those before it: {error}") from error
                if len(fold.jobs.changed) >= FLUSH_AT:
                    write_views(connection, fold.changes(), fold.numbered)
                    fold.forget()
            if seq:
                write_views(connection, fold.changes(), fold.numbered)
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
    return seq
