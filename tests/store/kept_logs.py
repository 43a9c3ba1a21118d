"""Logs as older versions wrote them, as SQL, with the jobs they showed: one for each schema that there ever was.

`python -m tests.store.kept_logs` writes that of the present schema, once, when it is new; it is never changed again.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import apsw
import msgspec

from holdfast.store.home import Home
from holdfast.store.migrations import APPLICATION_ID, load_migrations
from holdfast.store.reader import Reader
from holdfast.store.statements import Value, run, select, transaction
from tests.tree import ROOT

from .histories import History
from .stores import open_sqlite

DATA: Final = ROOT / "tests" / "data"
KEPT: Final = sorted(DATA.glob("log_schema_*.sql"))


def load(script: Path, log: Path) -> None:
    """Make the log that a script holds."""
    connection = apsw.Connection(str(log))
    try:
        with transaction(connection):
            run(connection, script.read_text(encoding="utf-8"))
    finally:
        connection.close()


def shown(home: Home) -> bytes:
    """The jobs of a home as `jobs --json` writes them."""
    with Reader(home) as reader:
        return b"".join(msgspec.json.encode(line) + b"\n" for line in reader.jobs())


def write() -> Path:
    """Write the log of the present schema, of a random but fixed history; refuses to write one that is there."""
    number = len(load_migrations())
    script = DATA / f"log_schema_{number}.sql"
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        store = open_sqlite(home.path)
        History(Random(2121), store).run(250)
        store.close()
        DATA.mkdir(exist_ok=True)
        with script.open("x", encoding="utf-8") as file:
            file.writelines(f"{statement};\n" for statement in _statements(home.log, number))
        script.with_suffix(".jsonl").write_bytes(shown(home))
    return script


def _statements(log: Path, number: int) -> Iterator[str]:
    connection = apsw.Connection(str(log))
    try:
        yield f"pragma application_id = {APPLICATION_ID}"
        yield f"pragma user_version = {number}"
        schema = list(
            select(connection, tuple[str, str, str | None], "select type, name, sql from sqlite_schema order by rowid")
        )
        for kind, name, sql in schema:
            if sql is not None:
                yield sql
            if kind == "table":
                for row in select(connection, tuple[Value, ...], f"select * from {name}"):  # noqa: S608 - our names
                    yield f"insert into {name} values ({', '.join(map(_quoted, row))})"  # noqa: S608 - for a reader
    finally:
        connection.close()


def _quoted(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else str(value)


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
