"""Migrations of the log's schema: numbered SQL files, each applied with its version number in one transaction.

A new log gets all of them in one: else a crash could leave it as if an older version of us had made it, and readers
would refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import apsw

from .errors import DamagedLog, NewerSchema, NoHome, OlderSchema
from .home import check_unused
from .statements import first, number, run, transaction

# Four bytes in the file's header that say whose it is; the first migration writes them.
APPLICATION_ID: Final = int.from_bytes(b"Hold", "big")


def load_migrations() -> list[str]:
    """The SQL of every migration, in order; the n-th (from 1) leads to schema n."""
    assert __package__, "this module is part of a package"
    scripts = sorted((Path(__file__).parent / "schema").glob("*.sql"))
    return [each.read_text(encoding="utf-8") for each in scripts]


def schema_version(connection: apsw.Connection) -> int:
    """The number of migrations that the file has had. Raises Unavailable."""
    return number(connection, "pragma user_version")


def check_ours(connection: apsw.Connection, path: Path) -> None:
    """Raise DamagedLog if the file is an SQLite database of something else; one without content is fine."""
    empty = first(connection, tuple[int], "select 1 from sqlite_schema limit 1") is None
    if empty and schema_version(connection) == 0:
        return
    if number(connection, "pragma application_id") != APPLICATION_ID:
        raise DamagedLog(path, "it is an SQLite database, but not one of Holdfast's")


def check_schema(connection: apsw.Connection, path: Path, known: int | None = None) -> int:
    """The file's schema. Raises NewerSchema if it is above `known` (default: the migrations that there are).

    Raises DamagedLog if it is a database of something else.
    """
    check_ours(connection, path)
    newest = len(load_migrations()) if known is None else known
    found = schema_version(connection)
    if found > newest:
        raise NewerSchema(path, found, newest)
    return found


def check_readable(connection: apsw.Connection, path: Path, known: int | None = None) -> None:
    """Raise unless a reader can read this schema: NoHome for a log whose making is not done, OlderSchema, NewerSchema.

    `known` as for `check_schema`.
    """
    newest = len(load_migrations()) if known is None else known
    found = check_schema(connection, path, newest)
    if found == 0:
        check_unused(path)
        raise NoHome(path.parent)
    if found < newest:
        raise OlderSchema(path, found, newest)


def migrate(connection: apsw.Connection, path: Path, migrations: Sequence[str] | None = None) -> None:
    """Bring the file to the newest schema. A migration that fails leaves it as it was before that migration.

    A file without a schema gets all migrations at once, or none.
    `migrations`: scripts to apply instead of our own. Raises NewerSchema, DamagedLog or other Unavailable.
    """
    scripts = load_migrations() if migrations is None else migrations
    check_schema(connection, path, len(scripts))
    done = schema_version(connection)
    steps = range(done + 1, len(scripts) + 1) if done else [len(scripts)]
    for reached in steps:
        with transaction(connection):
            for script in scripts[done:reached]:
                run(connection, script)
            run(connection, f"pragma user_version = {reached}")
        done = reached
