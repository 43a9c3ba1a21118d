"""Errors of SQLite and of the system, turned into ours: each with the path and the remedy."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.errors import Unavailable

from .checksum import wrong_pages
from .errors import DamagedLog, DiskFull, LogBusy, LogFailed, NoPermission, PerhapsDamaged, ReadOnly, WrongChecksums

# Even a reader needs the file -shm, which it makes where there is none; no commit is under way then.
_NO_SHARED_MEMORY: Final = (apsw.SQLITE_IOERR_SHMSIZE, apsw.SQLITE_IOERR_SHMOPEN, apsw.SQLITE_IOERR_SHMMAP)


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Turn errors of SQLite and of the system that come up inside into ours, about `path`."""
    try:
        yield
    except apsw.Error as error:
        raise of_sqlite(path, error) from error
    except OSError as error:
        raise of_system(path, error, "use") from error


def of_sqlite(path: Path, error: apsw.Error) -> Unavailable:
    """What an error of SQLite about the log at `path` means."""
    match error:
        case apsw.FullError():
            return DiskFull(path, _room(path))
        case apsw.CorruptError():
            # So SQLite also calls a page that the disk can't read.
            return PerhapsDamaged(path, f"{error}, or can't be read")
        case apsw.NotADBError() | apsw.FormatError():
            return DamagedLog(path, str(error))
        case apsw.SQLError() | apsw.ConstraintError() | apsw.MismatchError():
            # Ours are right, so a table is missing or holds what Holdfast never wrote.
            return DamagedLog(path, str(error))
        case apsw.BusyError() | apsw.LockedError() | apsw.ProtocolError():
            return LogBusy(path)
        case apsw.ReadOnlyError():
            return ReadOnly(path)
        case apsw.PermissionsError() | apsw.AuthError():
            return NoPermission(path, "use")
        case apsw.CantOpenError():
            return _cannot_open(path)
        case apsw.IOError() if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA:
            return WrongChecksums(path, _wrong_pages(path))
        case apsw.IOError() if getattr(error, "extendedresult", 0) in _NO_SHARED_MEMORY and _is_full(path):
            return DiskFull(path, _room(path))
        case _:
            return LogFailed(path, str(error))


def _wrong_pages(path: Path) -> str:
    try:
        return wrong_pages(path) or "a page"
    except apsw.Error:
        return "a page"


def _is_full(path: Path) -> bool:
    found = os.statvfs(path.parent)
    return found.f_bavail == 0


def _room(path: Path) -> str:
    """How much is free, and where, as far as the system tells."""
    try:
        found = next(folder for folder in path.absolute().parents if folder.exists())
        mount = next((folder for folder in (found, *found.parents) if folder.is_mount()), found)
        room = os.statvfs(mount)
    except OSError:
        return ""
    return f"{room.f_bavail * room.f_frsize // 1000:,} kB are free on the file system at {mount}"


def of_system(path: Path, error: OSError, what: str) -> Unavailable:
    """What an error of the system means that came up when we wanted to do `what` (a verb) with `path`."""
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return NoPermission(path, what)
        case errno.EROFS:
            return ReadOnly(path)
        case errno.ENOSPC:
            return DiskFull(path, _room(path))
        case errno.EDQUOT:
            return DiskFull(path, "a quota is used up")
        case errno.EISDIR:
            return DamagedLog(path, "it is a folder")
        case _:
            return LogFailed(path, error.strerror or str(error))


def _cannot_open(path: Path) -> Unavailable:
    if not os.access(path.parent, os.R_OK | os.X_OK) or (path.exists() and not os.access(path, os.R_OK)):
        return NoPermission(path, "read")
    if path.is_dir():
        return DamagedLog(path, "it is a folder")
    if not os.access(path.parent, os.W_OK):
        return ReadOnly(path)
    return LogFailed(path, "it can't be opened")
