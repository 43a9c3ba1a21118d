"""Lines that clients send: each of any length up to a bound, and all that are under way together bounded as well."""

from __future__ import annotations

from typing import Final

import trio

from holdfast.events.errors import BadInput, Unavailable

LINE_BYTES_MAX: Final = 256 * 1024 * 1024
HELD_BYTES_MAX: Final = 2 * LINE_BYTES_MAX
_READ_BYTES: Final = 256 * 1024
_MIB: Final = 1024 * 1024


class TooLong(BadInput):
    """A request is longer than one may be; nothing was done."""

    def __init__(self) -> None:
        super().__init__(
            f"the request is longer than {LINE_BYTES_MAX // _MIB} MiB, the most that one may be",
            remedy="nothing was done; send it in parts",
        )


class Crowded(Unavailable):
    """Requests of several clients are longer together than may be held; nothing was done."""

    def __init__(self) -> None:
        super().__init__(
            f"the requests that come in just now are longer than {HELD_BYTES_MAX // _MIB} MiB together, the most that "
            "is held; nothing was done: try again in a moment"
        )


class Held:
    """How many bytes of all clients' requests are in hand."""

    def __init__(self) -> None:
        self.size_bytes = 0


class Lines:
    """What one client sends, line by line."""

    def __init__(self, stream: trio.abc.Stream, held: Held) -> None:
        """`held` is shared by all clients."""
        self._stream = stream
        self._held = held
        self._size_bytes = 0
        self._ended: list[bytes] = []
        self._parts: list[bytes] = []

    async def next(self) -> bytes | None:
        """The next line, which counts as held until the one after it is asked for; None at the end.

        Raises TooLong, Crowded or BrokenResourceError; then no more lines may be asked for.
        """
        if not self._ended:
            self.let_go()
        while not self._ended:
            data = bytes(await self._stream.receive_some(_READ_BYTES))
            if not data:
                return None
            self._count(len(data))
            first, *more = data.split(b"\n")
            self._parts.append(first)
            if more:
                self._ended = [b"".join(self._parts), *more[:-1]][::-1]
                self._parts = [more[-1]]
            elif self._size_bytes > LINE_BYTES_MAX:
                raise TooLong
        return self._ended.pop()

    def let_go(self) -> None:
        """Count nothing as held any more but the beginning of the next line."""
        self._count(sum(map(len, self._parts)) - self._size_bytes)

    def leave(self) -> None:
        """Hold nothing any more."""
        self._parts, self._ended = [], []
        self.let_go()

    def _count(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        self._held.size_bytes += size_bytes
        if size_bytes > 0 and self._held.size_bytes > HELD_BYTES_MAX:
            raise Crowded
