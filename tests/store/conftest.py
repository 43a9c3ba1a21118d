"""Homes and stores for the tests of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore

from .stores import open_memory, open_sqlite


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose folder exists and is empty."""
    made = Home(tmp_path / "home")
    made.create()
    return made


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
