"""Opening a home's log for writing: made if missing, migrated, and its views brought up if they are behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from secrets import token_hex

import apsw

from holdfast.events.draft import Draft
from holdfast.events.facts import HomeCreated

from .checksum import closed_by_another, mark_open, unmark
from .connection import open_reader, open_writer
from .home import check_unused
from .log import SqliteStore
from .migrations import migrate
from .reading import home_id, newest_seq, views_seq
from .rebuild import check_end, rebuild
from .renewal import renew_checksums
from .translation import translated


def new_home_id() -> str:
    """Eight hexadecimal digits, part of every token of the home."""
    return token_hex(4)


def open_store(
    path: Path, now: int, author: str, *, vfs: str | None = None, make_id: Callable[[], str] = new_home_id
) -> SqliteStore:
    """Open the log at `path`; `now` (microseconds) and `author` go into the first event of a new one.

    The caller holds the home's lock. Raises what `open_writer`, `migrate` and `rebuild` raise, and DamagedLog for a
    log whose views have followed events that it does not hold: its end was cut off.
    """
    not_by_us = closed_by_another(path)
    if not not_by_us:
        # We settle the WAL of a writer that was killed; its mark must not call that another program's doing.
        with translated(path):
            unmark(path)
    writing = open_writer(path, vfs, unchecked=not_by_us)
    try:
        if not_by_us:
            renew_checksums(writing, path)
            unmark(path)
        migrate(writing, path)
        _bring_up_views(writing, path)
        home = home_id(writing, path)
        if home is None:
            check_unused(path)
        reading = open_reader(path, vfs)
    except BaseException:
        writing.close()
        raise
    try:
        store = SqliteStore(path, writing, reading, home or make_id())
        with translated(path):
            mark_open(path)
        if home is None:
            _create(store, now, author)
    except BaseException:
        reading.close()
        writing.close()
        raise
    return store


def _bring_up_views(connection: apsw.Connection, path: Path) -> None:
    check_end(connection, path)
    if views_seq(connection) < newest_seq(connection):
        rebuild(connection, path)


def _create(store: SqliteStore, now: int, author: str) -> None:
    draft = Draft(store.base, now, SystemRandom(), author)
    draft.record(HomeCreated(store.base.home))
    store.commit([draft])
