"""`doctor` looks at the machine: Python, SQLite, the file system that the home is on, and room on it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Final

import apsw

from holdfast.store.connection import ALLOW_NETWORK, check_sqlite
from holdfast.store.errors import OldSQLite
from holdfast.store.filesystem import network_filesystem
from holdfast.store.home import Home

from ..screen.amounts import size_text
from .checkup import Finding, nearest_folder, ok, warning, wrong

PYTHON_OLDEST: Final = (3, 11)
ROOM_LITTLE_BYTES: Final = 1_000_000_000
ROOM_NONE_BYTES: Final = 50_000_000


def check_machine(home: Home) -> Iterator[Finding]:
    """The findings about what is below the home."""
    yield check_python(sys.version_info[:3])
    yield check_sqlite_library(apsw.sqlite_lib_version())
    yield _check_filesystem(home)
    yield check_room(shutil.disk_usage(nearest_folder(home.path)).free)


def check_python(version: tuple[int, ...]) -> Finding:
    """Whether this Python will do."""
    shown = ".".join(map(str, version))
    if version >= PYTHON_OLDEST:
        return ok(f"Python {shown}")
    return wrong(f"Python {shown} is older than 3.11", "install Holdfast into a newer Python")


def check_sqlite_library(version: str) -> Finding:
    """Whether this SQLite will do."""
    try:
        check_sqlite(version)
    except OldSQLite as error:
        return wrong(str(error), "")
    return ok(f"SQLite {version}")


def check_room(free_bytes: int) -> Finding:
    """Whether there is room for the log and for output."""
    what = f"{size_text(free_bytes)} free on the disk of the home"
    if free_bytes < ROOM_NONE_BYTES:
        full = f"the disk of the home is {'full' if not free_bytes else 'nearly full'}: {size_text(free_bytes)} free"
        return wrong(full, "make room: once it is full, nothing starts, and nothing is acknowledged")
    if free_bytes < ROOM_LITTLE_BYTES:
        return warning(what, "make room, or choose a home on another disk with --home")
    return ok(what)


def _check_filesystem(home: Home) -> Finding:
    try:
        kind = network_filesystem(nearest_folder(home.path))
    except OSError as error:
        return wrong(f"the file system of {home.path} can't be found out: {error.strerror}", "look at the mount")
    if kind is None:
        return ok("the home is on a local file system")
    what = f"the home is on a {kind} file system, whose locks and shared memory don't hold across machines"
    if os.environ.get(ALLOW_NETWORK) == "1":
        return warning(what, f"{ALLOW_NETWORK}=1 allows it: be sure that only this machine ever uses the home")
    return wrong(what, "put it on a local disk with --home")
