"""One file to the other machine: into a part beside its place, which is whole and synced before it may take the place.

A part that an earlier try left there is continued if the other machine says that its bytes are those of the file: not
as far as it reaches, because blocks may have been written out of order when the link was cut, but to where none was
under way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio

from .localtree import LocalFile, Source
from .remotefiles import Kind, RemoteFile, RemoteFiles, StagingFailed, StagingInterrupted
from .sidebyside import first_error

BLOCKS_UNDER_WAY: Final = 16  # of one machine; 4 MB, as much as a link with 80 MB/s and 50 ms holds
READ_AT_ONCE: Final = 4  # blocks, as each change of threads costs time
RESUMED_BYTES_LEAST: Final = 1024 * 1024  # to send less again costs no more than to ask for its digest
DROP_S: Final = 5
TIME_MAX_S: Final = 2**32 - 1

Moved = Callable[[int], None]


class Room:
    """How many blocks may be under way, for all files of one staging together."""

    def __init__(self) -> None:
        self.blocks = trio.Semaphore(BLOCKS_UNDER_WAY)


async def send(files: RemoteFiles, file: LocalFile, part: str, room: Room, moved: Moved) -> str:
    """Send a file into its part; its SHA-256.

    `moved` hears of each piece that is there. Raises StagingInterrupted, and StagingFailed, after which the part is
    removed; otherwise the part stays for the next try.
    """
    source = await trio.to_thread.run_sync(Source, file)
    try:
        return await _send(files, file, source, part, room, moved)
    except StagingFailed:
        with trio.move_on_after(DROP_S, shield=True):
            with suppress(StagingFailed, StagingInterrupted):  # what is told is why it is dropped
                await files.remove(part)
        raise
    finally:
        source.close()


async def _send(files: RemoteFiles, file: LocalFile, source: Source, part: str, room: Room, moved: Moved) -> str:
    start = await _matching(files, file, source, part)
    if start:
        target = await files.open(part, write=True)
    else:
        await files.remove(part)
        target = await files.create(part, file.status.mode | 0o600)
    try:
        moved(start)
        await _send_blocks(files, file, source, target, start, room, moved)
        sha256 = await trio.to_thread.run_sync(source.finish)
        status = await target.status()
        if status.bytes > file.status.bytes:
            await target.cut(file.status.bytes)
        elif status.bytes < file.status.bytes:
            message = f"only {status.bytes} of {file.status.bytes} bytes of {file.path!r} arrived; retry the job"
            raise StagingFailed(message)
        await target.finish(_mode(file, status.mode), time_there_s(file))
        return sha256
    finally:
        await target.close()


async def _matching(files: RemoteFiles, file: LocalFile, source: Source, part: str) -> int:
    """How many bytes of the part are those of the file; the source has read and hashed as many."""
    there = await files.status(part)
    if there is None or there.kind is not Kind.FILE:
        return 0
    under_way = BLOCKS_UNDER_WAY * files.block_bytes
    count = file.status.bytes if there.bytes == file.status.bytes else min(there.bytes, file.status.bytes) - under_way
    if count < RESUMED_BYTES_LEAST:
        return 0
    digest = await files.digest(part, count)
    if digest is None:
        return 0
    while (own := await trio.to_thread.run_sync(source.hash_on, count)) is None:
        pass
    if own == digest:
        return count
    await trio.to_thread.run_sync(source.rewind)
    return 0


async def _send_blocks(
    files: RemoteFiles, file: LocalFile, source: Source, target: RemoteFile, start: int, room: Room, moved: Moved
) -> None:
    async def send_block(offset: int, data: bytes) -> None:
        try:
            await target.write(offset, data)
        finally:
            room.blocks.release()
        moved(len(data))

    offset = start
    async with first_error() as nursery:
        while offset < file.status.bytes:
            for data in await trio.to_thread.run_sync(source.read_blocks, files.block_bytes, READ_AT_ONCE):
                await room.blocks.acquire()
                nursery.start_soon(send_block, offset, data)
                offset += len(data)


def time_there_s(file: LocalFile) -> int:
    """The time that a file gets there: its own, as far as SFTP has numbers for it."""
    return min(max(0, file.status.modified_ns // 10**9), TIME_MAX_S)


def _mode(file: LocalFile, created: int) -> int:
    """The file's mode as far as the other machine's umask let the part have it; what runs here runs there."""
    mode = file.status.mode & created
    if file.status.mode & 0o100:
        mode |= (mode & 0o444) >> 2
    return mode
