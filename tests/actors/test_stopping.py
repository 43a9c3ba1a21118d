"""Stopping a supervisor: in order, within bounds, whatever ends it, and at every step of whatever it is doing."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast.actors.errors import StopOverdue
from holdfast.actors.supervision import Strategy, Supervisor

from .stepping import AtStep, at_every_step, pause
from .workers import POLICY, Broken, Crash, Most, Work, World

ONE = Strategy.ONE_FOR_ONE
REST = Strategy.REST_FOR_ONE


@pytest.fixture(name="world")
def fresh_world() -> World:
    return World()


async def test_stop_waits_for_the_work_in_hand_but_no_longer_than_the_bound(
    world: World, autojump_clock: MockClock
) -> None:
    world.close_s = {"b": 1}
    supervisor = world.supervisor(ONE, [world.child("a", 10), world.child("b", 3), world.child("c", 10)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.tell("b", Work(100))
        world.tell("c", Work(2))
        await wait_all_tasks_blocked()
        supervisor.stop()
    assert world.history == ["2 c worked", "2 -c", "6 -b", "6 -a"]
    assert world.crashes == [("b", StopOverdue, 0)]


async def test_stop_during_a_back_off_starts_nothing_any_more(world: World, autojump_clock: MockClock) -> None:
    supervisor = world.supervisor(ONE)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.tell("a", Crash(Broken()))
        await pause(0.5)
        supervisor.stop()
    assert trio.current_time() == 0.5
    assert world.history == ["0 -a", "0.5 -c", "0.5 -b"]


async def test_a_supervisor_stopped_before_it_runs_starts_nothing(world: World, autojump_clock: MockClock) -> None:
    supervisor = world.supervisor(ONE)
    supervisor.stop()
    await supervisor.run()
    assert world.history == []


async def test_cancelling_a_supervisor_cancels_its_children_one_by_one_in_reverse_order(
    world: World, autojump_clock: MockClock
) -> None:
    world.close_s = {"a": 1, "b": 1, "c": 1}
    with trio.move_on_after(5) as scope:
        world.tell("b", Work(100))
        await world.supervisor(REST).run()
    assert scope.cancelled_caught
    assert world.history == ["0 +a", "0 +b", "0 +c", "6 -c", "7 -b", "8 -a"]


async def test_cancelling_cuts_an_ordered_stop_short(world: World, autojump_clock: MockClock) -> None:
    supervisor = world.supervisor(ONE, [world.child("a", math.inf)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.tell("a", Work(1000))
        await wait_all_tasks_blocked()
        supervisor.stop()
        await pause(2)
        nursery.cancel_scope.cancel()
    assert trio.current_time() == 2
    assert world.history == ["0 +a", "2 -a"]


async def test_a_supervisor_returns_when_all_children_have_finished(world: World, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(world.supervisor(REST).run)
        for seconds, name in enumerate("bac"):
            await pause(seconds)
            world.inboxes[name].close()
    assert world.history == ["0 +a", "0 +b", "0 +c", "0 -b", "1 -a", "3 -c"]
    assert world.crashes == []


async def test_a_crash_while_stopping_is_told_and_does_not_keep_the_others_running(
    world: World, autojump_clock: MockClock
) -> None:
    supervisor = world.supervisor(ONE)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        world.take_history()
        world.tell("b", Crash(Broken()))
        supervisor.stop()
    assert sorted(world.history) == ["0 -a", "0 -b", "0 -c"]
    assert world.crashes == [("b", Broken, 0)]


async def test_a_keyboard_interrupt_in_a_child_ends_all_in_order_and_passes_through(
    world: World, autojump_clock: MockClock
) -> None:
    world.open_s = {"c": 1}
    world.tell("b", Crash(KeyboardInterrupt()))
    with pytest.raises(BaseExceptionGroup) as caught:
        await world.supervisor(ONE).run()
    assert caught.group_contains(KeyboardInterrupt)
    assert world.history == ["0 +a", "0 +b", "0 -b", "0 -a"]
    assert world.crashes == []


async def test_an_observer_that_fails_ends_the_supervisor_and_its_children(
    world: World, autojump_clock: MockClock
) -> None:
    def refuse(name: str, error: Exception, crashes: int) -> None:
        raise Broken(f"no place to write down crash {crashes} of {name}: {error}")

    children = [world.child(name) for name in "abc"]
    supervisor = Supervisor(children, strategy=ONE, policy=POLICY, random=Most(), on_crash=refuse)
    world.tell("a", Crash(Broken("x")))
    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.run()
    assert caught.group_contains(Broken, match="no place to write down")
    opened = {entry[-1] for entry in world.history if "+" in entry}
    assert {entry[-1] for entry in world.history if "-" in entry} == opened


async def test_an_observer_that_keeps_failing_while_all_stop_leaves_no_child_running(
    world: World, autojump_clock: MockClock
) -> None:
    def refuse(name: str, error: Exception, crashes: int) -> None:
        raise Broken(f"no place to write down crash {crashes} of {name}: {error}")

    children = [world.child(name) for name in "abc"]
    supervisor = Supervisor(children, strategy=ONE, policy=POLICY, random=Most(), on_crash=refuse)

    async def run() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await supervisor.run()
        assert caught.group_contains(Broken, match="crash 0 of b")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await pause(1)
        world.tell("b", Crash(Broken("x")))
        world.tell("c", Crash(Broken("x")))
        supervisor.stop()
    assert sorted(entry[-2:] for entry in world.history) == ["+a", "+b", "+c", "-a", "-b", "-c"]


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("how", ["cancel", "stop"])
def test_ended_at_any_step_every_opened_child_is_closed_in_order_and_no_task_is_left(
    strategy: Strategy, how: str
) -> None:
    async def scenario(arm: Callable[[Callable[[], object]], AtStep]) -> None:
        world = World()
        world.open_s = {"b": 1}
        world.close_s = {"a": 1, "c": 1}
        world.cannot_open = {"c": 1}
        scope = trio.CancelScope()
        supervisor = world.supervisor(strategy)
        before: list[tuple[int, int]] = []

        def end() -> None:
            before.append((len(world.history), len(world.crashes)))
            (scope.cancel if how == "cancel" else supervisor.stop)()

        arm(end)
        with scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(supervisor.run)
                await pause(3)
                world.tell("b", Crash(Broken()))
                world.tell("a", Work(1))
                await pause(9)
                world.tell("a", Crash(Broken()))
                await pause(9)
                supervisor.stop()
        assert trio.current_time() <= 30
        open_now: list[str] = []
        for entry in world.history:
            name = entry[-1]
            if "+" in entry:
                assert name not in open_now
                open_now.append(name)
            elif "-" in entry:
                open_now.remove(name)
        assert open_now == []
        for happened, crashed in before:
            on_their_own = {name for name, _, _ in world.crashes[crashed:]}
            closed = [entry[-1] for entry in world.history[happened:] if "-" in entry]
            in_order = [name for name in closed if name not in on_their_own]
            assert in_order == sorted(in_order, reverse=True)

    assert len(list(at_every_step(scenario))) > 30
