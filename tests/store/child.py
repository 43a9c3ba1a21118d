"""What tests let another process do with a home: `python -m tests.store.child WHAT HOME`; it says each thing it did.

It ends when its input ends, or is killed.
"""

import select
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import apsw

from holdfast.events.errors import HoldfastError
from holdfast.store.filesystem import network_filesystem
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock
from holdfast.store.reader import Reader
from holdfast.store.rebuild import rebuild
from holdfast.store.statements import run

from .histories import History
from .stores import open_sqlite


def _lock(folder: Path) -> Iterator[str]:
    with HomeLock(Home(folder)):
        yield "locked"
        sys.stdin.read()


def _commit(folder: Path) -> Iterator[str]:
    """Commit random history for as long as it is let; after each commit, say up to which event."""
    with HomeLock(Home(folder)):
        store = open_sqlite(folder)
        history = History(Random(store.seq), store)
        while not _over():
            history.step()
            yield str(store.seq)
        store.close()


def _rebuild(folder: Path) -> Iterator[str]:
    """Rebuild the views again and again."""
    store = open_sqlite(folder)
    yield "open"
    while not _over():
        yield str(rebuild(store.writing, store.path))


def _look(folder: Path) -> Iterator[str]:
    """What a person does who looks into the log with another SQLite program: Python's own, not ours."""
    connection = sqlite3.connect(Home(folder).log)
    yield str(connection.execute("select max(seq) from events").fetchone()[0])
    connection.close()


def _hold_write_lock(folder: Path) -> Iterator[str]:
    """What another SQLite program does that has begun to write."""
    connection = apsw.Connection(str(Home(folder).log))
    run(connection, "begin immediate")
    yield "writing"
    sys.stdin.read()
    run(connection, "rollback")
    connection.close()
    yield "done"


def _read(folder: Path) -> Iterator[str]:
    """Read all of it, or say why not."""
    try:
        with Reader(Home(folder)) as reader:
            yield f"{reader.seq} {len(list(reader.jobs()))} {sum(1 for _ in reader.events())}"
    except HoldfastError as error:
        yield f"{type(error).__name__}: {error}"


def _write(folder: Path) -> Iterator[str]:
    """Open it as a supervisor does, or say why not."""
    try:
        Home(folder).create()
        with HomeLock(Home(folder)):
            open_sqlite(folder).close()
        yield "opened"
    except HoldfastError as error:
        yield f"{type(error).__name__}: {error}"


def _filesystem(folder: Path) -> Iterator[str]:
    yield str(network_filesystem(folder))


def _over() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


DEEDS: dict[str, Callable[[Path], Iterator[str]]] = {
    "lock": _lock,
    "commit": _commit,
    "rebuild": _rebuild,
    "look": _look,
    "hold-write-lock": _hold_write_lock,
    "read": _read,
    "write": _write,
    "filesystem": _filesystem,
}


if __name__ == "__main__":
    for line in DEEDS[sys.argv[1]](Path(sys.argv[2])):
        print(line, flush=True)  # noqa: T201 - the parent listens
