"""A home for each test, whose runner is ended in the end, and the loops that Holdfast must work under."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from tests.system.processes import kill, runners_of

T = TypeVar("T")

InLoop = Callable[[Callable[[], Awaitable[T]]], T]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    for pid in list(runners_of(folder)):
        kill(pid)


@pytest.fixture(params=["trio", "asyncio"])
def loop(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    backend: str = request.param

    def run(main: Callable[[], Awaitable[None]]) -> None:
        anyio.run(main, backend=backend)

    return run
