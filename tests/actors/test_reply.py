"""Replies: one answer, to one asker, who may have gone."""

from __future__ import annotations

import pytest
import trio
from msgspec import Struct
from trio.testing import wait_all_tasks_blocked

from holdfast.actors.address import Address
from holdfast.actors.errors import ActorStopped, InboxClosed
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Owed, Reply, Request, reply_of


class Double(Request[int], frozen=True):
    number: int


class Note(Struct, frozen=True):
    text: str


async def test_an_answer_reaches_an_asker_who_waits_and_one_who_comes_later() -> None:
    early: Reply[int] = Reply()
    late: Reply[int | None] = Reply()
    late.send(None)
    assert await late.wait() is None
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            assert await early.wait() == 5

        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        early.send(5)


async def test_a_failure_is_raised_where_the_asker_waits() -> None:
    reply: Reply[int] = Reply()
    reply.fail(InboxClosed("x"))
    with pytest.raises(InboxClosed):
        await reply.wait()


async def test_answering_twice_is_a_mistake() -> None:
    reply: Reply[int] = Reply()
    reply.send(1)
    with pytest.raises(AssertionError, match="answered before"):
        reply.send(2)
    with pytest.raises(AssertionError, match="answered before"):
        reply.fail(InboxClosed("x"))
    assert await reply.wait() == 1


async def test_an_answer_that_is_there_is_handed_over_also_to_who_is_cancelled() -> None:
    reply: Reply[int] = Reply()
    reply.send(5)
    with trio.move_on_after(0):
        assert await reply.wait() == 5
        return
    pytest.fail("what it was given is lost")


async def test_answering_an_asker_who_was_cancelled_is_harmless() -> None:
    reply: Reply[int] = Reply()
    pending = [reply.pending]
    with trio.move_on_after(0):
        await reply.wait()
    pending.append(reply.pending)
    reply.send(1)
    assert pending == [True, False]
    assert reply.answered


async def test_two_askers_for_one_answer_are_a_mistake() -> None:
    reply: Reply[int] = Reply()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reply.wait)
        await wait_all_tasks_blocked()
        with pytest.raises(AssertionError, match="two tasks"):
            await reply.wait()
        reply.send(1)


async def test_ask_sends_a_request_and_returns_its_answer() -> None:
    inbox: Inbox[Double | Note] = Inbox("doubler", 4)
    address = Address(inbox)

    async def serve() -> None:
        for message in await inbox.take():
            match message:
                case Double(reply, number):
                    reply.send(2 * number)
                case Note():
                    pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await address.tell(Note("first"))
        address.tell_nowait(Note("second"))
        assert await address.ask(Double, 21) == 42
    assert address.name == "doubler"


async def test_asking_with_a_message_that_cannot_answer_is_a_mistake() -> None:
    inbox: Inbox[Note] = Inbox("deaf", 4)

    def make(reply: Reply[int]) -> Note:
        assert reply.pending
        return Note("no slot")

    with pytest.raises(AssertionError, match="must be a Request"):
        await Address(inbox).ask(make)
    assert len(inbox) == 0


async def test_an_asker_cancelled_while_it_waits_for_room_has_asked_nothing() -> None:
    inbox: Inbox[Double | Note] = Inbox("busy", 1)
    inbox.put_nowait(Note("in the way"))
    with trio.move_on_after(0):
        await Address(inbox).ask(Double, number=1)
    assert inbox.take_nowait() == [Note("in the way")]
    assert inbox.take_nowait() == []


def test_only_requests_have_a_reply() -> None:
    reply: Reply[int] = Reply()
    assert reply_of(Double(reply, 1)) is reply
    assert reply_of(Note("")) is None


async def test_what_is_owed_is_failed_once_and_each_asker_gets_an_error_of_its_own() -> None:
    owed = Owed()
    replies: list[Reply[int]] = [Reply() for _ in range(3)]
    owed.add(Double(reply, 1) for reply in replies)
    replies[0].send(7)
    owed.fail(lambda: ActorStopped("doubler"))
    owed.fail(lambda: ActorStopped("doubler"))
    assert await replies[0].wait() == 7
    errors: list[ActorStopped] = []
    for reply in replies[1:]:
        with pytest.raises(ActorStopped, match="may or may not have taken effect") as caught:
            await reply.wait()
        errors.append(caught.value)
    assert errors[0] is not errors[1]


def test_what_is_owed_takes_memory_for_pending_replies_only() -> None:
    owed = Owed()
    kept: Reply[int] = Reply()
    owed.add([Double(kept, 0)])
    for number in range(10_000):
        reply: Reply[int] = Reply()
        owed.add([Double(reply, number)])
        reply.send(number)
        assert len(owed) <= 65
    owed.fail(lambda: ActorStopped("doubler"))
    assert kept.answered
