"""Where files come back to on this machine: a folder of the user's, below which nothing is written through a link.

Each name on the way is opened without following links, from the folder before it, so that nobody can put one there in
between. A file is written to a part beside its place, synced, and put there at once; then the folder is synced.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Final

from .localtree import Parts
from .remotefiles import StagingFailed, shown_path

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PIECE_BYTES: Final = 8 * 1024 * 1024
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Landing:
    """The part of one file, open for writing. Its calls block, and raise StagingFailed."""

    def __init__(self, folder: str, place: Parts, part: str, mode: int) -> None:
        self._name = "/".join((folder, *place))
        self._part = part
        self._hash = hashlib.sha256()
        with _told(self._name):
            self._folder = _open_folder(folder, place[:-1])
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                self._descriptor = os.open(part, flags, mode | 0o600, dir_fd=self._folder)
            except OSError:
                os.close(self._folder)
                raise
        self._offset = 0
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise StagingFailed(f"{shown_path(part)} beside {shown_path(self._name)} is no file of ours; remove it")

    @property
    def there_bytes(self) -> int:
        """How much an earlier try left."""
        return os.fstat(self._descriptor).st_size

    def hash_on(self, count: int) -> str | None:
        """Go on to the first `count` bytes that are there, a piece in each call; their SHA-256 when it has them all."""
        with _told(self._name):
            if self._offset < count:
                data = os.pread(self._descriptor, min(_PIECE_BYTES, count - self._offset), self._offset)
                if not data:
                    return ""
                self._hash.update(data)
                self._offset += len(data)
        return self._hash.hexdigest() if self._offset == count else None

    def begin(self) -> None:
        """Begin anew, whatever was there."""
        self._hash = hashlib.sha256()
        self._offset = 0
        with _told(self._name):
            os.ftruncate(self._descriptor, 0)

    def write(self, blocks: Iterable[bytes]) -> None:
        """Write what comes next."""
        for data in blocks:
            self._hash.update(data)
            rest = memoryview(data)
            with _told(self._name):
                while rest:
                    written = os.pwrite(self._descriptor, rest, self._offset)
                    self._offset += written
                    rest = rest[written:]

    def finish(self, mode: int) -> str:
        """End the file here, let it have its mode as far as the umask allows, and sync it; its SHA-256."""
        with _told(self._name):
            os.ftruncate(self._descriptor, self._offset)
            allowed = os.fstat(self._descriptor).st_mode & 0o777
            os.fchmod(self._descriptor, allowed & mode | ((allowed & 0o444) >> 2 if mode & 0o100 else 0))
            os.fsync(self._descriptor)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close it; the part stays."""
        os.close(self._descriptor)
        os.close(self._folder)

    def drop(self) -> None:
        """Remove the part."""
        with suppress(OSError):
            os.unlink(self._part, dir_fd=self._folder)


def put_in_place(folder: str, place: Parts, part: str) -> None:
    """Put a finished part where it belongs, at once, and sync the folder. Blocks; raises StagingFailed."""
    with _told("/".join((folder, *place))):
        descriptor = _open_folder(folder, place[:-1])
        try:
            os.rename(part, place[-1], src_dir_fd=descriptor, dst_dir_fd=descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def drop_part(folder: str, place: Parts, part: str) -> None:
    """Remove a part, if it can be found."""
    with suppress(OSError):
        descriptor = _open_folder(folder, place[:-1])
        try:
            os.unlink(part, dir_fd=descriptor)
        finally:
            os.close(descriptor)


def digest_there(folder: str, place: Parts, count: int) -> str | None:
    """The SHA-256 of what stands at the place, if it is a file of `count` bytes. Blocks for as long as that takes."""
    descriptors: list[int] = []
    try:
        descriptors.append(_open_folder(folder, place[:-1]))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptors.append(os.open(place[-1], flags, dir_fd=descriptors[0]))
        found = os.fstat(descriptors[1])
        if not stat.S_ISREG(found.st_mode) or found.st_size != count:
            return None
        with os.fdopen(os.dup(descriptors[1]), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _open_folder(folder: str, names: Parts) -> int:
    descriptor = os.open(folder, _FOLDER)
    for name in names:
        outer = descriptor
        try:
            try:
                os.mkdir(name, dir_fd=outer)
                os.fsync(outer)
            except FileExistsError:
                pass
            descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=outer)
        finally:
            os.close(outer)
    return descriptor


@contextmanager
def _told(name: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            message = (
                f"there is no room for {shown_path(name)} on this machine: the disk or your quota is full; make room"
            )
        elif error.errno in {errno.ELOOP, errno.ENOTDIR}:
            message = (
                f"a link or a file stands on the way to {shown_path(name)}, and none is followed; give it a real folder"
            )
        elif error.errno in {errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}:
            message = f"a folder stands at {shown_path(name)}, where a file belongs; move it away"
        else:
            message = f"{shown_path(name)} can't be written: {error.strerror}; see to its folder"
        raise StagingFailed(message) from error
