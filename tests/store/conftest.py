"""Homes and stores for the tests of the store."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore

from .histories import History
from .stores import open_memory, open_sqlite, open_unsynced


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose folder exists and is empty."""
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture(scope="session")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a home with a history of 2,000 events; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("long")
    store = open_unsynced(folder)
    history = History(Random(7), store)
    while store.seq < 2_000:
        history.step()
    store.close()
    return Home(folder).log


@pytest.fixture
def long_home(home: Home, long_log: Path) -> Home:
    """A home with a history of 2,000 events, closed."""
    shutil.copyfile(long_log, home.log)
    return home


@pytest.fixture
def sqlite_store(home: Home) -> Iterator[SqliteStore]:
    """A new log on disk."""
    store = open_sqlite(home.path)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, home: Home) -> Iterator[Store]:
    """Each kind of store, new."""
    made: Store = open_sqlite(home.path) if request.param == "sqlite" else open_memory()
    yield made
    made.close()
