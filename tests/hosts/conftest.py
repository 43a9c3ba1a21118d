"""A place whose jobs run on hosts of the lab; whatever was started there is ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .elsewhere import Elsewhere
from .lab import Lab


@pytest.fixture
def place(tmp_path: Path, lab: Lab) -> Iterator[Elsewhere]:
    made = Elsewhere(tmp_path, lab)
    yield made
    made.close()
