"""Speaking to the supervisor that lives on the home, for the engine."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
import trio

from holdfast.events.messages import Answer
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from .client import NoAnswer, connect
from .news import changed_since
from .noticeboard import Noticeboard
from .requests import Pending, Requests
from .service import Service

CONNECTIONS: Final = 4
LOOK_S: Final = 0.05
_READ_BYTES: Final = 256 * 1024

_decoder: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)
_encoder: Final = msgspec.json.Encoder()


async def join(service: Service) -> bool:
    """Have requests carried out by the supervisor that lives on the home, until it is time to leave or it leaves.

    Returns False if none lives there. Raises Unavailable.
    """
    home = service.home
    first = connect(home)
    if first is None:
        return False
    with Reader(home) as reader:
        # Read before those who wait are looked up, so that an end falls to the one or to the other.
        seen = reader.seq
        service.up(in_no_memory)
        async with trio.open_nursery() as nursery:

            def leave() -> None:
                nursery.cancel_scope.cancel()

            nursery.start_soon(_await_end, _stream(first), leave)
            nursery.start_soon(_follow, reader, seen, service.board)
            for _ in range(CONNECTIONS):
                nursery.start_soon(_carry, home, service.requests, leave)
            await service.stop.wait()
            leave()
    return True


def in_no_memory(job: int) -> bool:
    """What those say of a job who have no scheduler's memory to look at."""
    del job
    return False


def _stream(connection: socket.socket) -> trio.SocketStream:
    connection.setblocking(False)  # noqa: FBT003 - the standard library's own
    return trio.SocketStream(trio.socket.from_stdlib_socket(connection))


async def _await_end(stream: trio.SocketStream, leave: Callable[[], None]) -> None:
    """Nothing is ever said on this connection: that it ends says that the supervisor has."""
    async with stream:
        with suppress(trio.BrokenResourceError):
            await stream.receive_some(1)
        leave()


async def _follow(reader: Reader, seen: int, board: Noticeboard) -> None:
    """Tell the board what is new in the log after `seen`, again and again."""
    while True:
        newest = reader.seq
        if newest > seen:
            board.note(changed_since(reader, seen) if board.waiting else (), newest)
            seen = newest
        await trio.sleep(LOOK_S)


async def _carry(home: Home, requests: Requests, leave: Callable[[], None]) -> None:
    """Carry requests to the supervisor, one at a time, over a connection that is made for the first of them."""
    pending = await requests.take()
    connection = connect(home)
    if connection is None:
        requests.put(pending)
        leave()
        return
    async with _stream(connection) as stream:
        while await _answered(stream, pending):
            pending = await requests.take()
    leave()


async def _answered(stream: trio.SocketStream, pending: Pending) -> bool:
    """Have one request answered; False if the supervisor has gone, and then nobody knows what became of it."""
    try:
        await stream.send_all(_encoder.encode(pending.request) + b"\n")
        parts: list[bytes] = []
        while not parts or not parts[-1].endswith(b"\n"):
            parts.append(bytes(await stream.receive_some(_READ_BYTES)))
            if not parts[-1]:
                break
        else:
            pending.give(_decoder.decode(b"".join(parts)))
            return True
    except (trio.BrokenResourceError, msgspec.DecodeError):
        pass
    except trio.Cancelled:
        pending.answer.spoil(NoAnswer())
        raise
    pending.answer.spoil(NoAnswer())
    return False
