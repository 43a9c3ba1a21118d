"""What is known of the files that were sent to a job's folder: which size and time of theirs goes with which SHA-256.

It is believed only of a file whose size and time are still those, so a change is noticed; and a file is noted only if
its time was past, by the other machine's own clock, before its content was known. For SFTP's times are whole seconds: a
change within the second in which a file was noted would not show (git calls such entries racy). So who changes a file
there and sets its old time again deceives it, as with rsync and make; nothing else does.

It is kept in the private folder there, for the next supervisor, and in memory for those who stage there at the same
time. What is read there is that machine's word, and says nothing but what lies there: the SHA-256 of a file of this
machine is always taken here.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from .remotefiles import Kind, RemoteFiles, StagingFailed, Status

ENTRIES_MAX: Final = 20_000
MANIFEST_BYTES_MAX: Final = 8 * 1024 * 1024
SETTLED_S: Final = 2  # file systems with times of two seconds exist


class Entry(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A file as it was noted."""

    bytes: int
    modified_s: int
    sha256: str


class Manifest:
    """The notes on one job's folder; `folder` is the private folder that holds them."""

    def __init__(self, folder: str, base: str) -> None:
        self._folder = f"{folder}/staged"
        self.path = f"{self._folder}/{hashlib.sha256(base.encode()).hexdigest()[:32]}.json"
        self._entries: dict[str, Entry] = {}
        self._loaded = False

    async def load(self, files: RemoteFiles) -> None:
        """Read what an earlier supervisor noted; what can't be read was never noted."""
        if self._loaded:
            return
        with suppress(StagingFailed, msgspec.DecodeError):
            status = await files.status(self.path)
            if status is not None and status.kind is Kind.FILE and status.bytes <= MANIFEST_BYTES_MAX:
                found = msgspec.json.decode(await _content(files, self.path, status.bytes), type=dict[str, Entry])
                self._entries = {**found, **self._entries}
        self._loaded = True

    def sha256(self, place: str, status: Status) -> str | None:
        """The SHA-256 of the file that has this status now, if that is known."""
        entry = self._entries.get(place)
        known = entry is not None and (entry.bytes, entry.modified_s) == (status.bytes, status.modified_s)
        return entry.sha256 if entry is not None and known else None

    async def clock_s(self, files: RemoteFiles) -> int:
        """The time there: that which its file system gives to a file written now."""
        for folder in (self._folder.rpartition("/")[0], self._folder):
            await files.make_folder(folder)
        path = f"{self._folder}/clock"
        exists = await files.status(path) is not None
        opened = await files.open(path, write=True) if exists else await files.create(path, 0o600)
        try:
            await opened.write(0, b"\n")
            return (await opened.status()).modified_s
        finally:
            await opened.close()

    async def note(self, files: RemoteFiles, noted: dict[str, Entry], clock_s: int) -> None:
        """Keep what was found out about files after `clock_s`; one call at a time, after `clock_s()`."""
        for place, entry in noted.items():
            self._entries.pop(place, None)
            if entry.modified_s + SETTLED_S <= clock_s:
                self._entries[place] = entry
        for place in list(self._entries)[: max(0, len(self._entries) - ENTRIES_MAX)]:  # the oldest
            del self._entries[place]
        part = f"{self.path}.part"
        await files.remove(part)
        opened = await files.create(part, 0o600)
        try:
            data = msgspec.json.encode(self._entries)
            for offset in range(0, len(data), files.block_bytes):
                await opened.write(offset, data[offset : offset + files.block_bytes])
        finally:
            await opened.close()
        await files.replace(self.path, part)


async def _content(files: RemoteFiles, path: str, count: int) -> bytes:
    opened = await files.open(path)
    try:
        pieces = [
            await opened.read(offset, min(files.block_bytes, count - offset))
            for offset in range(0, count, files.block_bytes)
        ]
    finally:
        await opened.close()
    return b"".join(pieces)
