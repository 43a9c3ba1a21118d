"""A connection to a runner: length-prefixed JSON frames over a stream, typed on this side.

The runner's own side is in `actors/runner.py`, which is sent to hosts and can't share code.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec
import trio

from holdfast.events.errors import Unavailable
from holdfast.events.messages import AttemptStatus

PROTOCOL: Final = 1
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
LAUNCH_BYTES_MAX: Final = 4 * 1024 * 1024
_READ_BYTES: Final = 256 * 1024
_LENGTH_BYTES: Final = 4


class _FromRunner(msgspec.Struct, frozen=True, tag=str.lower, tag_field="type"):
    """A base for its options only."""


class Welcome(_FromRunner, frozen=True):
    """The runner's answer to hello: who it is, every attempt it still answers for, and its newest receipt.

    `executes`: whether it runs commands for the supervisor, as runners of this version do.
    """

    protocol: int
    pid: int
    boot: str
    journal: str
    attempts: tuple[AttemptStatus, ...]
    receipt: str = ""
    executes: bool = False


class Report(_FromRunner, frozen=True):
    """News of attempts."""

    attempts: tuple[AttemptStatus, ...]


class Trouble(_FromRunner, frozen=True):
    """The runner can't start anything just now (its journal can't be written, say); None: it can again."""

    error: str | None


class Pong(_FromRunner, frozen=True):
    """The answer to a ping."""

    id: int


class Data(_FromRunner, frozen=True):
    """A piece of an output segment; `error`: why there is none. `running`: whether the attempt asked for runs."""

    id: int
    running: bool = False
    base64: bytes = b""
    error: str | None = None


class Printed(_FromRunner, frozen=True):
    """A piece of what a command wrote to its stdout (`stream` 0) or stderr (1); they come in order, before its Done."""

    id: int
    stream: Literal[0, 1]
    base64: bytes


class Done(_FromRunner, frozen=True):
    """A command is over. `not_run`: it was never started, and `error` says why; else it has an exit code or a signal.

    `timed_out`: it was ended for taking too long. `truncated`: what it printed is not all here.
    """

    id: int
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    not_run: bool = False
    timed_out: bool = False
    truncated: bool = False


FromRunner = Welcome | Report | Trouble | Pong | Data | Printed | Done

_decoder: Final = msgspec.json.Decoder(FromRunner)
_encoder: Final = msgspec.json.Encoder()


class LinkBroken(Unavailable):
    """The connection ended, or what came over it was not the runner's protocol."""


def frame(message: object) -> bytes:
    """A message as it goes over the wire."""
    body = encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def encode(message: object) -> bytes:
    """A message as JSON. It may hold text that stands for bytes which are no UTF-8, as variables of a user can."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        # The standard library escapes what JSON has no other way to say; it takes many times as long.
        return json.dumps(message).encode()


def launch_frames(attempts: Iterable[bytes]) -> Iterator[bytes]:
    """Launches of encoded attempts, as many to a frame as are far below what the runner takes of one."""
    batch: list[bytes] = []
    size_bytes = 0
    for attempt in attempts:
        if batch and size_bytes + len(attempt) > LAUNCH_BYTES_MAX:
            yield _launch(batch)
            batch, size_bytes = [], 0
        batch.append(attempt)
        size_bytes += len(attempt)
    if batch:
        yield _launch(batch)


def _launch(attempts: Sequence[bytes]) -> bytes:
    return frame({"type": "launch", "attempts": [msgspec.Raw(attempt) for attempt in attempts]})


def _ignore(_: int) -> None:
    pass


async def receive(
    stream: trio.abc.ReceiveStream, on_bytes: Callable[[int], None] = _ignore
) -> AsyncGenerator[FromRunner, None]:
    """Messages as they come in, until the stream ends; to be closed. Raises LinkBroken for anything that is not one.

    `on_bytes` hears how many bytes came, before the messages that they complete.
    """
    buffer = bytearray()
    try:
        while data := await stream.receive_some(_READ_BYTES):
            on_bytes(len(data))
            buffer += data
            start = 0
            while len(buffer) - start >= _LENGTH_BYTES:
                length = int.from_bytes(buffer[start : start + _LENGTH_BYTES], "big")
                if length > FRAME_BYTES_MAX:
                    message = f"the runner sent a frame of {length} bytes, more than the {FRAME_BYTES_MAX} that it may"
                    raise LinkBroken(message)
                end = start + _LENGTH_BYTES + length
                if len(buffer) < end:
                    break
                yield _decoder.decode(bytes(buffer[start + _LENGTH_BYTES : end]))
                start = end
            del buffer[:start]
    except msgspec.DecodeError as error:
        message = f"the runner sent what is not its protocol: {error}"
        raise LinkBroken(message) from error
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        message = "the connection to the runner broke"
        raise LinkBroken(message) from error


class Outbox:
    """What is to be sent, so that nobody who sends has to wait for the runner. `said_at`: when the newest was added."""

    def __init__(self) -> None:
        self.said_at = -math.inf
        self._frames: list[bytes] = []
        self._waiting = trio.Event()

    def put(self, message: object) -> None:
        """Add a message; it goes out in order, as soon as the runner takes it."""
        self.put_frame(frame(message))

    def put_frame(self, encoded: bytes) -> None:
        """Add a message that is encoded already."""
        self.said_at = trio.current_time()
        self._frames.append(encoded)
        self._waiting.set()

    async def drain_into(self, stream: trio.abc.SendStream) -> None:
        """Send for ever. Raises LinkBroken when the stream does."""
        while True:
            await self._waiting.wait()
            self._waiting = trio.Event()
            frames, self._frames = self._frames, []
            try:
                await stream.send_all(b"".join(frames))
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                message = "the connection to the runner broke"
                raise LinkBroken(message) from error
