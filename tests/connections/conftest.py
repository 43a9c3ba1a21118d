"""Logins without SSH; whatever ran there is ended with the test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio

from .logins import Login


@pytest.fixture
async def login(tmp_path: Path) -> AsyncGenerator[Login, None]:
    made = Login(tmp_path / "host")
    yield made
    with trio.CancelScope(shield=True):
        await made.close()
