"""The limiter begins when a scheduler tells it what the log says; what was meant for the one before it is dropped."""

from __future__ import annotations

import trio

from holdfast.actors.address import Address
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import CONNECT, Acquire, Limiter, LimiterMessage, Release, Restore, SetLimit
from holdfast.events.limits import Denial, Grant
from holdfast.events.spec import LimitSpec

from .stepping import run_virtual

ONE = LimitSpec(concurrent=1)


def test_what_a_crashed_limiter_left_in_its_inbox_does_not_touch_the_one_after_it() -> None:
    async def scenario() -> list[Grant | Denial]:
        inbox = Inbox[LimiterMessage]("limiter", 10)
        limiter = Address[LimiterMessage](inbox)
        with trio.move_on_after(1.0):
            await limiter.ask(Acquire, [("seats",)], 0)
        await limiter.tell(SetLimit("seats", LimitSpec(concurrent=5), {}))
        await limiter.tell(Release([("seats",), ("seats",)]))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Limiter().run, inbox)
            await limiter.ask(Restore, {"seats": ONE}, ["seats"], {})
            before = await limiter.ask(Acquire, [("seats",)], 0)
            await limiter.tell(Release([("seats",)]))
            after = await limiter.ask(Acquire, [("seats",), ("seats",)], 0)
            nursery.cancel_scope.cancel()
        return before + after

    assert run_virtual(scenario) == [Denial("seats", None), Grant({}), Denial("seats", None)]


GATE, OTHER = (f"{CONNECT}:gate",), (f"{CONNECT}:other",)


def test_turns_at_connecting_are_counted_by_gateway_beside_the_limits_of_users() -> None:
    async def scenario() -> list[Grant | Denial]:
        inbox = Inbox[LimiterMessage]("limiter", 10)
        limiter = Address[LimiterMessage](inbox)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Limiter().run, inbox)
            await limiter.ask(Restore, {CONNECT: ONE}, [], {})
            first = await limiter.ask(Acquire, [GATE, GATE, GATE, OTHER], 0)
            await limiter.tell(Release([GATE]))
            second = await limiter.ask(Acquire, [GATE], 0)
            nursery.cancel_scope.cancel()
        return first + second

    first, second, third, elsewhere, after = run_virtual(scenario)
    assert [isinstance(each, Grant) for each in (first, second, third, elsewhere, after)] == [1, 1, 0, 1, 1]


def test_a_turn_that_a_crashed_limiter_gave_is_given_back_to_the_next_without_harm() -> None:
    async def scenario() -> Grant | Denial:
        inbox = Inbox[LimiterMessage]("limiter", 10)
        limiter = Address[LimiterMessage](inbox)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Limiter().run, inbox)
            await limiter.ask(Restore, {}, [], {})
            await limiter.tell(Release([GATE]))
            (answer,) = await limiter.ask(Acquire, [GATE], 0)
            nursery.cancel_scope.cancel()
        return answer

    assert isinstance(run_virtual(scenario), Grant)
