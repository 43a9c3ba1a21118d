"""A job's inputs on their way: what isn't there is sent into parts, and when all are whole they are put in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import trio
from msgspec import Struct

from holdfast.events.staging import StagedFile

from .localtree import LocalFile
from .manifest import Entry, Manifest
from .memory import Memory
from .remotefiles import Kind, RemoteFiles, StagingFailed, StagingInterrupted, Status, shown_path
from .sending import DROP_S, RESUMED_BYTES_LEAST, Room, send, time_there_s
from .sidebyside import each_of

FILES_AT_ONCE: Final = 8

Progress = Callable[[int, int], None]
"""Hears how many bytes are in place, and of how many; those that needn't be moved are in place at once."""


class Count:
    """Adds up what is in place."""

    def __init__(self, progress: Progress, total_bytes: int) -> None:
        self._progress = progress
        self._total_bytes = total_bytes
        self._done_bytes = 0

    def moved(self, count: int) -> None:
        """So many bytes more are in place."""
        self._done_bytes += count
        self._progress(self._done_bytes, self._total_bytes)


class _Sent(Struct):
    """A file that is there, and its time there; `part` if it waits to be put in place."""

    file: LocalFile
    sha256: str
    modified_s: int
    part: str = ""


class Inward:
    """The sending of one job's inputs; `base` is the path of its folder there, without links."""

    def __init__(self, files: RemoteFiles, memory: Memory, manifest: Manifest, base: str) -> None:
        self._files = files
        self._memory = memory
        self._manifest = manifest
        self._base = base
        self._room = Room()
        self._sent: list[_Sent] = []
        self._parts: list[str] = []  # all that were begun

    async def send_all(self, inputs: Sequence[LocalFile], progress: Progress) -> tuple[StagedFile, ...]:
        """Send what is not there, and put it in place. Raises StagingInterrupted and StagingFailed."""
        count = Count(progress, sum(file.status.bytes for file in inputs))
        doubtful: list[tuple[LocalFile, Status | None]] = []

        async def look(file: LocalFile) -> None:
            status = await self._files.status(self._path(file))
            known = None if status is None else self._manifest.sha256("/".join(file.place), status)
            if status is None or known is None or known != await self._memory.own_hash(file):
                doubtful.append((file, status))
            else:
                await self._settle(file, status, known)
                count.moved(file.status.bytes)

        async def bring(each: tuple[LocalFile, Status | None]) -> None:
            await self._bring(*each, count)

        await each_of(inputs, look, FILES_AT_ONCE)
        if doubtful:
            async with self._memory.claimed((self._manifest.path,)):
                clock_s = await self._manifest.clock_s(self._files)
            try:
                await each_of(doubtful, bring, FILES_AT_ONCE)
            except StagingFailed:
                await self._drop_parts()
                raise
            await self._put_in_place()
            async with self._memory.claimed((self._manifest.path,)):
                await self._manifest.note(self._files, self._noted(), clock_s)
        found = {sent.file.place: sent for sent in self._sent}
        return tuple(
            StagedFile("/".join(each), found[each].file.status.bytes, found[each].sha256) for each in sorted(found)
        )

    async def _bring(self, file: LocalFile, status: Status | None, count: Count) -> None:
        path = self._path(file)
        if status is not None:
            if status.kind is Kind.FOLDER:
                raise StagingFailed(f"a folder stands at {shown_path(path)}, where an input belongs; move it away")
            if status.kind is Kind.FILE and status.bytes == file.status.bytes >= RESUMED_BYTES_LEAST:
                there = await self._files.digest(path, status.bytes)
                if there is not None and there == await self._memory.own_hash(file):
                    await self._settle(file, status, there)
                    count.moved(file.status.bytes)
                    return
        part = f"{path.rpartition('/')[0]}/{self._memory.part(path)}"
        self._parts.append(part)
        sha256 = await send(self._files, file, part, self._room, count.moved)
        self._memory.remember(file, sha256)
        self._sent.append(_Sent(file, sha256, time_there_s(file), part))

    async def _settle(self, file: LocalFile, status: Status, sha256: str) -> None:
        """The content is there; let it run there if it runs here."""
        if file.status.mode & 0o100 and not status.runs:
            await self._files.set_mode(self._path(file), status.mode | (status.mode & 0o444) >> 2)
        self._sent.append(_Sent(file, sha256, status.modified_s))

    async def _put_in_place(self) -> None:
        async def put(sent: _Sent) -> None:
            if sent.part:
                await self._files.replace(self._path(sent.file), sent.part)

        await each_of(self._sent, put, FILES_AT_ONCE)

    async def _drop_parts(self) -> None:
        """Nothing is put in place, so that what is there would only take room, of which there may be too little."""
        with trio.move_on_after(DROP_S, shield=True), suppress(StagingFailed, StagingInterrupted):
            await each_of(self._parts, self._files.remove, FILES_AT_ONCE)

    def _noted(self) -> dict[str, Entry]:
        """What was sent, or found there, with the size and time it has there."""
        return {
            "/".join(sent.file.place): Entry(sent.file.status.bytes, sent.modified_s, sent.sha256)
            for sent in self._sent
        }

    def _path(self, file: LocalFile) -> str:
        return "/".join((self._base, *file.place))
