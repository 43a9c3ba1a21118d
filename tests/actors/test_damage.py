"""A child that crashes because what it read is damaged: nothing is started anew, and all end in order."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from holdfast.actors.supervision import Strategy
from holdfast.events.errors import Damaged

from .workers import Crash, World


@pytest.mark.parametrize("strategy", Strategy)
async def test_p8_damage_ends_all_children_at_once_with_its_own_words(
    strategy: Strategy, autojump_clock: MockClock
) -> None:
    world = World()
    supervisor = world.supervisor(strategy)
    # A supervisor that went on would never end by itself.
    with pytest.RaisesGroup(pytest.RaisesExc(Damaged, match="the log has lost its end")):
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                await nursery.start(supervisor.run)
                world.take_history()
                world.tell("b", Crash(Damaged("the log has lost its end")))
    assert world.history == ["0 -b", "0 -c", "0 -a"]
    assert world.crashes == [("b", Damaged, 0)]
