"""`RemoteFiles` over SFTP: one session of asyncssh on an open connection.

Each call makes one request and waits for its answer; whoever wants speed has several calls under way. The files are
opened with `block_size=0`, which takes asyncssh's own division into blocks away: when cancelled, it leaves tasks behind
that nobody waits for.

`digest` runs `sha256sum` in a session of its own. Where the host allows no further session, or has no such command,
what was cut is sent from its beginning.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Final, cast

import asyncssh
import trio
from asyncssh.constants import (
    FILEXFER_TYPE_DIRECTORY,
    FILEXFER_TYPE_REGULAR,
    FILEXFER_TYPE_SYMLINK,
    FXF_CREAT,
    FXF_EXCL,
    FXF_READ,
    FXF_WRITE,
)
from trio_asyncio import aio_as_trio

from .remotefiles import SEEN_MAX, Kind, RemoteFile, StagingInterrupted, Status
from .sftperrors import MISSING, interrupted, no_room, told

BLOCK_BYTES_MAX: Final = 256 * 1024
LISTED_MAX: Final = SEEN_MAX  # of a folder with more, one too many is enough to be refused
CLOSE_S: Final = 5
DIGEST_BYTES_PER_S: Final = 20_000_000  # a machine that reads and hashes more slowly is asked for the bytes instead
DIGEST_LEAST_S: Final = 20
DIGEST_CHARACTERS: Final = 64  # 256 bits in hexadecimal
ROOM_BYTES: Final = 1024 * 1024  # a file system with less room is called full

_KINDS: Final = {
    FILEXFER_TYPE_REGULAR: Kind.FILE,
    FILEXFER_TYPE_DIRECTORY: Kind.FOLDER,
    FILEXFER_TYPE_SYMLINK: Kind.LINK,
}
_CREATE: Final = FXF_READ | FXF_WRITE | FXF_CREAT | FXF_EXCL


class SessionRefused(StagingInterrupted):
    """The machine opens no session for files on this connection."""


@asynccontextmanager
async def open_sftp(connection: asyncssh.SSHClientConnection, host: str) -> AsyncGenerator[SftpFiles]:
    """The files of the connection's machine, for as long as the block lasts; `host` names it in errors.

    Needs trio-asyncio's loop. Raises StagingInterrupted where the host opens no session.
    """
    try:
        # Names that are no UTF-8 come through as they are; what may not bear such a name says so itself.
        start = aio_as_trio(connection.start_sftp_client)
        client = await start(path_errors="surrogateescape")
    except (asyncssh.Error, OSError) as error:
        message = f"the host {host} opens no session for files ({error}); see MaxSessions and Subsystem there"
        raise SessionRefused(message) from error
    try:
        yield SftpFiles(connection, client, host)
    finally:
        client.exit()
        with trio.move_on_after(CLOSE_S, shield=True):
            await aio_as_trio(client.wait_closed)()


class SftpFiles:
    """The files of a machine, over one session."""

    def __init__(self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient, host: str) -> None:
        self._connection = connection
        self._client = client
        self.host = host
        limits = client.limits
        # A larger block would make the server end the session.
        self.block_bytes: int = min(BLOCK_BYTES_MAX, limits.max_write_len, limits.max_read_len)

    async def real_path(self, path: str) -> str | None:
        """The path with all links followed, None if it leads nowhere."""
        with told(path, self.host):
            try:
                # The server resolves also what does not exist, as far as it goes: so it is asked whether it is there.
                await aio_as_trio(self._client.stat)(path)
                return await aio_as_trio(self._followed)(path)
            except MISSING:
                return None

    async def _followed(self, path: str) -> str:
        return await self._client.realpath(path)  # said once more for its type: it has several

    async def status(self, path: str) -> Status | None:
        """What stands there, None if nothing does."""
        with told(path, self.host):
            try:
                return _status(await aio_as_trio(self._client.lstat)(path))
            except MISSING:
                return None

    async def entries(self, path: str) -> list[tuple[str, Status]]:
        """What a folder holds."""
        with told(path, self.host):
            return await aio_as_trio(self._listed)(path)

    async def _listed(self, path: str) -> list[tuple[str, Status]]:
        found: list[tuple[str, Status]] = []
        # It is a generator, which its type does not say.
        scan = cast("AsyncGenerator[asyncssh.SFTPName]", self._client.scandir(path))
        async with aclosing(scan) as entries:
            async for entry in entries:
                if entry.filename not in {".", ".."}:
                    found.append((str(entry.filename), _status(entry.attrs)))
                if len(found) > LISTED_MAX:
                    break
        return found

    async def make_folder(self, path: str) -> None:
        """Make a folder, unless something stands there already."""
        with told(path, self.host):
            try:
                await aio_as_trio(self._client.mkdir)(path)
            except asyncssh.SFTPFailure:  # all that this protocol says of 'exists'
                if await self.status(path) is None:
                    raise

    async def create(self, path: str, mode: int) -> RemoteFile:
        """Make a file where nothing may stand, and open it for writing."""
        with told(path, self.host):
            attributes = asyncssh.SFTPAttrs(permissions=mode)
            opened = await aio_as_trio(self._client.open)(path, _CREATE, attributes, encoding=None, block_size=0)
        return _SftpFile(self, opened, path)

    async def open(self, path: str, *, write: bool = False) -> RemoteFile:
        """Open a file that exists; with `write`, to go on with it."""
        flags = FXF_READ | FXF_WRITE if write else FXF_READ
        with told(path, self.host):
            opened = await aio_as_trio(self._client.open)(path, flags, encoding=None, block_size=0)
        return _SftpFile(self, opened, path)

    async def replace(self, path: str, by: str) -> None:
        """Put the file `by` in the place of `path`, at once."""
        with told(path, self.host):
            await aio_as_trio(self._client.posix_rename)(by, path)

    async def set_mode(self, path: str, mode: int) -> None:
        """Set a file's permissions."""
        with told(path, self.host):
            await aio_as_trio(self._client.chmod)(path, mode)

    async def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with told(path, self.host):
            try:
                await aio_as_trio(self._client.remove)(path)
            except MISSING:
                return

    async def digest(self, path: str, count: int) -> str | None:
        """The SHA-256 of a file's first bytes, computed there; None where that machine can't."""
        # The path goes through standard input, so that the user's shell there, whichever it is, reads a fixed line.
        # Where the first of the two commands is missing it has read nothing, and the second gets it all.
        line = f'p=$(cat; echo x); head -c {count:d} "${{p%x}}" | (sha256sum || shasum -a 256) 2>/dev/null'
        result = None
        with trio.move_on_after(DIGEST_LEAST_S + count / DIGEST_BYTES_PER_S):
            try:
                result = await aio_as_trio(self._connection.run)(f"sh -c '{line}'", input=path, errors="replace")
            except asyncssh.ChannelOpenError:
                return None
            except (asyncssh.Error, OSError) as error:
                raise interrupted(self.host, error) from error
        said = str(result.stdout or "") if result is not None and result.exit_status == 0 else ""
        words = said.strip().rpartition("\n")[2].split()  # the user's shell there may have said something before
        return words[0] if words and len(words[0]) == DIGEST_CHARACTERS else None

    async def full(self, path: str) -> bool:
        """Whether the file system there has no room left; False also where the server can't tell."""
        try:
            room = await aio_as_trio(self._client.statvfs)(path)
        except (asyncssh.Error, OSError):
            return False
        return room.bavail * room.frsize < ROOM_BYTES or (room.files > 0 and room.favail == 0)


class _SftpFile:
    def __init__(self, files: SftpFiles, opened: asyncssh.SFTPClientFile, path: str) -> None:
        self._files = files
        self._opened = opened
        self._path = path

    async def read(self, offset: int, count: int) -> bytes:
        with told(self._path, self._files.host):
            return await aio_as_trio(self._read)(offset, count)

    async def _read(self, offset: int, count: int) -> bytes:
        found = b""
        while len(found) < count:  # a server may send less than was asked for
            more: bytes = await self._opened.read(count - len(found), offset + len(found))
            if not more:
                break
            found = found + more if found else more
        return found

    async def write(self, offset: int, data: bytes) -> None:
        with told(self._path, self._files.host):
            try:
                await aio_as_trio(self._opened.write)(data, offset)
            except asyncssh.SFTPFailure as error:  # OpenSSH has no other word for a full disk
                if await self._files.full(self._path):
                    raise no_room(self._path, self._files.host) from error
                raise

    async def status(self) -> Status:
        with told(self._path, self._files.host):
            return _status(await aio_as_trio(self._opened.stat)())

    async def cut(self, count: int) -> None:
        with told(self._path, self._files.host):
            await aio_as_trio(self._opened.truncate)(count)

    async def finish(self, mode: int, modified_s: int) -> None:
        with told(self._path, self._files.host):
            attributes = asyncssh.SFTPAttrs(permissions=mode, atime=modified_s, mtime=modified_s)
            await aio_as_trio(self._opened.setstat)(attributes)
            try:
                await aio_as_trio(self._opened.fsync)()
            except asyncssh.SFTPOpUnsupported:
                return

    async def close(self) -> None:
        with trio.move_on_after(CLOSE_S, shield=True):
            try:
                await aio_as_trio(self._opened.close)()
            except (asyncssh.Error, OSError):
                return


def _status(attributes: asyncssh.SFTPAttrs) -> Status:
    return Status(
        kind=_KINDS.get(attributes.type, Kind.OTHER),
        bytes=attributes.size or 0,
        modified_s=attributes.mtime or 0,
        mode=(attributes.permissions or 0) & 0o777,
    )
