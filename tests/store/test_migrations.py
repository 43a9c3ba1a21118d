"""Migrations: each with its number in one transaction, and no file touched that is not ours to change."""

from pathlib import Path

import apsw
import pytest

from holdfast.store.errors import DamagedLog, NewerSchema, NoHome, OlderSchema
from holdfast.store.home import Home
from holdfast.store.migrations import (
    check_readable,
    check_schema,
    load_migrations,
    migrate,
    schema_version,
)

from .stores import dump, open_sqlite, tamper

FIRST = "pragma application_id = 0x486f6c64; create table a (x integer) strict; insert into a values (1)"
SECOND = "create table b (y integer) strict; insert into b select x + 1 from a"
BROKEN = [
    f"{SECOND}; insert into nowhere values (1)",  # noqa: S608 - the words are ours
    f"{SECOND}; insert into a values ('not a number')",  # noqa: S608 - the words are ours
    f"delete from a; drop table a; {SECOND}",  # noqa: S608 - the words are ours
    f"{SECOND}; pragma user_version = 7; select * from",
]


def migrated(path: Path, *scripts: str) -> None:
    connection = apsw.Connection(str(path))
    try:
        migrate(connection, path, scripts)
    finally:
        connection.close()


def test_migrations_are_applied_in_order_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    migrated(path, FIRST)
    migrated(path, FIRST, SECOND)
    migrated(path, FIRST, SECOND)
    contents = dump(path)
    assert contents[0] == (2,)
    assert contents[-4:] == [("a",), (1,), ("b",), (2,)]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_migration_that_fails_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "log.db"
    migrated(path, FIRST)
    before = dump(path)
    with pytest.raises(DamagedLog):
        migrated(path, FIRST, broken)
    assert dump(path) == before


def test_a_failing_migration_of_an_old_log_keeps_those_before_it(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    migrated(path, FIRST)
    with pytest.raises(DamagedLog):
        migrated(path, FIRST, SECOND, "select * from nowhere")
    assert dump(path)[0] == (2,)
    migrated(path, FIRST, SECOND, "create table c (z integer) strict")
    assert dump(path)[0] == (3,)


@pytest.mark.parametrize("ours", [1, len(load_migrations())])
def test_a_new_log_gets_all_of_our_migrations_or_none(tmp_path: Path, ours: int) -> None:
    path = tmp_path / "log.db"
    before = dump_of_empty(path)
    with pytest.raises(DamagedLog):
        migrated(path, *load_migrations()[:ours], "select * from nowhere")
    assert dump(path) == before
    migrated(path, *load_migrations())
    assert dump(path)[0] == (len(load_migrations()),)


def test_an_old_log_gets_the_schema_of_a_new_one(home: Home, tmp_path: Path) -> None:
    """But for the order in which its parts were made."""
    open_sqlite(home.path).close()
    path = tmp_path / "log.db"
    for count in range(1, len(load_migrations()) + 1):
        migrated(path, *load_migrations()[:count])
    assert schema_of(path) == schema_of(home.log)


def schema_of(path: Path) -> list[object]:
    return [row for row in dump(path) if row[0] in {"table", "index", "view"}]


def dump_of_empty(path: Path) -> object:
    path.touch()
    return dump(path)


def test_a_newer_schema_is_refused_and_left_alone(home: Home) -> None:
    open_sqlite(home.path).close()
    tamper(home.log, "pragma user_version = 99")
    before = dump(home.log)
    with pytest.raises(
        NewerSchema, match=f"schema 99, newer than the {len(load_migrations())} that this Holdfast knows"
    ):
        open_sqlite(home.path)
    assert dump(home.log) == before


def test_a_reader_refuses_a_schema_that_it_does_not_know(home: Home) -> None:
    open_sqlite(home.path).close()
    connection = apsw.Connection(str(home.log))
    try:
        check_readable(connection, home.log)
        newest = len(load_migrations())
        with pytest.raises(OlderSchema, match=rf"schema {newest}, older than the {newest + 1} .* `holdfast rebuild`"):
            check_readable(connection, home.log, known=newest + 1)
        with pytest.raises(NewerSchema):
            check_readable(connection, home.log, known=0)
        assert check_schema(connection, home.log) == schema_version(connection) == len(load_migrations())
    finally:
        connection.close()


def test_a_log_without_a_schema_is_no_home_yet(home: Home) -> None:
    home.log.touch()
    connection = apsw.Connection(str(home.log))
    try:
        with pytest.raises(NoHome):
            check_readable(connection, home.log)
    finally:
        connection.close()


@pytest.mark.parametrize("version", [0, 1])
def test_a_database_of_something_else_is_refused_and_not_changed_by_a_byte(home: Home, version: int) -> None:
    tamper(home.log, f"create table moz_places (url text); pragma user_version = {version}")
    before = home.log.read_bytes()
    with pytest.raises(DamagedLog, match="not one of Holdfast's"):
        open_sqlite(home.path)
    assert home.log.read_bytes() == before
