"""Requests on their way to the supervisor: at once where it has room, in the order of their coming, none lost."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from holdfast.engine import Closed
from holdfast.events.messages import AskStatus, Refusal, Status
from holdfast.requests import Pending, Requests
from holdfast.slot import Slot


def pending() -> Pending:
    return Pending(AskStatus(), Slot())


def test_a_request_goes_at_once_to_who_receives_them() -> None:
    requests, received, first = Requests(), list[Pending](), pending()

    def receive(one: Pending) -> bool:
        received.append(one)
        return True

    with requests.handed_to(receive):
        requests.put(first)
    requests.put(pending())  # it has left
    assert received == [first]


async def test_what_comes_while_there_is_no_room_waits_and_none_overtakes_it() -> None:
    requests, received, freed = Requests(), list[Pending](), trio.Condition()
    sent = [pending() for _ in range(4)]
    room = 1

    def receive(one: Pending) -> bool:
        if len(received) < room:
            received.append(one)
        return one in received

    async def tell(one: Pending) -> None:
        assert one in sent
        async with freed:
            while not receive(one):
                await freed.wait()

    with requests.handed_to(receive), trio.fail_after(1):
        for one in sent[:3]:
            requests.put(one)
        room = 2
        requests.put(sent[3])  # there would be room for it, but not for those before it
        assert received == sent[:1]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(requests.hand_on, tell)
            await wait_all_tasks_blocked()
            assert received == sent[:2]  # the next one is in hand, and waits for room
            room = 9
            sent.append(pending())
            requests.put(sent[4])
            assert received == sent[:2]
            async with freed:
                freed.notify()
            await wait_all_tasks_blocked()
            assert received == sent
            nursery.cancel_scope.cancel()


async def test_one_in_hand_when_a_supervisor_leaves_is_the_first_for_the_next() -> None:
    requests, sent = Requests(), [pending() for _ in range(3)]

    async def tell(_: Pending) -> None:
        await trio.sleep_forever()

    for one in sent:
        requests.put(one)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(requests.hand_on, tell)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with trio.fail_after(1):
        assert [await requests.take() for _ in sent] == sent


async def test_one_that_nobody_wants_any_more_is_not_handed_on() -> None:
    requests, left, wanted = Requests(), pending(), pending()
    requests.put(left)
    requests.put(wanted)
    left.answer.leave()
    assert await requests.take() is wanted


def test_one_whose_caller_was_cancelled_before_it_came_is_not_received() -> None:
    requests, left, wanted, received = Requests(), pending(), pending(), list[Pending]()
    left.answer.leave()

    def receive(one: Pending) -> bool:
        received.append(one)
        return True

    with requests.handed_to(receive):
        requests.put(left)
        requests.put(wanted)
    assert received == [wanted]


def test_an_answer_reaches_who_asked_and_a_refusal_or_an_error_is_raised_there() -> None:
    answered, refused, failed, closed = pending(), pending(), pending(), pending()
    status = Status(1, "0", {}, 0)
    answered.send(status)
    assert answered.answer.result() is status
    refused.send(Refusal("no such job", 2))
    with pytest.raises(Exception, match="no such job"):
        refused.answer.result()
    failed.fail(KeyError("crashed"))
    with pytest.raises(KeyError):
        failed.answer.result()
    requests = Requests()
    requests.put(closed)
    requests.fail(Closed)
    with pytest.raises(Closed):
        closed.answer.result()
