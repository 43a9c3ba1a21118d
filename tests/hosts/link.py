"""One connection through the proxy: two directions, each with what is under way, until it ends or is cut."""

from __future__ import annotations

import math
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import trio

CHUNK_BYTES: Final = 16 * 1024
UNDER_WAY: Final = 256  # chunks that a delay may hold in each direction; then the sender waits, as on a full link
SLICE_S: Final = 0.02  # a throttled chunk comes through in pieces that take so long
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST

Direction = Literal["up", "down"]  # up: from the client to the port


class Cut(NamedTuple):
    """A connection ends once so many bytes went this way; what comes after them is lost."""

    direction: Direction
    after_bytes: int
    reset: bool = False  # by RST, else by FIN


@dataclass(frozen=True)
class Faults:
    """What happens to every connection, those that are open included."""

    delay_s: float = 0.0
    bytes_per_s: float = math.inf
    silent: bool = False


class Weather:
    """The faults that hold now, and what wakes those who wait for others."""

    def __init__(self) -> None:
        """Start without faults."""
        self.faults = Faults()
        self._changed = trio.Event()

    def become(self, faults: Faults) -> None:
        """Let these hold from now on."""
        self.faults = faults
        self._changed.set()
        self._changed = trio.Event()

    async def until_audible(self) -> None:
        """Wait while nothing may come through."""
        while self.faults.silent:
            await self._changed.wait()


class Link:
    """One connection of a client, and the one that was opened for it."""

    def __init__(self, client: trio.SocketStream, weather: Weather, cut: Cut | None) -> None:
        """Take over the stream `client`."""
        self._weather, self._cut = weather, cut
        self._streams = [client]
        self._scope = trio.CancelScope()

    def end(self, *, reset: bool) -> None:
        """Close both sides now, by RST or by FIN."""
        self._scope.cancel()
        for stream in self._streams:
            if reset and stream.socket.fileno() != -1:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            stream.socket.close()

    async def run(self, to_port: int) -> None:
        """Forward until both sides have said all, one has gone, or it is cut."""
        with self._scope:
            await self._weather.until_audible()
            try:
                server = await trio.open_tcp_stream("127.0.0.1", to_port)
            except OSError:  # nobody listens: the client hears what it would hear without a proxy, if later
                self.end(reset=True)
                return
            self._streams.append(server)
            client = self._streams[0]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._forward, client, server, "up")
                nursery.start_soon(self._forward, server, client, "down")
        self.end(reset=False)

    async def _forward(self, source: trio.SocketStream, sink: trio.SocketStream, direction: Direction) -> None:
        sending, receiving = trio.open_memory_channel[tuple[float, bytes]](UNDER_WAY)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read, source, sending)
                nursery.start_soon(self._write, receiving, sink, direction)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            self.end(reset=False)

    async def _read(self, source: trio.SocketStream, sending: trio.MemorySendChannel[tuple[float, bytes]]) -> None:
        async with sending:
            while data := await source.receive_some(CHUNK_BYTES):
                await sending.send((trio.current_time() + self._weather.faults.delay_s, data))

    async def _write(
        self, receiving: trio.MemoryReceiveChannel[tuple[float, bytes]], sink: trio.SocketStream, direction: Direction
    ) -> None:
        left = self._cut.after_bytes if self._cut is not None and self._cut.direction == direction else math.inf
        if left == 0:
            self._cut_off()
        async for due, data in receiving:
            await trio.sleep_until(due)
            rest = memoryview(data)
            while rest:
                await self._weather.until_audible()
                rate = self._weather.faults.bytes_per_s
                length = int(min(len(rest), left, max(1, rate * SLICE_S)))
                await sink.send_all(rest[:length])
                rest, left = rest[length:], left - length
                if left == 0:
                    self._cut_off()
                await trio.sleep_until(trio.current_time() + length / rate)
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await sink.send_eof()

    def _cut_off(self) -> None:
        assert self._cut is not None, "only a cut ends at a byte"
        self.end(reset=self._cut.reset)
