"""What a message costs between two tasks: tell -> handle, beside a bare Trio memory channel in the same run.

`ask` is the worst case, with nothing to gather; beside it stand two channels, there and back.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio
from msgspec import Struct

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast.actors.actor import Actor
from holdfast.actors.address import Address
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Reply, Request

MESSAGES: Final[dict[Scale, int]] = {"full": 100_000, "quick": 30_000}
ASKED_PART: Final = 10  # of ten messages one is asked
CAPACITY: Final = 1_000


class Note(Struct, frozen=True):
    """A message without an answer."""

    number: int


class Count(Request[int], frozen=True):
    """Asks how many notes have come."""


class Counter(Actor[Note | Count]):
    """Counts notes."""

    def __init__(self) -> None:
        self._notes = 0

    async def handle(self, batch: Sequence[Note | Count]) -> None:
        """Count, and answer."""
        for message in batch:
            match message:
                case Note():
                    self._notes += 1
                case Count(reply):
                    reply.send(self._notes)


async def through_actor(messages: int) -> float:
    """Microseconds a message from one task through `tell` to `handle`."""
    inbox: Inbox[Note | Count] = Inbox("counter", CAPACITY)
    counter = Address(inbox)
    async with trio.open_nursery() as nursery:
        await nursery.start(Counter().run, inbox)
        began = time.perf_counter()
        for number in range(messages):
            await counter.tell(Note(number))
        notes = await counter.ask(Count)
        took = time.perf_counter() - began
        nursery.cancel_scope.cancel()
    assert notes == messages
    return took / messages * 1e6


async def through_channel(messages: int) -> float:
    """Microseconds a message from one task to another through a memory channel of the same bound."""
    send, receive = trio.open_memory_channel[Note](CAPACITY)

    async def count() -> None:
        notes = 0
        async for _ in receive:
            notes += 1
        assert notes == messages

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        async with send:
            for number in range(messages):
                await send.send(Note(number))
    return (time.perf_counter() - began) / messages * 1e6


async def through_ask(messages: int) -> float:
    """Microseconds a question with its answer, one after the other: the worst case, with nothing to gather."""
    inbox: Inbox[Note | Count] = Inbox("counter", CAPACITY)
    counter = Address(inbox)
    async with trio.open_nursery() as nursery:
        await nursery.start(Counter().run, inbox)
        began = time.perf_counter()
        for _ in range(messages):
            await counter.ask(Count)
        took = time.perf_counter() - began
        nursery.cancel_scope.cancel()
    return took / messages * 1e6


async def through_channels_and_back(messages: int) -> float:
    """Microseconds a question with its answer over two memory channels."""
    ask, asked = trio.open_memory_channel[Reply[int]](CAPACITY)
    answer, answers = trio.open_memory_channel[int](1)

    async def serve() -> None:
        async for _ in asked:
            await answer.send(0)

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        async with ask:
            for _ in range(messages):
                await ask.send(Reply())
                await answers.receive()
    return (time.perf_counter() - began) / messages * 1e6


def measure(scale: Scale) -> Sequence[Measurement]:
    """A message, and a question with its answer."""

    def runs(case: Callable[[int], Awaitable[float]], messages: int) -> Callable[[], float]:
        return lambda: trio.run(case, messages)

    count = MESSAGES[scale]
    asked = count // ASKED_PART
    return interleaved(
        [
            Case(name="bare memory channel", unit="us", better="lower", run=runs(through_channel, count)),
            Case(
                name="tell -> handle",
                unit="us",
                better="lower",
                run=runs(through_actor, count),
                limit="bare memory channel",
            ),
            Case(
                name="two bare memory channels", unit="us", better="lower", run=runs(through_channels_and_back, asked)
            ),
            Case(
                name="ask -> answer",
                unit="us",
                better="lower",
                run=runs(through_ask, asked),
                limit="two bare memory channels",
            ),
        ]
    )


BENCHMARK: Final = Benchmark("actor_messages", "A message between two actors, by one through a bare channel.", measure)
