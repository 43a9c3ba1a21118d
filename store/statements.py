"""Statements and their rows: the one place where SQLite's loosely typed values, and its errors, become ours.

What a row holds is known from the schema, whose tables are strict; `shape` tells it to the type checkers and does
nothing at run time. The library's own stubs leave parts of these types unknown.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

import apsw

from .errors import DamagedLog
from .translation import of_sqlite

Value = int | str | None
Row = TypeVar("Row", bound=tuple[Value, ...])


def run(connection: apsw.Connection, sql: str, values: Sequence[Value] = ()) -> None:
    """Run a statement (or a script without values) for its effect. Raises Unavailable."""
    try:
        connection.execute(sql, values or None)  # pyright: ignore[reportUnknownMemberType]
    except apsw.Error as error:
        raise of_sqlite(path_of(connection), error) from error


def run_many(connection: apsw.Connection, sql: str, rows: Iterable[Sequence[Value]]) -> None:
    """Run a statement once for each of `rows`. Raises Unavailable."""
    try:
        connection.executemany(sql, rows)  # pyright: ignore[reportUnknownMemberType]
    except apsw.Error as error:
        raise of_sqlite(path_of(connection), error) from error


def select(
    connection: apsw.Connection, shape: type[Row], sql: str, values: Sequence[Value] = ()
) -> Generator[Row, None, None]:
    """The rows of a query as they are read; its snapshot is held until the last one. Raises Unavailable."""
    del shape
    try:
        yield from cast("Iterator[Row]", connection.execute(sql, values))  # pyright: ignore[reportUnknownMemberType]
    except apsw.Error as error:
        raise of_sqlite(path_of(connection), error) from error
    except UnicodeDecodeError as error:
        raise DamagedLog(path_of(connection), f"a text in it is no text ({error})") from error


def first(connection: apsw.Connection, shape: type[Row], sql: str, values: Sequence[Value] = ()) -> Row | None:
    """The first row of a query, or None if it has none. Raises Unavailable."""
    del shape
    try:
        return cast("Row | None", connection.execute(sql, values).fetchone())  # pyright: ignore[reportUnknownMemberType]
    except apsw.Error as error:
        raise of_sqlite(path_of(connection), error) from error
    except UnicodeDecodeError as error:
        raise DamagedLog(path_of(connection), f"a text in it is no text ({error})") from error


def number(connection: apsw.Connection, sql: str, values: Sequence[Value] = ()) -> int:
    """The one number that a query gives, 0 for null or no row. Raises Unavailable."""
    row = first(connection, tuple[int | None], sql, values)
    return 0 if row is None else row[0] or 0


@contextmanager
def transaction(connection: apsw.Connection) -> Generator[None]:
    """Commit what is written inside, or on any error nothing of it. Raises Unavailable."""
    run(connection, "begin immediate")
    try:
        yield
        run(connection, "commit")
    except BaseException:
        if connection.in_transaction:
            run(connection, "rollback")
        raise


@contextmanager
def snapshot(connection: apsw.Connection) -> Generator[None]:
    """Let everything that is read inside be of one moment. Raises Unavailable."""
    run(connection, "begin")
    try:
        yield
    finally:
        if connection.in_transaction:
            run(connection, "rollback")


def path_of(connection: apsw.Connection) -> Path:
    """The file behind a connection; for a temporary database, which has no name, the folder for such files."""
    if connection.filename:
        return Path(connection.filename)
    import tempfile  # noqa: PLC0415 - rarely needed, and slow to import

    return Path(tempfile.gettempdir())
