"""A place to work in for each test; whatever was started there is ended with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()
