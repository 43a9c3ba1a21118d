"""One file from the other machine: into a part beside its place here, in order, so that what is there is a beginning.

A part that an earlier try left is continued if the other machine says that its bytes are those of the file there.
"""

from __future__ import annotations

from collections import deque

import trio
from msgspec import Struct

from .landing import Landing
from .remotefiles import Kind, RemoteFile, RemoteFiles, StagingFailed, Status, shown_path
from .sending import RESUMED_BYTES_LEAST, Moved, Room
from .sidebyside import first_error


class Found(Struct, frozen=True):
    """A file there: its path with no link in it, and what it was like when it was found."""

    path: str
    status: Status


async def fetch(files: RemoteFiles, found: Found, landing: Landing, room: Room, moved: Moved) -> str:
    """Fetch a file into its part; its SHA-256.

    `moved` hears of each piece that is here. Raises StagingInterrupted, and StagingFailed, after which the part is
    removed; otherwise the part stays for the next try.
    """
    try:
        start = await _matching(files, found, landing)
        if not start:
            await trio.to_thread.run_sync(landing.begin)
        moved(start)
        opened = await files.open(found.path)
        try:
            _check_same(found, await opened.status())
            await _fetch_blocks(files, found, opened, landing, start, room, moved)
            _check_same(found, await opened.status())
        finally:
            await opened.close()
        return await trio.to_thread.run_sync(landing.finish, found.status.mode)
    except StagingFailed:
        landing.drop()
        raise


def _check_same(found: Found, status: Status) -> None:
    if status.kind is not Kind.FILE or (status.bytes, status.modified_s) != (
        found.status.bytes,
        found.status.modified_s,
    ):
        message = (
            f"the output {shown_path(found.path)} changed while it was fetched; the job must not leave a writer behind"
        )
        raise StagingFailed(message)


async def _matching(files: RemoteFiles, found: Found, landing: Landing) -> int:
    """How many bytes of the part are those of the file; the landing has hashed as many."""
    count = min(landing.there_bytes, found.status.bytes)
    if count < RESUMED_BYTES_LEAST:
        return 0
    digest = await files.digest(found.path, count)
    if digest is None:
        return 0
    while (own := await trio.to_thread.run_sync(landing.hash_on, count)) is None:
        pass
    return count if own == digest else 0


class _Block:
    """A block that was asked for, and the answer once it is there."""

    def __init__(self, offset: int, count: int) -> None:
        self.offset = offset
        self.count = count
        self.data = b""
        self.there = trio.Event()


async def _fetch_blocks(
    files: RemoteFiles, found: Found, opened: RemoteFile, landing: Landing, start: int, room: Room, moved: Moved
) -> None:
    asked: deque[_Block] = deque()
    more = trio.Event()

    async def fetch_block(block: _Block) -> None:
        block.data = await opened.read(block.offset, block.count)
        block.there.set()

    async def ask() -> None:
        for offset in range(start, found.status.bytes, files.block_bytes):
            await room.blocks.acquire()
            asked.append(_Block(offset, min(files.block_bytes, found.status.bytes - offset)))
            nursery.start_soon(fetch_block, asked[-1])
            more.set()

    offset = start
    try:
        async with first_error() as nursery:
            nursery.start_soon(ask)
            while offset < found.status.bytes:
                while not asked:
                    await more.wait()
                    more = trio.Event()
                await asked[0].there.wait()
                blocks = _taken(found, asked, room)
                await trio.to_thread.run_sync(landing.write, blocks)
                count = sum(map(len, blocks))
                offset += count
                moved(count)
    finally:
        for _ in asked:
            room.blocks.release()


def _taken(found: Found, asked: deque[_Block], room: Room) -> list[bytes]:
    """All that is there without a gap, at most what the room for blocks holds."""
    taken: list[bytes] = []
    while asked and asked[0].there.is_set():
        block = asked.popleft()
        room.blocks.release()
        if len(block.data) != block.count:
            message = (
                f"the output {shown_path(found.path)} is shorter than it was; the job must not leave a writer behind"
            )
            raise StagingFailed(message)
        taken.append(block.data)
    return taken
