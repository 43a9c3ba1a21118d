"""The log: events and views in one transaction, one sync; held by the one process that may write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.codec import TYPE_NAMES, encode
from holdfast.events.draft import PREVIOUS, Draft, Entry
from holdfast.events.facts import Event

from .connection import translated
from .contract import StoredEvent
from .errors import LogFailed
from .lookups import Lookups
from .reading import newest_seq, read_events
from .views import Changes, Numbered, write_views

_INSERT_EVENT: Final = (
    "insert into events (seq, time, type, version, author, cause, data) values (?, ?, ?, ?, ?, ?, ?)"
)
_LAST_OF_JOB: Final = "select last from job where id = ?"

Row = tuple[int, int, str, int, str, int | None, str]


class SqliteStore:
    """An open log. Made by `opening.open_store`; see `contract.Store` for what its methods promise."""

    def __init__(self, path: Path, connection: apsw.Connection, home: str) -> None:
        self._path = path
        self._connection = connection
        self._failed = False
        self.seq = newest_seq(connection)
        self.base = Lookups(connection, home)

    @property
    def path(self) -> Path:
        """The log's file."""
        return self._path

    def commit(self, drafts: Sequence[Draft]) -> list[int]:
        """See `contract.Store`."""
        if self._failed:
            raise LogFailed(self._path, "an earlier commit failed, so the log must be opened again first")
        connection = self._connection
        seq = self.seq
        starts: list[int] = []
        with translated(self._path):
            try:
                connection.execute("begin immediate")
                for draft in drafts:
                    starts.append(seq)
                    self._append(draft, seq)
                    seq += len(draft.entries)
                connection.execute("commit")
            except BaseException as error:
                # A sync that failed says nothing of what is on the disk: no second try on this connection.
                self._failed = isinstance(error, apsw.IOError)
                if connection.in_transaction:
                    connection.execute("rollback")
                raise
        self.seq = seq
        return starts

    def _append(self, draft: Draft, start: int) -> None:
        numbered = Numbered()
        rows: list[Row] = []
        time = draft.now
        for seq, entry in enumerate(draft.entries, start=start + 1):
            event = entry.event
            numbered.note(event, seq, time)
            cause = self._cause(entry, start)
            rows.append((seq, time, TYPE_NAMES[type(event)], event.VERSION, entry.author, cause, encode(event)))
        self._connection.executemany(_INSERT_EVENT, rows)
        write_views(self._connection, changes_of(draft), numbered)

    def _cause(self, entry: Entry, start: int) -> int | None:
        cause = entry.cause
        if cause is None or cause > 0:
            return cause
        if cause < 0:
            return start - cause
        assert cause == PREVIOUS, "a cause is a seq, an entry, the previous event, or none"
        job = getattr(entry.event, "job", None)
        row = self._connection.execute(_LAST_OF_JOB, (job,)).fetchone()
        return None if row is None else row[0]

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        """See `contract.Store`."""
        return read_events(self._connection, self._path, after)

    def close(self) -> None:
        """See `contract.Store`."""
        self._connection.close()


def changes_of(draft: Draft) -> Changes:
    """The records that a draft changed."""
    return Changes(
        draft.jobs.changed,
        draft.attempts.changed,
        draft.targets.changed,
        draft.limits.changed,
        draft.marks.changed,
        draft.flows.changed,
    )
