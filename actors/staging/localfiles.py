"""`RemoteFiles` of this very machine: for a cluster whose commands run here, and whose jobs' folders are here too.

Whatever may take a while happens in threads, one call after the other: a file system that hangs delays its own files.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

import trio

from .remotefiles import SEEN_MAX, Kind, RemoteFile, StagingFailed, Status, shown_path

# pathlib can't say what the system is to do, nor take the paths as they are.
# ruff: noqa: PTH101, PTH102, PTH104, PTH108

BLOCK_BYTES: Final = 1024 * 1024
_HASHED_BYTES: Final = 8 * 1024 * 1024
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_OPEN: Final = os.O_CLOEXEC | os.O_NONBLOCK  # the opening of a pipe would wait for its other end
_KINDS: Final = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}

T = TypeVar("T")


async def _do(path: str, function: Callable[[], T]) -> T:
    """Call it in a thread; it is waited for, whoever is cancelled, as it may have opened a file."""
    with _told(path):
        return await trio.to_thread.run_sync(function)


@contextmanager
def _told(path: str) -> Generator[None]:
    """Errors of the system as StagingFailed."""
    place = shown_path(path)
    try:
        yield
    except FileNotFoundError as error:
        message = f"there is no {place}, which was there before; retry the job"
        raise StagingFailed(message) from error
    except PermissionError as error:
        message = f"this user may not use {place}; change its permissions or take another place"
        raise StagingFailed(message) from error
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number in {errno.ENOSPC, errno.EDQUOT}:
            message = f"there is no room for {place}: the disk or your quota is full; make room"
        else:
            why = error.strerror if isinstance(error, OSError) else error
            message = f"{place} can't be used: {why}; look there whether something else stands in its place"
        raise StagingFailed(message) from error


class LocalFiles:
    """The files of this machine."""

    block_bytes = BLOCK_BYTES

    async def real_path(self, path: str) -> str | None:
        """The path with all links followed, None if it leads nowhere."""

        def find() -> str | None:
            with suppress(FileNotFoundError, NotADirectoryError):
                return os.path.realpath(path, strict=True)
            return None

        return await _do(path, find)

    async def status(self, path: str) -> Status | None:
        """What stands there, None if nothing does."""

        def find() -> Status | None:
            with suppress(FileNotFoundError, NotADirectoryError):
                return _status(os.lstat(path))
            return None

        return await _do(path, find)

    async def entries(self, path: str) -> list[tuple[str, Status]]:
        """What a folder holds, up to SEEN_MAX + 1 of it."""

        def find() -> list[tuple[str, Status]]:
            found: list[tuple[str, Status]] = []
            with os.scandir(path) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):  # it was removed meanwhile
                        found.append((entry.name, _status(entry.stat(follow_symlinks=False))))
                    if len(found) > SEEN_MAX:
                        break
            return found

        return await _do(path, find)

    async def make_folder(self, path: str) -> None:
        """Make a folder, unless something stands there already."""

        def make() -> None:
            with suppress(FileExistsError):
                os.mkdir(path)

        await _do(path, make)

    async def create(self, path: str, mode: int) -> RemoteFile:
        """Make a file where nothing may stand, and open it for writing."""
        return _LocalFile(path, await _do(path, lambda: os.open(path, _CREATE, mode)))

    async def open(self, path: str, *, write: bool = False) -> RemoteFile:
        """Open a file that exists; with `write`, to go on with it."""
        flags = _OPEN | (os.O_RDWR if write else os.O_RDONLY)
        return _LocalFile(path, await _do(path, lambda: os.open(path, flags)))

    async def replace(self, path: str, by: str) -> None:
        """Put the file `by` in the place of `path`, at once."""
        await _do(path, lambda: os.rename(by, path))

    async def set_mode(self, path: str, mode: int) -> None:
        """Set a file's permissions."""
        await _do(path, lambda: os.chmod(path, mode))

    async def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

        def remove() -> None:
            with suppress(FileNotFoundError):
                os.unlink(path)

        await _do(path, remove)

    async def digest(self, path: str, count: int) -> str | None:
        """The SHA-256 of a file's first bytes."""
        file = await self.open(path)
        try:
            sha256, done = hashlib.sha256(), 0
            while done < count and (data := await file.read(done, min(_HASHED_BYTES, count - done))):
                await trio.to_thread.run_sync(sha256.update, data)
                done += len(data)
            return sha256.hexdigest()
        finally:
            await file.close()


class _LocalFile:
    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    async def read(self, offset: int, count: int) -> bytes:
        return await _do(self._path, lambda: os.pread(self._descriptor, count, offset))

    async def write(self, offset: int, data: bytes) -> None:
        def write() -> None:
            done = 0
            while done < len(data):
                done += os.pwrite(self._descriptor, data[done:], offset + done)

        await _do(self._path, write)

    async def status(self) -> Status:
        return await _do(self._path, lambda: _status(os.fstat(self._descriptor)))

    async def cut(self, count: int) -> None:
        await _do(self._path, lambda: os.ftruncate(self._descriptor, count))

    async def finish(self, mode: int, modified_s: int) -> None:
        def finish() -> None:
            os.fchmod(self._descriptor, mode)
            os.utime(self._descriptor, (modified_s, modified_s))
            os.fsync(self._descriptor)

        await _do(self._path, finish)

    async def close(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)


def _status(found: os.stat_result) -> Status:
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), Kind.OTHER)
    return Status(kind=kind, bytes=found.st_size, modified_s=int(found.st_mtime), mode=found.st_mode & 0o777)
