"""Supervision: the order of starts, and what a crash restarts and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast.actors.address import Address
from holdfast.actors.child import actor_child, supervisor_child
from holdfast.actors.errors import ActorCrashed, RestartIntensityExceeded
from holdfast.actors.restarts import RestartPolicy
from holdfast.actors.supervision import Strategy, Supervisor

from .stepping import pause
from .workers import Broken, Crash, Message, Ping, Relay, Worker, World

ONE = Strategy.ONE_FOR_ONE
REST = Strategy.REST_FOR_ONE


@pytest.fixture(name="world")
def fresh_world() -> World:
    return World()


@pytest.mark.parametrize("strategy", Strategy)
async def test_children_start_in_order_each_when_the_one_before_it_serves_and_stop_in_reverse_order(
    strategy: Strategy, world: World, autojump_clock: MockClock
) -> None:
    world.open_s = {"a": 3, "b": 2}
    world.close_s = {"c": 1, "b": 1}
    supervisor = world.supervisor(strategy)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        assert world.take_history() == ["3 +a", "5 +b", "5 +c"]
        await pause(5)
        supervisor.stop()
    assert world.history == ["11 -c", "12 -b", "12 -a"]
    assert world.crashes == []


async def test_one_for_one_restarts_the_crashed_child_alone_after_its_back_off(
    world: World, autojump_clock: MockClock
) -> None:
    supervisor = world.supervisor(ONE)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.tell("b", Crash(Broken()))
        await pause(10)
        world.tell("b", Crash(Broken()))
        await pause(10)
        assert world.take_history() == ["0 -b", "1 +b", "10 -b", "12 +b"]
        supervisor.stop()
    assert world.crashes == [("b", Broken, 1), ("b", Broken, 2)]


async def test_rest_for_one_restarts_those_after_the_crashed_child_too_in_order(
    world: World, autojump_clock: MockClock
) -> None:
    world.open_s = {"b": 2}
    world.close_s = {"c": 1}
    supervisor = world.supervisor(REST)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.tell("b", Crash(Broken()))
        await pause(10)
        # 2: the crash; 3: c has closed; 4: back-off of 1 s; 6: b has opened.
        assert world.take_history() == ["2 -b", "3 -c", "6 +b", "6 +c"]
        supervisor.stop()
    assert world.crashes == [("b", Broken, 1)]


async def test_rest_for_one_does_not_wait_for_a_child_that_waits_for_the_crashed_one(
    world: World, autojump_clock: MockClock
) -> None:
    supervisor = world.supervisor(REST)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.close_s = {"a": 2}
        world.tell("a", Crash(Broken()))
        await pause(1)
        world.tell("b", Relay(Address(world.inboxes["a"])))
        await pause(20)
        assert world.take_history() == ["2 -a", "2 -c", "2 -b", "3 +a", "3 +b", "3 +c"]
        assert world.crashes == [("a", Broken, 1)]
        supervisor.stop()


async def test_messages_wait_for_the_restart_and_an_asker_does_not_notice_it(
    world: World, autojump_clock: MockClock
) -> None:
    supervisor = world.supervisor(ONE)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.tell("a", Crash(Broken()))
        await wait_all_tasks_blocked()
        assert await Address(world.inboxes["a"]).ask(Ping) == "a"
        assert trio.current_time() == 1
        supervisor.stop()


async def test_an_asker_whose_request_was_in_hand_hears_of_the_crash(world: World, autojump_clock: MockClock) -> None:
    supervisor = world.supervisor(ONE)
    world.tell("a", Crash(Broken()))
    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            with pytest.raises(ActorCrashed):
                await Address(world.inboxes["a"]).ask(Ping)
            assert trio.current_time() == 0

        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        await nursery.start(supervisor.run)
        supervisor.stop()


async def test_a_child_whose_maker_or_opening_fails_is_tried_again(world: World, autojump_clock: MockClock) -> None:
    world.cannot_open = {"b": 2}
    made = 0

    def make() -> Worker:
        nonlocal made
        made += 1
        if made == 1:
            raise Broken("can't be made")
        return Worker(world, "a")

    children = [actor_child(make, world.inboxes["a"]), world.child("b"), world.child("c")]
    supervisor = world.supervisor(REST, children)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        assert world.take_history() == ["1 +a", "4 +b", "4 +c"]
        supervisor.stop()
    assert world.crashes == [("a", Broken, 1), ("b", Broken, 1), ("b", Broken, 2)]


async def test_in_one_for_one_a_child_that_cannot_open_delays_no_other(world: World, autojump_clock: MockClock) -> None:
    world.cannot_open = {"a": 2}
    supervisor = world.supervisor(ONE)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        await pause(5)
        assert world.take_history() == ["0 +b", "0 +c", "3 +a"]
        supervisor.stop()


async def test_back_off_of_one_child_delays_no_other(world: World, autojump_clock: MockClock) -> None:
    policy = RestartPolicy(max_restarts=9, window_s=60, backoff_base_s=4, backoff_cap_s=4)
    supervisor = world.supervisor(ONE, policy=policy)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.tell("a", Crash(Broken()))
        await pause(1)
        world.tell("b", Crash(Broken()))
        await pause(9)
        assert world.take_history() == ["0 -a", "1 -b", "4 +a", "5 +b"]
        supervisor.stop()


@pytest.mark.parametrize("strategy", Strategy)
async def test_too_many_crashes_end_the_supervisor_with_the_last_one_as_cause(
    strategy: Strategy, world: World, autojump_clock: MockClock
) -> None:
    policy = RestartPolicy(max_restarts=2, window_s=60, backoff_base_s=1, backoff_cap_s=1)
    for number in range(3):
        world.tell("b", Crash(Broken(str(number))))

    class OneByOne(Worker):
        async def handle(self, batch: Sequence[Message]) -> None:
            for message in batch[1:]:
                world.tell("b", message)
            await super().handle(batch[:1])

    children = [world.child("a"), actor_child(lambda: OneByOne(world, "b"), world.inboxes["b"]), world.child("c")]
    with pytest.raises(RestartIntensityExceeded, match=r"'b' crashed.*more than 2 times within 60 s") as caught:
        await world.supervisor(strategy, children, policy).run()
    assert isinstance(caught.value.__cause__, Broken)
    assert str(caught.value.__cause__) == "2"
    assert trio.current_time() == 2
    assert world.history[-1] == "2 -a"
    assert sorted(entry[-2:] for entry in world.history if "+" in entry) == sorted(
        entry[-2:].replace("-", "+") for entry in world.history if "-" in entry
    )
    assert world.crashes == [("b", Broken, 1), ("b", Broken, 2), ("b", Broken, 3)]


async def test_crashes_outside_the_window_are_forgiven(world: World, autojump_clock: MockClock) -> None:
    policy = RestartPolicy(max_restarts=1, window_s=10, backoff_base_s=1, backoff_cap_s=1)
    supervisor = world.supervisor(ONE, policy=policy)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        for _ in range(5):
            world.tell("a", Crash(Broken()))
            await pause(10)
        supervisor.stop()
    assert world.crashes == [("a", Broken, 1)] * 5


async def test_a_supervisor_is_a_child_and_its_failure_is_a_crash(world: World, autojump_clock: MockClock) -> None:
    no_restarts = RestartPolicy(max_restarts=0)

    def inner() -> Supervisor:
        return world.supervisor(ONE, [world.child("b"), world.child("c")], no_restarts)

    outer = world.supervisor(REST, [world.child("a"), supervisor_child("inner", inner)])
    async with trio.open_nursery() as nursery:
        await nursery.start(outer.run)
        assert world.take_history() == ["0 +a", "0 +b", "0 +c"]
        world.tell("b", Crash(Broken()))
        await pause(5)
        assert world.take_history() == ["0 -b", "0 -c", "1 +b", "1 +c"]
        world.close_s = {"c": 1, "b": 1}
        outer.stop()
    assert world.history == ["6 -c", "7 -b", "7 -a"]
    assert world.crashes == [("b", Broken, 1), ("inner", RestartIntensityExceeded, 1)]
