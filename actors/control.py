"""The control socket: clients on this machine send typed requests, a JSON line each, and get one answer line each.

Who asks is known from the socket itself (the peer's user id), never from what is sent. A client that stops reading is
cut off; it delays nobody, because each has a task of its own.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
import trio

from holdfast.events.errors import BadInput, Damaged, HoldfastError, Unavailable
from holdfast.events.messages import Answer, AskStatus, Inspect, LogIn, ReadOutput, Refusal, Say, Spoken
from holdfast.store.unix_path import short_address

from .actor import Actor
from .address import Address
from .connections.messages import Converse, Fetch
from .inbox import Inbox
from .lines import Crowded, Held, Lines, TooLong
from .scheduler import Ask
from .standing import Standing
from .world import name_of_user

CLIENTS_MAX: Final = 256
SEND_S: Final = 10.0
LEAVE_S: Final = 3.0
_LEAVING: Final = "the supervisor is leaving and hears no more requests; nothing was done: ask again"
_BACKLOG: Final = 128
_SO_PEERCRED_FORMAT: Final = "3i"
_LOCAL_PEERCRED: Final = 1
_XUCRED_BYTES: Final = 76

_decoder: Final = msgspec.json.Decoder(Spoken)
_encoder: Final = msgspec.json.Encoder()


class _Nothing(msgspec.Struct, frozen=True):
    """No message goes to this actor; clients come over the socket."""


class Door(Protocol):
    """Where clients come in; the simulation gives another."""

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        """Let them in from now on. Raises OSError."""
        ...

    def author(self, stream: trio.abc.Stream, /) -> str:
        """Who is at the other end of a connection."""
        ...

    def close(self) -> None:
        """Take away what `open` put there; the listener is closed already."""
        ...


class SocketDoor:
    """The home's control socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        """Listen. Raises OSError."""
        return trio.SocketListener(trio.socket.from_stdlib_socket(listen(self._path)))

    def author(self, stream: trio.abc.Stream, /) -> str:
        """The login name of the user at the other end."""
        assert isinstance(stream, trio.SocketStream), "a socket listener accepts sockets"
        return peer_name(stream)

    def close(self) -> None:
        """Remove the socket's file."""
        self._path.unlink(missing_ok=True)


class ControlServer(Actor[_Nothing]):
    """Serves the home's control socket."""

    def __init__(
        self, door: Door, scheduler: Address[Ask], connections: Address[Fetch | Converse], standing: Standing
    ) -> None:
        self._door = door
        self._scheduler = scheduler
        self._connections = connections
        self._standing = standing
        self._clients = 0
        self._held = Held()
        self._listening: set[trio.CancelScope] = set()
        self._all_left = trio.Event()

    @staticmethod
    def inbox() -> Inbox[_Nothing]:
        """The inbox that the runtime wants of every actor."""
        return Inbox("control", 1)

    async def run(
        self, inbox: Inbox[_Nothing], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen until stopped; what was asked by then is answered."""
        listener = self._door.open()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.serve_listeners, self._serve_client, [listener])
                await super().run(inbox, task_status=task_status)
                await self._see_clients_off()
                nursery.cancel_scope.cancel()
        finally:
            self._door.close()

    async def handle(self, batch: Sequence[_Nothing]) -> None:
        """Nothing ever comes."""

    async def _see_clients_off(self) -> None:
        """Hear no more requests, and give those that were heard the time to be answered."""
        for scope in self._listening:
            scope.cancel()
        with trio.move_on_after(LEAVE_S):
            while self._clients:
                self._all_left = trio.Event()
                await self._all_left.wait()

    async def _serve_client(self, stream: trio.abc.Stream) -> None:
        if self._clients == CLIENTS_MAX:
            busy = f"{CLIENTS_MAX} clients are being served, the most that are at a time; try again in a moment"
            async with stream:
                await self._send(stream, Refusal(busy, Unavailable.exit_code))
            return
        self._clients += 1
        lines = Lines(stream, self._held)
        try:
            async with stream:
                await self._converse(stream, lines)
        except trio.BrokenResourceError:
            return
        finally:
            lines.leave()
            self._clients -= 1
            if not self._clients:
                self._all_left.set()

    async def _converse(self, stream: trio.abc.Stream, lines: Lines) -> None:
        author = self._door.author(stream)
        heard = False
        while True:
            try:
                line = await self._hear(lines)
            except (TooLong, Crowded) as error:
                await self._send(stream, Refusal(str(error), error.exit_code))
                return
            if line is None:
                if self.stopping and not heard:  # else it would follow an answer, which ends what a client reads
                    await self._send(stream, Refusal(_LEAVING, Unavailable.exit_code))
                return
            heard = True
            if not await self._send(stream, await self._answer(line, author)):
                return

    async def _hear(self, lines: Lines) -> bytes | None:
        """The next request, or None when the client or the supervisor leaves."""
        if self.stopping:
            return None
        with trio.CancelScope() as scope:
            self._listening.add(scope)
            try:
                return await lines.next()
            finally:
                self._listening.discard(scope)
        return None

    async def _answer(self, line: bytes, author: str) -> Answer:
        try:
            request = _decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            return Refusal(f"the request is not one that this supervisor knows: {error}", BadInput.exit_code)
        if isinstance(request, AskStatus):
            return self._standing.status()
        try:
            if isinstance(request, ReadOutput | Inspect):
                return await self._connections.ask(Fetch, request)
            if isinstance(request, LogIn | Say):
                return await self._connections.ask(Converse, request)
            return await self._scheduler.ask(lambda reply: Ask(reply, request, author))
        except HoldfastError as error:
            return Refusal(str(error), error.exit_code)

    async def _send(self, stream: trio.abc.Stream, answer: Answer) -> bool:
        """Send an answer; whether the client took it in time."""
        with trio.move_on_after(SEND_S) as bound:
            await stream.send_all(_encoder.encode(answer) + b"\n")
        return not bound.cancelled_caught


def listen(path: Path) -> socket.socket:
    """A listening Unix socket at `path`, private from the moment it exists; it replaces one that a kill left behind.

    The caller holds the home's lock, so nobody else listens there. Raises Damaged where the path leads to a folder.
    """
    if path.is_dir():
        raise Damaged(f"{path} is a folder, and a home has its control socket there; remove the folder")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The socket file gets its mode from the umask at bind; set for this moment, in the only thread that makes files.
    umask = os.umask(0o177)
    try:
        with short_address(path) as address:
            listener.bind(address)
    finally:
        os.umask(umask)
    listener.listen(_BACKLOG)
    return listener


def peer_name(stream: trio.SocketStream) -> str:
    """The login name of the user at the other end."""
    if sys.platform == "darwin":
        credentials = stream.socket.getsockopt(0, _LOCAL_PEERCRED, _XUCRED_BYTES)
        return name_of_user(struct.unpack_from("i", credentials, 4)[0])
    size = struct.calcsize(_SO_PEERCRED_FORMAT)
    credentials = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return name_of_user(struct.unpack(_SO_PEERCRED_FORMAT, credentials)[1])
