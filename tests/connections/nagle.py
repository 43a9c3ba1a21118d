"""A connection as between srun and the step it started: Nagle's algorithm at both ends, acknowledgements put off."""

from __future__ import annotations

from typing import Final

import trio

PIECE_BYTES: Final = 1_024
"""Slurm reads, and writes to the connection, as much at a time."""
PUT_OFF_S: Final = 0.040


class End(trio.abc.Stream):
    """One of two ends. A segment goes out when none is unacknowledged; those that wait go together then."""

    def __init__(self) -> None:
        self.other: End | None = None
        self._held = bytearray()
        self._unacknowledged = False
        self._said = trio.Event()
        self._arrived = bytearray()
        self._news = trio.Event()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        for start in range(0, len(data), PIECE_BYTES):
            self._held += data[start : start + PIECE_BYTES]
            self._flush()

    def _flush(self) -> None:
        assert self.other is not None
        if self._held and not self._unacknowledged:
            self._unacknowledged = True
            self._said.set()
            data = bytes(self._held)
            self._held.clear()
            self.other.arrive(data)

    def arrive(self, data: bytes) -> None:
        """Take a segment, which says as well that what this end sent has come."""
        self.acknowledged()
        self._arrived += data
        self._news.set()
        self._said = trio.Event()
        trio.lowlevel.spawn_system_task(self._acknowledge, self._said)

    async def _acknowledge(self, said: trio.Event) -> None:
        with trio.move_on_after(PUT_OFF_S) as late:
            await said.wait()
        if late.cancelled_caught:
            assert self.other is not None
            self.other.acknowledged()

    def acknowledged(self) -> None:
        """What was under way has arrived."""
        self._unacknowledged = False
        self._flush()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while not self._arrived:
            self._news = trio.Event()
            await self._news.wait()
        data = bytes(self._arrived[:max_bytes])
        del self._arrived[: len(data)]
        return data

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def nagle_pair() -> tuple[End, End]:
    """Both ends."""
    one, other = End(), End()
    one.other, other.other = other, one
    return one, other
