"""A job's outputs on their way back: all of them into parts, and when all are whole they are put in place."""

from __future__ import annotations

from collections.abc import Mapping

import trio
from msgspec import Struct

from holdfast.events.staging import StagedFile

from .fetching import Found, fetch
from .inward import FILES_AT_ONCE, Count, Progress
from .landing import Landing, digest_there, drop_part, put_in_place
from .localtree import Parts
from .memory import Memory
from .remotefiles import RemoteFiles, StagingFailed
from .sending import RESUMED_BYTES_LEAST, Room
from .sidebyside import each_of


class Place(Struct, frozen=True):
    """A place on this machine: names below a folder of the user's, which may be reached in any way."""

    folder: str
    names: Parts

    @property
    def path(self) -> str:
        """Its path."""
        return "/".join((self.folder.rstrip("/"), *self.names))


class Wanted(Struct, frozen=True):
    """A file there, by its names below the job's folder, and where it belongs here."""

    names: Parts
    found: Found
    place: Place


class _Fetched(Struct):
    """A file that is here; `part` if it waits to be put in place."""

    wanted: Wanted
    sha256: str
    part: str = ""


class Outward:
    """The fetching of one job's outputs."""

    def __init__(self, files: RemoteFiles, memory: Memory) -> None:
        self._files = files
        self._memory = memory
        self._room = Room()
        self._fetched: list[_Fetched] = []
        self._parts: list[tuple[Place, str]] = []  # all that were begun

    async def fetch_all(self, wanted: Mapping[Place, Wanted], progress: Progress) -> tuple[StagedFile, ...]:
        """Fetch what is not here, and put it in place. Raises StagingInterrupted and StagingFailed."""
        count = Count(progress, sum(each.found.status.bytes for each in wanted.values()))

        async def bring(each: Wanted) -> None:
            await self._bring(each, count)

        try:
            await each_of(wanted.values(), bring, FILES_AT_ONCE)
        except StagingFailed:
            for place, part in self._parts:  # what is here would only take room, of which there may be too little
                drop_part(place.folder, place.names, part)
            raise
        await each_of(self._fetched, _put, FILES_AT_ONCE)
        staged = {each.wanted.names: each for each in self._fetched}
        return tuple(
            StagedFile("/".join(names), staged[names].wanted.found.status.bytes, staged[names].sha256)
            for names in sorted(staged)
        )

    async def _bring(self, wanted: Wanted, count: Count) -> None:
        place, found = wanted.place, wanted.found
        size_bytes = found.status.bytes
        if size_bytes >= RESUMED_BYTES_LEAST:
            here = await trio.to_thread.run_sync(digest_there, place.folder, place.names, size_bytes)
            if here is not None and here == await self._files.digest(found.path, size_bytes):
                self._fetched.append(_Fetched(wanted, here))
                count.moved(size_bytes)
                return
        part = self._memory.part(place.path)
        self._parts.append((place, part))
        landing = await trio.to_thread.run_sync(Landing, place.folder, place.names, part, found.status.mode)
        try:
            sha256 = await fetch(self._files, found, landing, self._room, count.moved)
        finally:
            landing.close()
        self._fetched.append(_Fetched(wanted, sha256, part))


async def _put(fetched: _Fetched) -> None:
    if fetched.part:
        place = fetched.wanted.place
        await trio.to_thread.run_sync(put_in_place, place.folder, place.names, fetched.part)
