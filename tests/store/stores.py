"""Stores for tests, and what they must agree with: the fold of their own log."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw

from holdfast.events.draft import Draft
from holdfast.events.facts import Event
from holdfast.store.checksum import checksum_vfs
from holdfast.store.contract import Store, StoredEvent
from holdfast.store.fold import Fold
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.memory import MemoryStore
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader
from holdfast.store.statements import Value, run, select
from holdfast.store.verify import verify

from .histories import START

HOME_ID = "0badcafe"


class Fixed:
    """Chance that always says one half."""

    def random(self) -> float:
        """One half."""
        return 0.5


def open_sqlite(folder: Path) -> SqliteStore:
    """The log of the home `folder`, made if it is not there."""
    return open_store(Home(folder).log, START, "ada", make_id=lambda: HOME_ID)


def open_unsynced(folder: Path) -> SqliteStore:
    """The same for tests that make long histories and pull no plug: its commits don't wait for the disk."""
    store = open_sqlite(folder)
    run(store.writing, "pragma synchronous = off")
    return store


def open_memory() -> MemoryStore:
    """The twin."""
    return MemoryStore(HOME_ID, START, "ada")


def draft_on(store: Store, author: str = "ada", now: int = START) -> Draft:
    """An empty draft."""
    return Draft(store.base, now, Fixed(), author)


def events_of(store: Store, after: int = 0) -> list[Event]:
    """What happened."""
    return [event for _, event in store.events(after)]


def lines_of(store: Store) -> list[StoredEvent]:
    """The log as stored."""
    return [stored for stored, _ in store.events()]


def fold_of(store: Store) -> Fold:
    """The fold of a store's log."""
    fold = Fold()
    for stored, event in store.events():
        fold.take(event, stored.seq, stored.time)
    return fold


def findings(folder: Path) -> list[str]:
    """What `verify` finds wrong with a home."""
    with Reader(Home(folder)) as reader:
        return verify(reader.connection, reader.home.log).findings


def tamper(log: Path, sql: str, values: tuple[Value, ...] = ()) -> None:
    """Change a log behind everybody's back, so well that its pages fit their checksums."""
    connection = apsw.Connection(str(log), vfs=checksum_vfs())
    try:
        run(connection, sql, values)
    finally:
        connection.close()


def steps_of(connection: apsw.Connection, read: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for what `read` reads: the work, whatever else the computer does."""
    steps: list[int] = []

    def note(done: dict[str, dict[str, int]]) -> None:
        steps.append(done["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"])

    connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, note)  # pyright: ignore[reportUnknownMemberType]
    try:
        read()
    finally:
        connection.trace_v2(0)  # pyright: ignore[reportUnknownMemberType]
    return sum(steps)


def dump(log: Path) -> list[tuple[Value, ...]]:
    """All that is in a database: its header's numbers, its schema, and every row of every table."""
    connection = apsw.Connection(str(log), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(_dumped(connection))
    finally:
        connection.close()


def _dumped(connection: apsw.Connection) -> Iterator[tuple[Value, ...]]:
    shape = tuple[Value, ...]
    for pragma in ("user_version", "application_id"):
        yield from select(connection, shape, f"pragma {pragma}")
    schema = list(
        select(connection, tuple[str, str, str | None], "select type, name, sql from sqlite_schema order by type, name")
    )
    yield from schema
    for kind, name, _ in schema:
        if kind == "table":
            yield (name,)
            yield from select(connection, shape, f"select * from {name}")  # noqa: S608 - a name of the schema
