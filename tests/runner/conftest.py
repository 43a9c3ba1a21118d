"""Homes for runners; whatever ran in them is ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .driving import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    made = Home(folder)
    yield made
    made.close()
