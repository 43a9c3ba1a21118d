"""The fixture `hf` for pytest-trio: a Holdfast of `holdfast.testing`. For a clock that jumps, ask for that as well.

    pytest_plugins = ["holdfast.pytest_fixture"]           # in conftest.py; needs pytest and pytest-trio

    async def test_it(hf, autojump_clock):
        assert (await (await hf.submit("work", retries=1)).wait()).succeeded

Commands succeed at once; a fixture `holdfast_commands` of your own says otherwise, see `holdfast.testing.open`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from . import testing
from .handle import Holdfast


@pytest.fixture
def holdfast_commands() -> testing.Commands:
    """What stands for commands: they all succeed. To be overridden."""
    return lambda _: 0


@pytest.fixture
async def hf(holdfast_commands: testing.Commands) -> AsyncGenerator[Holdfast]:
    """A Holdfast for the test, on the test's own clock."""
    async with testing.open(holdfast_commands) as opened:
        yield opened
