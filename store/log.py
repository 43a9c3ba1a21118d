"""The log: events and views in one transaction, one sync; held by the one process that may write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.codec import TYPE_NAMES, encode
from holdfast.events.draft import PREVIOUS, Draft
from holdfast.events.errors import Unavailable
from holdfast.events.facts import Event

from .checksum import mark_closed
from .connection import settle
from .contract import StoredEvent
from .errors import LogFailed
from .lookups import Lookups
from .reading import newest_seq, read_events
from .statements import run_many, transaction
from .views import Changes, Numbered, write_views

# A cause of 0 stands for PREVIOUS: the newest event that the job had before this commit.
_INSERT_EVENT: Final = (
    "insert into events (seq, time, type, version, author, cause, job, data) "
    "values (?1, ?2, ?3, ?4, ?5, iif(?6 = 0, (select last from job where id = ?7), ?6), ?7, ?8)"
)

_Line = tuple[int, int, str, int, str, int | None, int | None, str]


class SqliteStore:
    """An open log. Made by `opening.open_store`; see `contract.Store` for what its methods promise.

    `reading` is a connection of its own, so that reads see what is committed and nothing else, also while a commit is
    under way in another thread on `writing`.
    """

    def __init__(self, path: Path, writing: apsw.Connection, reading: apsw.Connection, home: str) -> None:
        """Take over both connections, which `close` will close; `home` is the home's id. Raises Unavailable."""
        self._path = path
        self.writing = writing
        self.reading = reading
        self._failed = False
        self.seq = newest_seq(writing)
        self.base = Lookups(reading, home)

    @property
    def path(self) -> Path:
        """The log's file."""
        return self._path

    def commit(self, drafts: Sequence[Draft]) -> list[int]:
        """See `contract.Store`."""
        if self._failed:
            raise LogFailed(self._path, "an earlier commit failed, so the log must be opened again first")
        seq = self.seq
        starts: list[int] = []
        try:
            with transaction(self.writing):
                for draft in drafts:
                    starts.append(seq)
                    if draft.entries:
                        self._append(draft, seq)
                        seq += len(draft.entries)
        except BaseException as error:
            # After a failed sync, or an interrupt in the middle, nobody knows what is on the disk: no second try here.
            self._failed = isinstance(error, LogFailed) or not isinstance(error, Exception)
            raise
        self.seq = seq
        return starts

    def _append(self, draft: Draft, start: int) -> None:
        numbered = Numbered()
        run_many(self.writing, _INSERT_EVENT, self._lines(draft, start, numbered))
        write_views(self.writing, changes_of(draft), numbered)

    def _lines(self, draft: Draft, start: int, numbered: Numbered) -> Iterator[_Line]:
        time, note, names = draft.now, numbered.note, TYPE_NAMES
        for seq, entry in enumerate(draft.entries, start=start + 1):
            event, cause = entry.event, entry.cause
            if cause is not None and cause < PREVIOUS:
                cause = start - cause
            job = note(event, seq, time)
            yield seq, time, names[type(event)], event.VERSION, entry.author, cause, job, encode(event)

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        """See `contract.Store`."""
        return read_events(self.reading, self._path, after)

    def close(self) -> None:
        """See `contract.Store`."""
        self.reading.close()
        with suppress(Unavailable, apsw.ConnectionClosedError):
            settle(self.writing)
        self.writing.close()
        mark_closed(self._path)


def changes_of(draft: Draft) -> Changes:
    """The records that a draft changed."""
    return Changes(
        draft.jobs.changed,
        draft.targets.changed,
        draft.limits.changed,
        draft.marks.changed,
        draft.flows.changed,
        draft.batches.changed,
    )
