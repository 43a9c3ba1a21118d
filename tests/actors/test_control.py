"""The control socket's server on virtual time: clients that do not read or say too much, and a server that leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio
from trio.testing import lockstep_stream_pair

from holdfast.actors import lines
from holdfast.actors.actor import Actor
from holdfast.actors.address import Address
from holdfast.actors.connections.messages import Converse, Fetch
from holdfast.actors.control import CLIENTS_MAX, LEAVE_S, SEND_S, ControlServer
from holdfast.actors.inbox import Inbox
from holdfast.actors.live import Live
from holdfast.actors.scheduler import Ask
from holdfast.actors.standing import Standing
from holdfast.events.messages import Answer, AskStatus, Changed, Pause, Refusal
from holdfast.store.memory import MemoryBase

from .stepping import pause

ANSWER_S = 1.0
QUESTION = msgspec.json.encode(Pause()) + b"\n"
ANSWER = Changed(targets=("local",))


class Slow(Actor[Ask]):
    """Stands for the scheduler: it takes its time."""

    async def handle(self, batch: Sequence[Ask]) -> None:
        await pause(ANSWER_S)
        for message in batch:
            message.reply.send(ANSWER)


class Visitors:
    """A door through which tests send clients; each end of a connection takes a byte only when the other reads it."""

    def __init__(self) -> None:
        self._come, self._coming = trio.open_memory_channel[trio.abc.Stream](1000)

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        return _Listener(self._coming)

    def author(self, stream: trio.abc.Stream, /) -> str:
        del stream
        return "somebody"

    def close(self) -> None:
        pass

    def enter(self) -> trio.abc.Stream:
        near, far = lockstep_stream_pair()
        self._come.send_nowait(far)
        return near


class _Listener(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self, coming: trio.MemoryReceiveChannel[trio.abc.Stream]) -> None:
        self._coming = coming

    async def accept(self) -> trio.abc.Stream:
        return await self._coming.receive()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


class Server:
    """A control server that runs."""

    def __init__(self) -> None:
        self.visitors = Visitors()
        standing = Standing(1, "0")
        standing.follow(Live(MemoryBase("home")), 7)
        self._scheduler = Inbox[Ask]("scheduler", 1000)
        self._connections = Inbox[Fetch | Converse]("connections", 1000)
        self._actor = ControlServer(self.visitors, Address(self._scheduler), Address(self._connections), standing)
        self._inbox = ControlServer.inbox()
        self.ended = trio.Event()

    async def run(self) -> None:
        await self._actor.run(self._inbox)
        self.ended.set()

    async def run_scheduler(self) -> None:
        await Slow().run(self._scheduler)

    def stop(self) -> None:
        self._actor.stop(self._inbox)


@asynccontextmanager
async def serving() -> AsyncGenerator[Server]:
    server = Server()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        nursery.start_soon(server.run_scheduler)
        yield server
        nursery.cancel_scope.cancel()


async def heard(stream: trio.abc.Stream) -> list[Answer]:
    """All that comes until the end."""
    data = b"".join([bytes(each) async for each in stream])
    return msgspec.json.Decoder(Answer).decode_lines(data)


async def test_p5_a_client_that_does_not_read_is_cut_off_and_delays_nobody(autojump_clock: object) -> None:
    del autojump_clock
    async with serving() as server:
        deaf, other = server.visitors.enter(), server.visitors.enter()
        await deaf.send_all(QUESTION)
        await pause(ANSWER_S)
        await other.send_all(QUESTION)
        assert b'"local"' in bytes(await other.receive_some())
        assert trio.current_time() == 2 * ANSWER_S
        with pytest.raises(trio.BrokenResourceError):
            await deaf.send_all(QUESTION * 2)
        assert trio.current_time() == pytest.approx(ANSWER_S + SEND_S)


async def test_p5_how_things_stand_is_told_without_waiting_for_the_scheduler(autojump_clock: object) -> None:
    del autojump_clock
    async with serving() as server:
        busy, curious = server.visitors.enter(), server.visitors.enter()
        await busy.send_all(QUESTION)
        await curious.send_all(msgspec.json.encode(AskStatus()) + b"\n")
        assert b'"seq":7' in bytes(await curious.receive_some())
        assert trio.current_time() < ANSWER_S


async def test_p1_what_was_asked_is_answered_although_the_supervisor_is_told_to_leave(autojump_clock: object) -> None:
    del autojump_clock
    async with serving() as server:
        client = server.visitors.enter()
        await client.send_all(QUESTION)
        await pause(ANSWER_S / 2)
        server.stop()
        await pause(ANSWER_S)  # the answer is on its way by now, and nobody has read of it
        assert await heard(client) == [ANSWER]
        await server.ended.wait()
        assert trio.current_time() < ANSWER_S + LEAVE_S


async def test_a_client_whose_request_is_not_heard_any_more_is_told_that_nothing_was_done(
    autojump_clock: object,
) -> None:
    del autojump_clock
    async with serving() as server:
        early, late = server.visitors.enter(), None
        await early.send_all(QUESTION[:5])
        await pause(0.1)
        server.stop()
        await pause(0.1)
        late = server.visitors.enter()
        for each in (early, late):
            (answer,) = await heard(each)
            assert isinstance(answer, Refusal)
            assert "nothing was done" in answer.message


async def test_p5_a_client_that_does_not_read_delays_the_end_of_a_supervisor_by_three_seconds(
    autojump_clock: object,
) -> None:
    del autojump_clock
    async with serving() as server:
        deaf = server.visitors.enter()
        await deaf.send_all(QUESTION)
        await pause(ANSWER_S)
        server.stop()
        await server.ended.wait()
        assert trio.current_time() == pytest.approx(ANSWER_S + LEAVE_S)


async def test_p9_one_client_more_than_are_served_is_told_so_until_another_leaves(autojump_clock: object) -> None:
    del autojump_clock
    async with serving() as server:
        crowd = [server.visitors.enter() for _ in range(CLIENTS_MAX)]
        await pause(0.1)
        (answer,) = await heard(server.visitors.enter())
        assert isinstance(answer, Refusal)
        assert str(CLIENTS_MAX) in answer.message
        await crowd[0].aclose()
        await pause(0.1)
        another = server.visitors.enter()
        await another.send_all(QUESTION)
        assert b'"local"' in bytes(await another.receive_some())


@pytest.mark.parametrize("bound", ["LINE_BYTES_MAX", "HELD_BYTES_MAX"])
async def test_p9_who_says_too_much_is_told_so_and_what_it_said_is_let_go(
    bound: str, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    del autojump_clock
    monkeypatch.setattr(lines, bound, 1000)
    async with serving() as server:
        for _ in range(3):  # what the first said counts no more for the next
            talker = server.visitors.enter()
            await talker.send_all(b"x" * 900)
            await talker.send_all(b"x" * 200)
            (answer,) = await heard(talker)
            assert isinstance(answer, Refusal)
            assert "nothing was done" in answer.message
        talker = server.visitors.enter()
        await talker.send_all(b" " * 900 + QUESTION)
        assert b'"local"' in bytes(await talker.receive_some())


async def test_requests_that_come_in_one_piece_are_answered_one_by_one(autojump_clock: object) -> None:
    del autojump_clock
    async with serving() as server:
        client = server.visitors.enter()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_all, QUESTION * 3 + QUESTION[:4])
            data = b""
            while data.count(b"\n") < 3:
                data += await client.receive_some()
        assert data.count(b'"local"') == 3
        await client.send_all(QUESTION[4:])
        assert b'"local"' in bytes(await client.receive_some())
