"""Supervision: order of start and stop, what a crash restarts and when, bounds, and cancellation at every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import trio
from msgspec import Struct
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast.actors.actor import Actor
from holdfast.actors.address import Address
from holdfast.actors.child import Child, actor_child, supervisor_child
from holdfast.actors.errors import ActorCrashed, RestartIntensityExceeded, StopOverdue
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Request
from holdfast.actors.restarts import RestartPolicy
from holdfast.actors.supervision import Strategy, Supervisor

from .stepping import AtStep, at_every_step, pause
from .test_restarts import Most

POLICY = RestartPolicy(max_restarts=3, window_s=60, backoff_base_s=1, backoff_cap_s=8)
ONE = Strategy.ONE_FOR_ONE
REST = Strategy.REST_FOR_ONE


class Crash(Struct, frozen=True):
    error: BaseException


class Work(Struct, frozen=True):
    seconds: float


class Ping(Request[str], frozen=True):
    """Asks whether anybody is there."""


class Relay(Struct, frozen=True):
    """Ask somebody else, and wait for the answer."""

    whom: Address[Ping]


Message = Crash | Work | Ping | Relay


class Broken(Exception):
    """Stands for a defect."""


class Worker(Actor[Message]):
    """Notes in `world` when what happened to it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    async def opened(self) -> None:
        await pause(self._world.open_s.get(self._name, 0))
        if self._world.cannot_open.get(self._name, 0):
            self._world.cannot_open[self._name] -= 1
            raise Broken(f"{self._name} can't open")
        self._world.note(f"+{self._name}")

    async def closed(self) -> None:
        await pause(self._world.close_s.get(self._name, 0))
        self._world.note(f"-{self._name}")

    async def handle(self, batch: Sequence[Message]) -> None:
        for message in batch:
            match message:
                case Crash(error):
                    raise error
                case Work(seconds):
                    await pause(seconds)
                    self._world.note(f"{self._name} worked")
                case Ping(reply):
                    reply.send(self._name)
                case Relay(whom):
                    await whom.ask(Ping)


class World:
    """Three workers a, b, c and what happened to them, as `time +name` and `time -name`."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.crashes: list[tuple[str, type[Exception], int]] = []
        self.inboxes: dict[str, Inbox[Message]] = {name: Inbox(name, 10) for name in "abc"}
        self.open_s: dict[str, float] = {}
        self.close_s: dict[str, float] = {}
        self.cannot_open: dict[str, int] = {}

    def note(self, what: str) -> None:
        self.history.append(f"{trio.current_time():g} {what}")

    def take_history(self) -> list[str]:
        history, self.history = self.history, []
        return history

    def on_crash(self, name: str, error: Exception, crashes: int) -> None:
        self.crashes.append((name, type(error), crashes))

    def child(self, name: str, stop_bound_s: float = 10) -> Child:
        return actor_child(lambda: Worker(self, name), self.inboxes[name], stop_bound_s=stop_bound_s)

    def supervisor(
        self, strategy: Strategy, children: Sequence[Child] | None = None, policy: RestartPolicy = POLICY
    ) -> Supervisor:
        chosen = children or [self.child(name) for name in "abc"]
        return Supervisor(chosen, strategy=strategy, policy=policy, random=Most(), on_crash=self.on_crash)

    def tell(self, name: str, message: Message) -> None:
        self.inboxes[name].put_nowait(message)


@pytest.fixture
def world() -> World:
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
    assert world.history[-2:] == ["2 -c", "2 -a"]
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
