"""A disk that keeps a record of what is written to it and when it is synced, and whose sync can be made to fail.

It stands over the VFS that the log has otherwise, so all that works is real. Shared memory (`-shm`) does not pass
through it: that is memory, gone with the power, and on the disk only by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import apsw

from holdfast.store.checksum import checksum_vfs

_DATABASE: Final = apsw.SQLITE_OPEN_MAIN_DB


class Write(NamedTuple):
    """Bytes that were written."""

    file: str
    start: int
    data: bytes


class Truncation(NamedTuple):
    """A file that was cut to so many bytes."""

    file: str
    size: int


class Sync(NamedTuple):
    """A file that was synced; `folder`: and with it the folder, as SQLite does after it has opened a journal."""

    file: str
    folder: bool


class FailedSync(NamedTuple):
    """A sync that failed: Linux takes what was to be written for written, and no later sync tries again."""

    file: str


class Creation(NamedTuple):
    """A file that was made."""

    file: str


class Deletion(NamedTuple):
    """A file that was deleted; `folder`: and the folder was synced."""

    file: str
    folder: bool


class Promise(NamedTuple):
    """From here on somebody counts on the events up to `seq`."""

    seq: int


Step = Write | Truncation | Sync | FailedSync | Creation | Deletion | Promise


class SyncFailed(apsw.IOError):
    """What SQLite's own VFS says of a sync that failed."""

    extendedresult = apsw.SQLITE_IOERR_FSYNC


class Disk(apsw.VFS):
    """The disk. Registered under its name until `unregister`."""

    def __init__(self, name: str) -> None:
        self.steps: list[Step] = []
        self.under = checksum_vfs() or ""
        self.failing_sync = 0
        self._syncs = 0
        super().__init__(name, self.under)

    def promise(self, seq: int) -> None:
        """Note that all up to `seq` was acknowledged."""
        self.steps.append(Promise(seq))

    def sync(self, file: str) -> None:
        """Note a sync. Raises what SQLite's own would, if it is the one of a journal or WAL that is to fail."""
        if file.endswith(".db"):
            return
        self._syncs += 1
        if self._syncs == self.failing_sync:
            self.steps.append(FailedSync(file))
            raise SyncFailed

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - the library's
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary")
        is_new = not path.exists()
        file = _DiskFile(self, name, flags, path.name)
        if is_new:
            self.steps.append(Creation(path.name))
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802 - the library's
        super().xDelete(filename, syncdir)
        self.steps.append(Deletion(Path(filename).name, syncdir))


class _DiskFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: apsw.URIFilename | str | None, flags: list[int], shown: str) -> None:
        self._disk = disk
        self._name = shown
        self._syncs_folder = not flags[0] & _DATABASE
        super().__init__(disk.under, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - the library's
        super().xWrite(data, offset)  # pyright: ignore[reportUnknownMemberType]
        # Read back, because a VFS below may have put more into it.
        self._disk.steps.append(Write(self._name, offset, super().xRead(len(data), offset)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - the library's
        super().xTruncate(newsize)
        self._disk.steps.append(Truncation(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - the library's
        self._disk.sync(self._name)
        super().xSync(flags)
        self._disk.steps.append(Sync(self._name, self._syncs_folder))
        self._syncs_folder = False
