"""A stage, and a caller of commands on its home, for the tests of the reading commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .commands import Caller
from .staging import Stage, staged


@pytest.fixture(autouse=True)
def plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed depends on no setting of whoever runs the tests."""
    for name in ("COLUMNS", "NO_COLOR", "HOLDFAST_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A home in which nothing has been submitted yet."""
    with staged(tmp_path) as made:
        yield made


@pytest.fixture
def call(capfdbinary: pytest.CaptureFixture[bytes], stage: Stage) -> Caller:
    """The command line on the stage's home."""
    return Caller(capfdbinary, stage.home)
