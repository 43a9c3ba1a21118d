"""`RemoteFiles` in a folder of this machine, with a link that can be cut at any byte and a disk that can be full.

It keeps to what SFTP offers: times of whole seconds, no digest where `digests` is off, one error for many causes. Its
clock is the file system's.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import trio

from holdfast.actors.staging.remotefiles import Kind, StagingFailed, StagingInterrupted, Status

BLOCK_BYTES: Final = 64 * 1024


class FolderFiles:
    """A machine whose files are those of a folder; `room_bytes` and `cut_after_bytes` count what is written or read."""

    def __init__(self) -> None:
        self.block_bytes = BLOCK_BYTES
        self.digests = True
        self.cut_after_bytes: int | None = None
        self.room_bytes: int | None = None
        self.moved_bytes = 0
        self.open_files = 0
        self.digested: list[str] = []

    async def real_path(self, path: str) -> str | None:
        await self._answer()
        try:
            return _real(path)
        except OSError:
            return None

    async def status(self, path: str) -> Status | None:
        await self._answer()
        try:
            return _status(os.lstat(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    async def entries(self, path: str) -> list[tuple[str, Status]]:
        await self._answer()
        with _told(path):
            return _entries(path)

    async def make_folder(self, path: str) -> None:
        await self._answer()
        with _told(path):
            _make_folder(path)

    async def create(self, path: str, mode: int) -> FolderFile:
        await self._answer()
        with _told(path):
            return FolderFile(self, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))

    async def open(self, path: str, *, write: bool = False) -> FolderFile:
        await self._answer()
        with _told(path):
            return FolderFile(self, os.open(path, os.O_RDWR if write else os.O_RDONLY))

    async def replace(self, path: str, by: str) -> None:
        await self._answer()
        with _told(path):
            _replace(path, by)

    async def set_mode(self, path: str, mode: int) -> None:
        await self._answer()
        with _told(path):
            _set_mode(path, mode)

    async def remove(self, path: str) -> None:
        await self._answer()
        with _told(path):
            _remove(path)

    async def digest(self, path: str, count: int) -> str | None:
        await self._answer()
        self.digested.append(path)
        if not self.digests:
            return None
        return _digest(path, count)

    async def _answer(self, moved_bytes: int = 0) -> None:
        """Take a turn, as every request does, and fail if the link is cut by now."""
        await trio.lowlevel.checkpoint()
        if self.cut_after_bytes is not None and self.moved_bytes + moved_bytes > self.cut_after_bytes:
            raise StagingInterrupted("the link to the folder broke; it goes on there when the link is back")
        self.moved_bytes += moved_bytes


class FolderFile:
    """An open file of such a machine."""

    def __init__(self, files: FolderFiles, descriptor: int) -> None:
        self._files = files
        self._descriptor = descriptor
        files.open_files += 1

    async def read(self, offset: int, count: int) -> bytes:
        assert count <= BLOCK_BYTES
        await self._files._answer(count)
        return os.pread(self._descriptor, count, offset)

    async def write(self, offset: int, data: bytes) -> None:
        assert len(data) <= BLOCK_BYTES
        await self._files._answer(len(data))
        if self._files.room_bytes is not None and self._files.moved_bytes > self._files.room_bytes:
            raise StagingFailed("there is no room on the folder: the disk or your quota is full; make room")
        os.pwrite(self._descriptor, data, offset)

    async def status(self) -> Status:
        await self._files._answer()
        return _status(os.fstat(self._descriptor))

    async def cut(self, count: int) -> None:
        await self._files._answer()
        os.ftruncate(self._descriptor, count)

    async def finish(self, mode: int, modified_s: int) -> None:
        await self._files._answer()
        os.fchmod(self._descriptor, mode)
        os.utime(self._descriptor, (modified_s, modified_s))

    async def close(self) -> None:
        os.close(self._descriptor)
        self._files.open_files -= 1


# What blocks stands in plain functions: a folder of a test answers at once.


def _real(path: str) -> str:
    return os.path.realpath(path, strict=True)


def _entries(path: str) -> list[tuple[str, Status]]:
    with os.scandir(path) as entries:
        return [(entry.name, _status(entry.stat(follow_symlinks=False))) for entry in entries]


def _make_folder(path: str) -> None:
    Path(path).mkdir(exist_ok=True)


def _replace(path: str, by: str) -> None:
    Path(by).replace(path)


def _set_mode(path: str, mode: int) -> None:
    Path(path).chmod(mode)


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _digest(path: str, count: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.sha256(file.read(count)).hexdigest()


def _status(found: os.stat_result) -> Status:
    kinds = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}
    kind = kinds.get(stat.S_IFMT(found.st_mode), Kind.OTHER)
    return Status(kind=kind, bytes=found.st_size, modified_s=int(found.st_mtime), mode=found.st_mode & 0o777)


@contextmanager
def _told(path: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise StagingFailed(f"{path} can't be used: {errno.errorcode[error.errno or 0]}; look there") from error
