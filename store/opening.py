"""Opening a home's log for writing: made if missing, migrated, and its views brought up if they are behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from secrets import token_hex

import apsw

from holdfast.events.draft import Draft
from holdfast.events.facts import HomeCreated

from .connection import open_writer, translated
from .log import SqliteStore
from .migrations import migrate
from .reading import home_id, newest_seq, views_seq
from .rebuild import rebuild


def new_home_id() -> str:
    """Eight hexadecimal digits, part of every token of the home."""
    return token_hex(4)


def open_store(
    path: Path, now: int, author: str, *, vfs: str | None = None, make_id: Callable[[], str] = new_home_id
) -> SqliteStore:
    """Open the log at `path`; `now` (microseconds) and `author` go into the first event of a new one.

    The caller holds the home's lock. Raises what `open_writer`, `migrate` and `rebuild` raise.
    """
    connection = open_writer(path, vfs)
    try:
        migrate(connection, path)
        with translated(path):
            home = home_id(connection, path)
            if home is None:
                home = _create(path, connection, now, author, make_id())
            if views_seq(connection) != newest_seq(connection):
                rebuild(connection, path)
        return SqliteStore(path, connection, home)
    except BaseException:
        connection.close()
        raise


def _create(path: Path, connection: apsw.Connection, now: int, author: str, home: str) -> str:
    store = SqliteStore(path, connection, home)
    draft = Draft(store.base, now, SystemRandom(), author)
    draft.record(HomeCreated(home))
    store.commit([draft])
    return home
