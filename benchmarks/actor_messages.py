"""What a message costs between two tasks: tell -> handle, beside a bare Trio memory channel in the same run.

Run it with `python -m benchmarks.actor_messages`; it prints medians of five interleaved rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

import trio
from msgspec import Struct

from holdfast.actors.actor import Actor
from holdfast.actors.address import Address
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Reply, Request

MESSAGES = 100_000
ASKED = 10_000
CAPACITY = 1_000
ROUNDS = 5


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


async def through_actor() -> float:
    """Microseconds a message from one task through `tell` to `handle`."""
    inbox: Inbox[Note | Count] = Inbox("counter", CAPACITY)
    counter = Address(inbox)
    async with trio.open_nursery() as nursery:
        await nursery.start(Counter().run, inbox)
        began = time.perf_counter()
        for number in range(MESSAGES):
            await counter.tell(Note(number))
        notes = await counter.ask(Count)
        took = time.perf_counter() - began
        nursery.cancel_scope.cancel()
    assert notes == MESSAGES
    return took / MESSAGES * 1e6


async def through_channel() -> float:
    """Microseconds a message from one task to another through a memory channel of the same bound."""
    send, receive = trio.open_memory_channel[Note](CAPACITY)

    async def count() -> None:
        notes = 0
        async for _ in receive:
            notes += 1
        assert notes == MESSAGES

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        async with send:
            for number in range(MESSAGES):
                await send.send(Note(number))
    return (time.perf_counter() - began) / MESSAGES * 1e6


async def through_ask() -> float:
    """Microseconds a question with its answer, one after the other: the worst case, with nothing to gather."""
    inbox: Inbox[Note | Count] = Inbox("counter", CAPACITY)
    counter = Address(inbox)
    async with trio.open_nursery() as nursery:
        await nursery.start(Counter().run, inbox)
        began = time.perf_counter()
        for _ in range(ASKED):
            await counter.ask(Count)
        took = time.perf_counter() - began
        nursery.cancel_scope.cancel()
    return took / ASKED * 1e6


async def through_channels_and_back() -> float:
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
            for _ in range(ASKED):
                await ask.send(Reply())
                await answers.receive()
    return (time.perf_counter() - began) / ASKED * 1e6


def measure() -> dict[str, float]:
    """Median microseconds a message, by name; the rounds are interleaved so that noise meets all alike."""
    cases: dict[str, Callable[[], Awaitable[float]]] = {
        "tell -> handle": through_actor,
        "bare memory channel": through_channel,
        "ask -> answer": through_ask,
        "two bare memory channels": through_channels_and_back,
    }
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, case in cases.items():
            took[name].append(trio.run(case))
    return {name: statistics.median(rounds) for name, rounds in took.items()}


def main() -> None:
    """Print a line for each case."""
    for name, took_us in measure().items():
        print(f"{name:26} {took_us:6.2f} us")


if __name__ == "__main__":
    main()
