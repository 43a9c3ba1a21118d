"""The inbox: bounded, in order, and nothing is lost, doubled or left waiting, whoever is cancelled when."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Literal

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast.actors.errors import InboxClosed, InboxFull
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Reply, Request

from .stepping import AtStep, at_every_step, pause, run_virtual

Arm = Callable[[Callable[[], object]], AtStep]


async def test_take_returns_every_waiting_message_in_order() -> None:
    inbox: Inbox[int] = Inbox("reader", 10)
    for number in range(5):
        await inbox.put(number)
    assert await inbox.take() == [0, 1, 2, 3, 4]
    assert inbox.take_nowait() == []


async def test_take_waits_for_the_first_message_and_gathers_those_put_meanwhile(autojump_clock: MockClock) -> None:
    inbox: Inbox[int] = Inbox("reader", 10)

    async def send() -> None:
        await pause(3)
        inbox.put_nowait(1)
        inbox.put_nowait(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert await inbox.take() == [1, 2]
    assert trio.current_time() == 3


async def test_a_full_inbox_refuses_what_may_not_wait_and_says_what_to_do() -> None:
    inbox: Inbox[str] = Inbox("writer", 2)
    inbox.put_nowait("a")
    inbox.put_nowait("b")
    with pytest.raises(InboxFull, match=r"inbox of 'writer' is full: 2 messages wait.*'tell'"):
        inbox.put_nowait("c")
    assert inbox.take_nowait() == ["a", "b"]


async def test_a_full_inbox_makes_senders_wait_and_lets_them_in_first_come_first_served(
    autojump_clock: MockClock,
) -> None:
    inbox: Inbox[int] = Inbox("reader", 2)
    done_at: dict[int, float] = {}

    async def send(number: int) -> None:
        await inbox.put(number)
        done_at[number] = trio.current_time()

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(send, number)
            await wait_all_tasks_blocked()
        with pytest.raises(InboxFull):
            inbox.put_nowait(99)
        batches: list[list[int]] = []
        for _ in range(3):
            await pause(1)
            batches.append(await inbox.take())
    assert batches == [[0, 1], [2, 3], [4]]
    assert done_at == {0: 0, 1: 0, 2: 1, 3: 1, 4: 2}


async def test_take_before_returns_nothing_at_the_deadline_exactly(autojump_clock: MockClock) -> None:
    inbox: Inbox[int] = Inbox("reader", 2)
    assert await inbox.take_before(2.5) == []
    assert trio.current_time() == 2.5
    inbox.put_nowait(1)
    assert await inbox.take_before(-math.inf) == [1]
    assert await inbox.take_before(-math.inf) == []
    assert trio.current_time() == 2.5


async def test_take_before_returns_what_comes_before_the_deadline(autojump_clock: MockClock) -> None:
    inbox: Inbox[int] = Inbox("reader", 2)

    async def send() -> None:
        await pause(1)
        await inbox.put(7)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert await inbox.take_before(5) == [7]
    assert trio.current_time() == 1


async def test_wake_ends_take_before_early_but_not_take(autojump_clock: MockClock) -> None:
    inbox: Inbox[int] = Inbox("reader", 2)

    async def disturb() -> None:
        await pause(1)
        inbox.wake()
        await pause(1)
        inbox.wake()
        await pause(1)
        inbox.put_nowait(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(disturb)
        assert await inbox.take_before(math.inf) == []
        assert trio.current_time() == 1
        assert await inbox.take() == [1]
        assert trio.current_time() == 3


async def test_a_closed_inbox_gives_out_what_waits_and_then_says_so() -> None:
    inbox: Inbox[int] = Inbox("reader", 2)
    inbox.put_nowait(1)
    inbox.close()
    inbox.close()
    with pytest.raises(InboxClosed, match=r"'reader' has ended.*had no effect"):
        inbox.put_nowait(2)
    with pytest.raises(InboxClosed):
        await inbox.put(2)
    assert await inbox.take() == [1]
    with pytest.raises(InboxClosed):
        await inbox.take()
    with pytest.raises(InboxClosed):
        await inbox.take_before(0)


async def test_closing_wakes_those_who_wait_and_takes_none_of_their_messages() -> None:
    full: Inbox[int | None] = Inbox("full", 1)
    empty: Inbox[int] = Inbox("empty", 1)
    full.put_nowait(1)
    refused: list[str] = []

    async def send() -> None:
        try:
            await full.put(None)
        except InboxClosed:
            refused.append("sender")

    async def read() -> None:
        try:
            await empty.take()
        except InboxClosed:
            refused.append("reader")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        full.close()
        empty.close()
        assert full.take_nowait() == [1]
    assert sorted(refused) == ["reader", "sender"]
    assert full.take_nowait() == []


async def test_leaving_an_inbox_for_good_refuses_the_requests_that_nobody_took() -> None:
    reply: Reply[int] = Reply()
    with Inbox[Request[int] | str]("reader", 2) as inbox:
        inbox.put_nowait(Request(reply))
        inbox.put_nowait("wants no answer")
    with pytest.raises(InboxClosed):
        await reply.wait()


async def test_two_readers_are_a_mistake() -> None:
    inbox: Inbox[int] = Inbox("reader", 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbox.take)
        await wait_all_tasks_blocked()
        with pytest.raises(AssertionError, match="two readers"):
            await inbox.take()
        nursery.cancel_scope.cancel()


async def test_a_cancelled_caller_neither_puts_nor_takes() -> None:
    inbox: Inbox[int] = Inbox("reader", 2)
    inbox.put_nowait(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await inbox.put(2)
    assert scope.cancelled_caught
    with trio.CancelScope() as scope:
        scope.cancel()
        await inbox.take()
    assert scope.cancelled_caught
    assert inbox.take_nowait() == [1]


async def test_a_sender_who_never_waits_still_lets_the_reader_run() -> None:
    inbox: Inbox[int] = Inbox("reader", 8)
    received = 0

    async def read() -> None:
        nonlocal received
        while received < 100:
            batch = await inbox.take()
            assert len(batch) <= 8
            received += len(batch)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for number in range(100):
            await inbox.put(number)


class Ledger:
    """Who sent what for sure, and what came."""

    def __init__(self) -> None:
        self.sent: dict[int, list[int]] = {}
        self.received: dict[int, list[int]] = {}

    def receive(self, batch: list[tuple[int, int]], inbox: Inbox[tuple[int, int]]) -> None:
        assert len(batch) <= inbox.capacity
        assert len(inbox) <= inbox.capacity
        for sender, number in batch:
            self.received.setdefault(sender, []).append(number)

    def check(self) -> None:
        assert self.received == {sender: numbers for sender, numbers in self.sent.items() if numbers}


def test_a_sender_cancelled_at_any_step_leaves_exactly_what_it_was_told_it_left() -> None:
    async def scenario(arm: Arm) -> None:
        inbox: Inbox[tuple[int, int]] = Inbox("reader", 2)
        ledger = Ledger()
        scope = trio.CancelScope()

        async def send(sender: int, scope: trio.CancelScope) -> None:
            with scope:
                for number in range(4):
                    await inbox.put((sender, number))
                    ledger.sent.setdefault(sender, []).append(number)

        arm(scope.cancel)
        async with trio.open_nursery() as reading:
            async with trio.open_nursery() as nursery:
                for sender in range(3):
                    nursery.start_soon(send, sender, scope if sender == 1 else trio.CancelScope())
                reading.start_soon(_read_all, inbox, ledger)
            inbox.close()
        assert all(len(ledger.sent[sender]) == 4 for sender in (0, 2))
        ledger.check()

    assert len(list(at_every_step(scenario))) > 10


async def _read_all(inbox: Inbox[tuple[int, int]], ledger: Ledger) -> None:
    try:
        while True:
            ledger.receive(await inbox.take(), inbox)
    except InboxClosed:
        return


@pytest.mark.parametrize("bounded", [False, True])
def test_a_reader_cancelled_at_any_step_leaves_everything_to_the_next_one(bounded: bool) -> None:  # noqa: FBT001
    async def scenario(arm: Arm) -> None:
        inbox: Inbox[tuple[int, int]] = Inbox("reader", 2)
        ledger = Ledger()

        async def read(scope: trio.CancelScope) -> None:
            with scope:
                while len(ledger.received.get(0, ())) < 5:
                    took = await (inbox.take_before(trio.current_time() + 0.5) if bounded else inbox.take())
                    ledger.receive(took, inbox)

        async def send() -> None:
            for number in range(5):
                await inbox.put((0, number))
                ledger.sent.setdefault(0, []).append(number)
                if number % 2:
                    await pause(1)

        scope = trio.CancelScope()
        arm(scope.cancel)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await read(scope)
            await read(trio.CancelScope())
        ledger.check()

    assert len(list(at_every_step(scenario))) > 5


Put = tuple[Literal["put", "nowait"], int, int | None]
Take = tuple[Literal["take", "before", "nowait"], int, int | None]
delays = st.integers(0, 3)
puts = st.tuples(st.sampled_from(("put", "nowait")), delays, st.none() | delays)
takes = st.tuples(st.sampled_from(("take", "before", "nowait")), delays, st.none() | delays)


async def _send_all(inbox: Inbox[tuple[int, int]], ledger: Ledger, sender: int, script: list[Put]) -> None:
    for number, (kind, delay_s, cancel_after_s) in enumerate(script):
        await pause(delay_s)
        try:
            with trio.move_on_after(math.inf if cancel_after_s is None else cancel_after_s):
                if kind == "put":
                    await inbox.put((sender, number))
                else:
                    inbox.put_nowait((sender, number))
                ledger.sent.setdefault(sender, []).append(number)
        except InboxFull:
            assert len(inbox) == inbox.capacity


@given(
    capacity=st.integers(1, 4),
    senders=st.lists(st.lists(puts, max_size=8), min_size=1, max_size=4),
    reads=st.lists(takes, max_size=20),
)
def test_random_puts_takes_and_cancellations_lose_double_and_reorder_nothing(
    capacity: int, senders: list[list[Put]], reads: list[Take]
) -> None:
    async def scenario() -> None:
        inbox: Inbox[tuple[int, int]] = Inbox("reader", capacity)
        ledger = Ledger()

        async def read() -> None:
            with contextlib.suppress(InboxClosed):
                for kind, delay_s, cancel_after_s in reads:
                    await pause(delay_s)
                    if kind == "nowait":
                        ledger.receive(inbox.take_nowait(), inbox)
                        continue
                    with trio.move_on_after(5 if cancel_after_s is None else cancel_after_s):
                        deadline = trio.current_time() + (1 if kind == "before" else math.inf)
                        ledger.receive(await inbox.take_before(deadline), inbox)
            await _read_all(inbox, ledger)

        async with trio.open_nursery() as reading:
            reading.start_soon(read)
            async with trio.open_nursery() as nursery:
                for sender, script in enumerate(senders):
                    nursery.start_soon(_send_all, inbox, ledger, sender, script)
            inbox.close()
        ledger.check()

    run_virtual(scenario)
