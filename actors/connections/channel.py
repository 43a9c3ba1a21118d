"""A command's standard input and output on another machine, as a Trio stream.

asyncssh calls the session back in the loop of trio-asyncio, which is this very thread, so bytes change hands without
another task in between. What the command writes to its standard error is kept, as far as an error message can use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, cast

import asyncssh
import trio
import trio_asyncio

_UNREAD_MAX_BYTES: Final = 4 << 20
_SAID_MAX_BYTES: Final = 4096
_STDERR: Final = 1  # SSH_EXTENDED_DATA_STDERR of RFC 4254


class Channel(Protocol):
    """What is used of asyncssh's channels, whose own types leave open what they carry."""

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    def pause_reading(self) -> None:
        """Take no more."""
        ...

    def resume_reading(self) -> None:
        """Go on."""
        ...

    def abort(self) -> None:
        """Let go of it."""
        ...


class Opener(Protocol):
    """What is used of asyncssh's connections to open one."""

    async def create_session(
        self, factory: Callable[[], Session], command: str, *, encoding: None, window: int
    ) -> object:
        """Start a command."""
        ...


class ChannelStream(trio.abc.Stream):
    """Bytes to and from a channel."""

    def __init__(self, loop: trio_asyncio.BaseTrioEventLoop) -> None:
        self._loop = loop
        self._channel: Channel | None = None
        self._unread = bytearray()
        self._said = bytearray()
        self._over = self._held = False
        self._news = trio.Event()
        self._room = trio.Event()
        self._room.set()
        self._reading = trio.Lock()

    # What asyncssh says.

    def opened(self, channel: Channel) -> None:
        """The channel stands."""
        self._channel = channel

    def take(self, data: bytes, *, error: bool) -> None:
        """Bytes came."""
        if error:
            self._said += data[: _SAID_MAX_BYTES - len(self._said)]
            return
        self._unread += data
        if len(self._unread) > _UNREAD_MAX_BYTES and self._channel is not None and not self._held:
            self._held = True
            self._channel.pause_reading()
        self._news.set()

    def end(self) -> None:
        """No more will come."""
        self._over = True
        self._news.set()
        self._room.set()

    def hold_back(self, *, full: bool) -> None:
        """Whether what was written waits for the other side."""
        if not full:
            self._room.set()
        elif not self._over:
            self._room = trio.Event()

    # What its user does.

    @property
    def said(self) -> str:
        """The beginning of what the command wrote to its standard error."""
        return self._said.decode(errors="replace")

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Bytes as they come; none at the end."""
        async with self._reading:
            while not self._unread and not self._over:
                self._news = trio.Event()
                await self._news.wait()
            size = len(self._unread) if max_bytes is None else max_bytes
            data = bytes(self._unread[:size])
            del self._unread[:size]
            if self._held and not self._over and len(self._unread) < _UNREAD_MAX_BYTES // 2:
                self._held = False
                self._call(self._writer().resume_reading)
            return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, waiting for room. Raises trio.BrokenResourceError once the channel is gone."""
        await trio.lowlevel.checkpoint()
        channel = self._writer()
        self._call(lambda: channel.write(bytes(data)))
        await self._room.wait()
        if self._over:
            raise trio.BrokenResourceError

    async def wait_send_all_might_not_block(self) -> None:
        """Wait for room."""
        await self._room.wait()

    async def aclose(self) -> None:
        """Let go of the channel; waits for nobody."""
        if self._channel is not None:
            self._call(self._channel.abort)
        self.end()
        await trio.lowlevel.checkpoint()

    def _writer(self) -> Channel:
        if self._channel is None or self._over:
            raise trio.BrokenResourceError
        return self._channel

    def _call(self, function: Callable[[], None]) -> None:
        """Have asyncssh do something, in its own loop; a connection that breaks meanwhile says so by its end."""

        def call() -> None:
            try:
                function()
            except (OSError, asyncssh.Error):
                self.end()

        self._loop.call_soon(call)


class Session(asyncssh.SSHClientSession[bytes]):
    """What asyncssh calls back, for a stream."""

    def __init__(self, stream: ChannelStream) -> None:
        self._stream = stream

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """See asyncssh."""
        self._stream.opened(cast("Channel", chan))

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """See asyncssh."""
        self._stream.take(data, error=datatype == _STDERR)

    def eof_received(self) -> bool:
        """See asyncssh: the relay ends both ways at once."""
        self._stream.end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncssh."""
        del exc
        self._stream.end()

    def pause_writing(self) -> None:
        """See asyncssh."""
        self._stream.hold_back(full=True)

    def resume_writing(self) -> None:
        """See asyncssh."""
        self._stream.hold_back(full=False)
