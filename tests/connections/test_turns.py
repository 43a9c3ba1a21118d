"""Turns at connecting, on a machine so busy that who asks for one gives up before the limiter comes to answer."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from holdfast.actors.address import Address
from holdfast.actors.connections.turns import Turns
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import Limiter, LimiterMessage, Restore
from holdfast.actors.reply import Reply
from tests.simulation.clocks import WallClock


async def test_a_turn_for_who_has_gone_is_given_to_nobody_and_a_gateway_is_never_shut(
    autojump_clock: MockClock,
) -> None:
    inbox = Inbox[LimiterMessage]("limiter", 100)
    limiter = Address[LimiterMessage](inbox)
    turns = Turns(limiter, WallClock())
    await limiter.tell(Restore(Reply(), {}, (), {}))
    with trio.move_on_after(30.0) as waiting:
        async with turns.turn("gate"):
            pytest.fail("nobody gives turns yet")
    assert waiting.cancelled_caught
    assert len(inbox) > 4, "it has asked again and again"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Limiter().run, inbox)
        with trio.fail_after(10.0):
            async with turns.turn("gate"), turns.turn("gate"):
                pass
        nursery.cancel_scope.cancel()
    del autojump_clock
