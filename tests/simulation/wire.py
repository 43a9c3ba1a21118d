"""In-memory connections: bytes in order, each there after its latency; either end may vanish at any moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

Latency = Callable[[], float]


def no_latency() -> float:
    """Everything is there at once."""
    return 0.0


class Wire:
    """One direction of a connection."""

    def __init__(self, latency: Latency) -> None:
        """`latency()`: how long the next bytes take, in seconds; they never overtake those before."""
        self._latency = latency
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._last_due = 0.0
        self._ended = False
        self._gone = False
        self._cut = False
        self.silent = False
        self._left: int | None = None
        self._on_cut: Callable[[], object] = lambda: None
        self._changed = trio.lowlevel.ParkingLot()

    def put(self, data: bytes) -> bool:
        """Send; whether anybody may still read it."""
        if self.silent:
            return True
        if self._gone or self._ended:
            return False
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            if not self._left:
                self._ended = self._cut = True
                self._on_cut()
                if not data:
                    return False
        self._last_due = max(self._last_due, trio.current_time() + self._latency())
        self._chunks.append((self._last_due, data))
        self._changed.unpark_all()
        return True

    def end(self) -> None:
        """The sender has gone: what is under way still comes, then the end."""
        self._ended = self._ended or not self.silent
        self._changed.unpark_all()

    def fall_silent(self) -> None:
        """Nothing comes any more, and nobody is told, of an end neither: a black hole. `cut` ends that."""
        self.silent = True
        self._chunks.clear()

    def cut_after(self, size_bytes: int, on_cut: Callable[[], object]) -> None:
        """Only so many bytes more are passed on."""
        self._left, self._on_cut = size_bytes, on_cut

    def abandon(self) -> None:
        """The reader has gone."""
        self._gone = True
        self._chunks.clear()
        self._changed.unpark_all()

    def cut(self) -> None:
        """What is under way is lost; both ends find the connection broken."""
        self._chunks.clear()
        self._ended = self._cut = True
        self._changed.unpark_all()

    async def get(self) -> bytes:
        """What has arrived, at least a byte; nothing at the end."""
        await trio.lowlevel.checkpoint()
        while True:
            if self._gone:
                raise trio.ClosedResourceError
            now = trio.current_time()
            if self._chunks and self._chunks[0][0] <= now:
                return self._arrived(now)
            if self._chunks:
                with trio.move_on_at(self._chunks[0][0]):
                    await self._changed.park()
            elif self._cut:
                raise trio.BrokenResourceError
            elif self._ended:
                return b""
            else:
                await self._changed.park()

    def _arrived(self, now: float) -> bytes:
        parts: list[bytes] = []
        while self._chunks and self._chunks[0][0] <= now:
            parts.append(self._chunks.popleft()[1])
        return b"".join(parts)


class End(trio.abc.Stream):
    """One end of a connection. `author`: who is at the other end, as a Unix socket would tell."""

    def __init__(self, incoming: Wire, outgoing: Wire, author: str) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self.author = author
        self.closed = False

    def send_now(self, data: bytes) -> bool:
        """Send without waiting, as into a socket's buffer; whether the other end is there."""
        return not self.closed and self._outgoing.put(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise trio.ClosedResourceError
        if not self._outgoing.put(bytes(data)):
            raise trio.BrokenResourceError

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        del max_bytes  # as much as there is: readers must take any division of the bytes anyway
        if self.closed:
            raise trio.ClosedResourceError
        return await self._incoming.get()

    def vanish(self) -> None:
        """Close at once, as the system does for a process that was killed."""
        self.closed = True
        self._outgoing.end()
        self._incoming.abandon()

    def cut(self) -> None:
        """Break the connection in both directions."""
        self._outgoing.cut()
        self._incoming.cut()

    def fall_silent(self) -> None:
        """Have nothing come through any more, in both directions."""
        self._outgoing.fall_silent()
        self._incoming.fall_silent()

    def cut_if_silent(self) -> None:
        """Those who wait in vain find out."""
        if self._incoming.silent:
            self.cut()

    def cut_after(self, size_bytes: int) -> None:
        """Break the connection after so many bytes more in one of the directions, the one that comes to it first."""
        self._outgoing.cut_after(size_bytes, self._incoming.cut)
        self._incoming.cut_after(size_bytes, self._outgoing.cut)

    async def aclose(self) -> None:
        self.vanish()
        await trio.lowlevel.checkpoint()


def connect(latency: Latency, author: str = "") -> tuple[End, End]:
    """Both ends of a new connection; the second is the one that accepted it."""
    there, back = Wire(latency), Wire(latency)
    return End(back, there, author), End(there, back, author)
