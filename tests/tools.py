"""The system's tools that some tests drive: a missing one is a loud skip, and in CI a failure."""

import os
import shutil
from typing import NoReturn

import pytest


def need(tool: str, how: str) -> str:
    """Return the path of the command `tool`, or end the test: skipped, or failed if HOLDFAST_NO_SKIP=1.

    `how` says how to get it, for example "apt-get install tmux".
    """
    # Servers stand where only the superuser's PATH leads.
    path = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
    if path is None:
        refuse(f"the command {tool!r} is missing, and this test drives it: {how}")
    return path


def refuse(reason: str) -> NoReturn:
    """End the test for want of something that `reason` names: skipped, or failed if HOLDFAST_NO_SKIP=1."""
    if os.environ.get("HOLDFAST_NO_SKIP") == "1":
        pytest.fail(f"{reason} (HOLDFAST_NO_SKIP=1: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)
