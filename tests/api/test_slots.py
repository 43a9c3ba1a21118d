"""Answers that cross from one thread into another: each arrives, once, and wakes no more than it must."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio
from trio.testing import MockClock

import holdfast
from holdfast.loops import answer_of
from holdfast.slot import Mailbox, Slot

Loop = Callable[[Callable[[], Awaitable[None]]], None]

ROUNDS = 300
WHOSE: ContextVar[str] = ContextVar("WHOSE", default="nobody's")


def test_what_is_put_into_a_slot_first_counts() -> None:
    slot: Slot[int] = Slot()
    slot.fill(1)
    slot.fill(2)
    slot.spoil(ValueError("too late"))
    assert slot.result() == 1
    assert not slot.wanted


def test_who_waits_in_a_thread_without_a_loop_gives_up_after_a_while() -> None:
    slot: Slot[int] = Slot()
    assert slot.wanted
    with pytest.raises(TimeoutError):
        slot.result(0.001)
    assert not slot.wanted


def test_a_slot_that_another_thread_fills_at_any_moment_wakes_who_waits(loop: Loop) -> None:
    async def main() -> None:
        slots: list[Slot[int]] = [Slot() for _ in range(ROUNDS)]
        others: list[Slot[int]] = [Slot() for _ in range(ROUNDS)]

        def fill() -> None:
            for number, (slot, other) in enumerate(zip(slots, others, strict=True)):
                slot.fill(number)
                assert other.result(10) == number  # so that the two race anew each time

        filler = threading.Thread(target=fill)
        filler.start()
        for number, (slot, other) in enumerate(zip(slots, others, strict=True)):
            with anyio.fail_after(10):
                assert await answer_of(slot) == number
            other.fill(number)
        await anyio.to_thread.run_sync(filler.join)

    loop(main)


def test_who_is_cancelled_while_waiting_leaves_the_slot_and_is_not_woken_by_it(loop: Loop) -> None:
    async def main() -> None:
        slot: Slot[int] = Slot()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await answer_of(slot)
        assert scope.cancelled_caught
        assert not slot.wanted
        slot.fill(1)
        next_one: Slot[int] = Slot()
        next_one.spoil(ValueError("of its own"))
        with pytest.raises(ValueError, match="of its own"):
            await answer_of(next_one)
        for _ in range(3):
            await anyio.lowlevel.checkpoint()

    loop(main)


def test_ctrl_c_just_before_a_task_sleeps_does_no_harm_when_the_answer_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(_: object) -> None:
        await trio.lowlevel.checkpoint()
        raise KeyboardInterrupt

    async def main() -> None:
        slot: Slot[int] = Slot()
        with monkeypatch.context() as patch:
            patch.setattr(trio.lowlevel, "wait_task_rescheduled", interrupted)
            with pytest.raises(KeyboardInterrupt):
                await answer_of(slot)
        slot.fill(1)
        with trio.move_on_after(1) as sleep:
            await trio.Event().wait()
        assert sleep.cancelled_caught, "it was woken from another sleep"
        assert await answer_of(slot) == 1

    trio.run(main, clock=MockClock(autojump_threshold=0))


def test_a_mailbox_wakes_its_loop_once_for_all_that_gathers() -> None:
    posted: list[Callable[[], object]] = []
    box, done = Mailbox(posted.append), list[int]()
    for number in range(3):
        box.put(partial(done.append, number))
    assert len(posted) == 1
    posted.pop()()
    assert done == [0, 1, 2]


def test_what_comes_while_a_mailbox_is_emptied_wakes_its_loop_again_so_that_others_get_their_turn() -> None:
    posted: list[Callable[[], object]] = []
    box, done = Mailbox(posted.append), list[int]()

    def again() -> None:
        done.append(1)
        if len(done) < 3:
            box.put(again)

    box.put(again)
    for turns in (1, 2, 3):
        (turn,) = posted
        posted.clear()
        turn()
        assert len(done) == turns
    assert not posted


def test_a_mailbox_whose_loop_has_ended_says_so_each_time_and_keeps_the_calls() -> None:
    done: list[int] = []

    def post(_: Callable[[], object]) -> None:
        raise RuntimeError("ended")

    box = Mailbox(post)
    for number in range(2):
        assert not box.put(partial(done.append, number))
    box.empty()
    assert done == [0, 1]


def test_functions_find_the_context_variables_of_the_program_that_opened_holdfast(home: Path, loop: Loop) -> None:
    async def main() -> None:
        WHOSE.set("the program's")
        async with holdfast.open(home) as hf:

            @hf.function("whose")
            async def whose() -> str:
                found = WHOSE.get()
                WHOSE.set("an earlier call's")
                return found

            for _ in range(2):
                assert await (await hf.submit(whose.call())).result(str) == "the program's"

    loop(main)
