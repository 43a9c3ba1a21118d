"""Connections to a log: every check that must pass before the first byte of it is believed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from .errors import DamagedLog, NetworkFilesystem, OldSQLite
from .filesystem import network_filesystem
from .migrations import check_ours
from .statements import first, run
from .translation import translated

ALLOW_NETWORK: Final = "HOLDFAST_ALLOW_NETWORK_FILESYSTEM"
# A commit that waits for another program's lock keeps everybody waiting, so not for long; who was refused tries again.
BUSY_MS: Final = 1_000
_FIXED: Final = (3, 51, 3)
_PATCHED_LINES: Final = {(3, 50): 7, (3, 44): 6}
_HEADER: Final = b"SQLite format 3\0"
_WRITER_CACHE_KIB: Final = 32 * 1024


def check_sqlite(version: str) -> None:
    """Raise OldSQLite if this SQLite can lose committed rows."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    patched = _PATCHED_LINES.get((numbers[0], numbers[1]))
    if numbers >= _FIXED or (patched is not None and numbers[2] >= patched):
        return
    raise OldSQLite(version)


def check_filesystem(folder: Path, kind_of: Callable[[Path], str | None] = network_filesystem) -> None:
    """Raise NetworkFilesystem unless the folder is on a local file system, or the user took the risk.

    `kind_of` tells the name of a network file system from a folder; raises what it raises, such as OSError.
    """
    kind = kind_of(folder)
    if kind is not None and os.environ.get(ALLOW_NETWORK) != "1":
        raise NetworkFilesystem(folder, kind)


def open_writer(path: Path, vfs: str | None = None) -> apsw.Connection:
    """The one connection that writes: WAL, and every commit synced before it returns.

    A file that is no log of ours is left as it is. Raises what `translated` raises, OldSQLite, NetworkFilesystem,
    DamagedLog or NewerSchema.
    """
    check_sqlite(apsw.sqlite_lib_version())
    with translated(path):
        check_filesystem(path.parent)
        _make_private(path)
        _check_header(path)
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    try:
        connection.set_busy_timeout(BUSY_MS)
        check_ours(connection, path)
        _set_up_writer(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up_writer(connection: apsw.Connection, path: Path) -> None:
    mode = first(connection, tuple[str], "pragma journal_mode = wal")
    if mode != ("wal",):
        raise NetworkFilesystem(path.parent, f"(journal mode {mode}) unsuitable")
    run(connection, "pragma synchronous = full")
    run(connection, f"pragma cache_size = {-_WRITER_CACHE_KIB}")
    if sys.platform == "darwin":
        # fsync alone leaves data in the drive's cache there.
        run(connection, "pragma fullfsync = on")
        run(connection, "pragma checkpoint_fullfsync = on")


def open_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that can't write. Raises what `translated` raises, OldSQLite or NetworkFilesystem."""
    check_sqlite(apsw.sqlite_lib_version())
    with translated(path):
        check_filesystem(path.parent)
        _check_header(path)
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(_reading_uri(path), flags=flags, vfs=vfs)
    try:
        connection.set_busy_timeout(BUSY_MS)
        run(connection, "pragma query_only = on")
        first(connection, tuple[int], "select 1 from sqlite_schema limit 1")
    except BaseException:
        connection.close()
        raise
    return connection


def _reading_uri(path: Path) -> str:
    """The file as SQLite is told to open it.

    Readers share memory with the writer in files beside the log. Where there are none and none can be made, nobody
    writes either, so the log may be taken as one that does not change: an auditor's copy on read-only media.
    """
    uri = f"file:{quote(os.fspath(path.absolute()))}"
    wal = path.with_name(f"{path.name}-wal")
    if not os.access(path.parent, os.W_OK) and not wal.exists():
        return f"{uri}?immutable=1"
    return uri


def _check_header(path: Path) -> None:
    """Raise DamagedLog for a file of something else.

    SQLite finds that out by itself, except for files that are shorter than its header, which it would overwrite.
    """
    with path.open("rb") as file:
        begin = file.read(len(_HEADER))
    if not _HEADER.startswith(begin) and not path.with_name(f"{path.name}-journal").exists():
        raise DamagedLog(path, "it is no SQLite database")


def _make_private(path: Path) -> None:
    """Make the file 0600 before SQLite sees it; -wal and -shm inherit its mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
