"""Connections to a log: every check that must pass before the first byte of it is believed."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from .checksum import (
    PAGE_BYTES,
    can_check,
    checksum_vfs,
    closed_by_another,
    has_checksums,
    hides_checksums,
    is_settled,
    keep_checksums,
)
from .errors import DamagedLog, NetworkFilesystem, NoChecksums, NoHome, OldSQLite
from .filesystem import network_filesystem
from .migrations import check_ours
from .statements import first, number, run, transaction
from .translation import translated

ALLOW_NETWORK: Final = "HOLDFAST_ALLOW_NETWORK_FILESYSTEM"
# A commit that waits for another program's lock keeps everybody waiting, so not for long; who was refused tries again.
BUSY_MS: Final = 1_000
_FIXED: Final = (3, 51, 3)
_PATCHED_LINES: Final = {(3, 50): 7, (3, 44): 6}
_SMALLEST_PAGE_BYTES: Final = 512
_PIECE_BYTES: Final = 64 * 1024  # SQLite writes 128 KiB at a time at most
# SQLite goes over all of its cache's table at each commit: with 32 MiB that was a tenth of a commit's time. No workload
# that was tried, jobs at random places among many included, gains from more than this; the system keeps pages as well.
_WRITER_CACHE_KIB: Final = 4 * 1024


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


def open_writer(path: Path, vfs: str | None = None, *, unchecked: bool = False) -> apsw.Connection:
    """The one connection that writes: WAL, and every commit synced before it returns.

    A file that is no log of ours is left as it is. `unchecked`: don't check the checksums of pages that are read.
    Raises what `translated` raises, OldSQLite, NetworkFilesystem, DamagedLog, NoChecksums or NewerSchema.
    """
    check_sqlite(apsw.sqlite_lib_version())
    with translated(path):
        check_filesystem(path.parent)
        _make_private(path)
        _check_file(path, os.R_OK | os.W_OK)
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs or checksum_vfs())
    try:
        connection.set_busy_timeout(BUSY_MS)
        _set_up_checksums(connection, path, unchecked=unchecked)
        check_ours(connection, path)
        _set_up_writer(connection, path, vfs or checksum_vfs())
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up_checksums(connection: apsw.Connection, path: Path, *, unchecked: bool) -> None:
    with translated(path):
        if not can_check(connection):
            if has_checksums(connection):
                raise NoChecksums(path)
        elif path.stat().st_size == 0:
            keep_checksums(connection)
        elif has_checksums(connection):
            run(connection, f"pragma checksum_verification = {'off' if unchecked else 'on'}")
    _expect_no_hidden_checksums(connection, path)


def _expect_no_hidden_checksums(connection: apsw.Connection, path: Path) -> None:
    with translated(path):
        if not can_check(connection) or has_checksums(connection) or not hides_checksums(path):
            return
        # Or the log was made between the two looks: so look at its header once more.
        first(connection, tuple[int], "select 1 from sqlite_schema limit 1")
        hidden = not has_checksums(connection)
    if hidden:
        raise DamagedLog(path, "its header says that its pages have no checksums, but they have")


def _set_up_writer(connection: apsw.Connection, path: Path, vfs: str | None) -> None:
    mode = first(connection, tuple[str], "pragma journal_mode = wal")
    if mode != ("wal",):
        raise NetworkFilesystem(path.parent, f"(journal mode {mode}) unsuitable")
    run(connection, "pragma synchronous = full")
    if not settle(connection):
        _write_again(connection, path, vfs)
    run(connection, f"pragma cache_size = {-_WRITER_CACHE_KIB}")
    if sys.platform == "darwin":
        # fsync alone leaves data in the drive's cache there.
        run(connection, "pragma fullfsync = on")
        run(connection, "pragma checkpoint_fullfsync = on")


def settle(connection: apsw.Connection) -> bool:
    """Bring what an earlier writer left in the WAL into the log, synced, and begin a new WAL; False if it is in use.

    A sync may have failed under that writer. The system then takes what was to be written for written: it can be read,
    and no later sync of the WAL writes it (Rebello et al., 'Can Applications Recover from fsync Failures?', 2020).
    Commits appended to that would be lost with it when the power goes. Copied, it is written anew.
    """
    connection.set_busy_timeout(0)
    busy = number(connection, "pragma wal_checkpoint(truncate)")
    connection.set_busy_timeout(BUSY_MS)
    return not busy


def _write_again(connection: apsw.Connection, path: Path, vfs: str | None) -> None:
    """Write what stands in the WAL over itself, and sync it: where a reader uses the WAL, in place of settling it.

    Inside a transaction, so that nobody else writes there meanwhile. No lock hangs on the WAL's own descriptors.
    """
    flags = [apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_WAL, 0]
    with transaction(connection), translated(path):
        wal = apsw.VFSFile(vfs or "", f"{path}-wal", flags)
        try:
            size = wal.xFileSize()
            for start in range(0, size, _PIECE_BYTES):
                wal.xWrite(wal.xRead(min(_PIECE_BYTES, size - start), start), start)  # pyright: ignore[reportUnknownMemberType]
            wal.xSync(apsw.SQLITE_SYNC_FULL)
        finally:
            wal.xClose()


def open_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that can't write. Raises what `translated` raises, OldSQLite, NetworkFilesystem or NoHome."""
    check_sqlite(apsw.sqlite_lib_version())
    with translated(path):
        check_filesystem(path.parent)
        _check_file(path, os.R_OK)
        if _journal(path).exists():
            # Only the making of a log has one, before the switch to WAL; whoever writes next undoes what it says.
            raise NoHome(path.parent)
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        checking = None if closed_by_another(path) else checksum_vfs()
        connection = apsw.Connection(_reading_uri(path), flags=flags, vfs=vfs or checking)
    try:
        connection.set_busy_timeout(BUSY_MS)
        _expect_no_hidden_checksums(connection, path)
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


def _check_file(path: Path, uses: int) -> None:
    """Raise for what is no log, or may not be used as `uses` (of os.R_OK and os.W_OK) says, without opening it.

    Whoever opens and closes a file loses all the locks that his process has on it (fcntl(2)), SQLite's own among them.
    The next program to close the log would then take itself for the last one, and delete the WAL that we write to.
    So its content is for SQLite alone to judge, but for files shorter than its smallest page: it would overwrite those.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(path, uses) and not os.statvfs(path).f_flag & os.ST_RDONLY:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if _journal(path).exists():
        return  # it is just being made, or its making was cut off: SQLite sees to that
    if 0 < found.st_size < _SMALLEST_PAGE_BYTES:
        raise DamagedLog(path, "it is no SQLite database")
    if found.st_size % PAGE_BYTES and is_settled(path):
        # SQLite takes what is missing for zeros. Beside a WAL it is only what a full disk had no room for yet.
        raise DamagedLog(path, f"it ends within a page, at byte {found.st_size}: its end was cut off")


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def _make_private(path: Path) -> None:
    """Make the file 0600 before SQLite sees it; -wal and -shm inherit its mode. One that is there is not opened."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
