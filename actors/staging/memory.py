"""What a supervisor remembers of the files that it moves to and from one machine: hashes, notes, who is at which place.

All of it saves work and is bounded; none is needed to be right.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Final

import trio

from holdfast.events.staging import PART_SUFFIX

from .localtree import LocalFile, LocalStatus, Source
from .manifest import SETTLED_S, Manifest

MANIFESTS_MAX: Final = 64
HASHES_MAX: Final = 10_000


class Memory:
    """Of one machine; `owner` is the home's id, so that the parts of two homes never meet."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._claims: dict[str, trio.Event] = {}
        self._manifests: OrderedDict[str, Manifest] = OrderedDict()
        self._hashes: OrderedDict[tuple[str, LocalStatus], str] = OrderedDict()

    def part(self, path: str) -> str:
        """The name of the part for what goes to this path; always the same, so that a next try finds it."""
        known_by = hashlib.sha256(f"{self._owner}\0{path}".encode(errors="surrogateescape")).hexdigest()
        return f".{known_by[:24]}{PART_SUFFIX}"

    async def own_hash(self, file: LocalFile) -> str:
        """The SHA-256 of a file of this machine; one that did not change since is not read again."""
        known = self._hashes.get((file.path, file.status))
        if known is not None:
            return known
        source = await trio.to_thread.run_sync(Source, file)
        try:
            while await trio.to_thread.run_sync(source.hash_on, file.status.bytes) is None:
                pass
            sha256 = source.finish()
        finally:
            source.close()
        self.remember(file, sha256)
        return sha256

    def remember(self, file: LocalFile, sha256: str) -> None:
        """Keep a hash, unless the file is so new that it could change once more without a trace."""
        if file.status.changed_ns + SETTLED_S * 10**9 < time.time_ns():
            self._hashes[(file.path, file.status)] = sha256
            if len(self._hashes) > HASHES_MAX:
                self._hashes.popitem(last=False)

    def manifest(self, private: str, base: str) -> Manifest:
        """The notes on a job's folder there."""
        manifest = self._manifests.pop(base, None) or Manifest(private, base)
        self._manifests[base] = manifest
        if len(self._manifests) > MANIFESTS_MAX:
            self._manifests.popitem(last=False)
        return manifest

    @asynccontextmanager
    async def claimed(self, places: Iterable[str]) -> AsyncGenerator[None]:
        """Be the only one who works at these; all of them are taken at once, so nobody waits in a ring."""
        wanted = set(places)
        while (busy := next((place for place in wanted if place in self._claims), None)) is not None:
            await self._claims[busy].wait()
        free = trio.Event()
        self._claims.update(dict.fromkeys(wanted, free))
        try:
            yield
        finally:
            for place in wanted:
                del self._claims[place]
            free.set()
