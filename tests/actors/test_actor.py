"""The actor's loop: opening, batches, deadlines, stopping, and what askers hear when it ends with requests in hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import trio
from msgspec import Struct
from trio.testing import MockClock, wait_all_tasks_blocked

from holdfast.actors.actor import Actor
from holdfast.actors.address import Address
from holdfast.actors.errors import ActorCrashed, ActorStopped, StopOverdue
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Reply, Request

from .stepping import AtStep, at_every_step, pause


class Add(Struct, frozen=True):
    number: int


class Total(Request[int], frozen=True):
    """Asks for the sum."""


class Later(Request[int], frozen=True):
    """Asks for the sum that there will be when somebody asks for the total."""


class Crash(Struct, frozen=True):
    error: BaseException


class Work(Struct, frozen=True):
    seconds: float


Message = Add | Total | Later | Crash | Work


class Adder(Actor[Message]):
    """Adds, and notes in `history` when what happened to it."""

    def __init__(self, history: list[str], *, alarm_at: float = math.inf, close_s: float = 0) -> None:
        self.history = history
        self._sum = 0
        self._alarm_at = alarm_at
        self._close_s = close_s
        self._later: list[Reply[int]] = []

    def _note(self, what: str) -> None:
        self.history.append(f"{trio.current_time():g} {what}")

    async def opened(self) -> None:
        await trio.lowlevel.checkpoint()
        self._note("opened")

    async def closed(self) -> None:
        self._note("closing")
        await pause(self._close_s)
        self._note("closed")

    def deadline(self) -> float:
        return self._alarm_at

    async def handle(self, batch: Sequence[Message]) -> None:
        if trio.current_time() >= self._alarm_at:
            self._note("alarm")
            self._alarm_at = math.inf
        elif not batch:
            self._note("ticked for nothing")
        for message in batch:
            match message:
                case Add(number):
                    self._sum += number
                case Total(reply):
                    for later in self._later:
                        later.send(self._sum)
                    self._later.clear()
                    reply.send(self._sum)
                case Later(reply):
                    self._later.append(reply)
                case Crash(error):
                    raise error
                case Work(seconds):
                    await pause(seconds)
                    self._note("worked")


class Broken(Exception):
    """Stands for a defect."""


def adder() -> tuple[Inbox[Message], Address[Message], list[str]]:
    inbox: Inbox[Message] = Inbox("adder", 10)
    return inbox, Address(inbox), []


async def test_an_actor_opens_answers_and_closes_when_its_inbox_does(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    async with trio.open_nursery() as nursery:
        await nursery.start(Adder(history).run, inbox)
        assert history == ["0 opened"]
        await address.tell(Add(2))
        await address.tell(Add(3))
        assert await address.ask(Total) == 5
        inbox.close()
    assert history == ["0 opened", "0 closing", "0 closed"]


async def test_an_actor_that_cannot_open_takes_no_message_and_is_not_closed(autojump_clock: MockClock) -> None:
    class Shut(Adder):
        async def opened(self) -> None:
            raise Broken

    inbox, address, history = adder()
    await address.tell(Add(1))
    with pytest.raises(Broken):
        await Shut(history).run(inbox)
    assert history == []
    assert inbox.take_nowait() == [Add(1)]


async def test_the_deadline_calls_handle_without_messages_at_its_time_exactly(autojump_clock: MockClock) -> None:
    inbox, _, history = adder()
    async with trio.open_nursery() as nursery:
        await nursery.start(Adder(history, alarm_at=2.5).run, inbox)
        await pause(10)
        inbox.close()
    assert history == ["0 opened", "2.5 alarm", "10 closing", "10 closed"]


async def test_a_message_before_the_deadline_does_not_put_it_off(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    async with trio.open_nursery() as nursery:
        await nursery.start(Adder(history, alarm_at=2.5).run, inbox)
        await pause(2)
        assert await address.ask(Total) == 0
        await pause(2)
        inbox.close()
    assert "2.5 alarm" in history


async def test_stop_lets_the_actor_finish_the_batch_in_hand_and_leaves_the_rest(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    actor = Adder(history)
    async with trio.open_nursery() as nursery:
        await nursery.start(actor.run, inbox)
        await address.tell(Work(5))
        await wait_all_tasks_blocked()
        await address.tell(Add(1))
        actor.stop(inbox)
        assert actor.stopping
    assert history == ["0 opened", "5 worked", "5 closing", "5 closed"]
    assert inbox.take_nowait() == [Add(1)]


async def test_stop_ends_an_idle_actor_at_once_without_a_tick(autojump_clock: MockClock) -> None:
    inbox, _, history = adder()
    actor = Adder(history, alarm_at=7)
    async with trio.open_nursery() as nursery:
        await nursery.start(actor.run, inbox)
        await pause(1)
        actor.stop(inbox)
    assert history == ["0 opened", "1 closing", "1 closed"]


async def _ask(make: Callable[[Reply[int]], Message], address: Address[Message], heard: list[int | Exception]) -> None:
    try:
        answer = await address.ask(make)
        heard.append(answer)
    except (ActorCrashed, ActorStopped) as error:
        heard.append(error)


async def test_askers_in_the_batch_of_a_crash_hear_that_the_outcome_is_unknown(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    heard: list[int | Exception] = []
    defect = Broken("a defect")
    async with trio.open_nursery() as asking:
        asking.start_soon(_ask, Total, address, heard)
        await wait_all_tasks_blocked()
        inbox.put_nowait(Crash(defect))
        asking.start_soon(_ask, Total, address, heard)
        await wait_all_tasks_blocked()
        with pytest.raises(Broken, match="a defect"):
            await Adder(history).run(inbox)
    assert heard[0] == 0
    crash = heard[1]
    assert isinstance(crash, ActorCrashed)
    assert str(crash).startswith("'adder' crashed before it answered; the request may or may not have taken effect.")
    assert crash.__cause__ is defect
    assert history == ["0 opened", "0 closing", "0 closed"]


async def test_askers_from_earlier_batches_hear_of_a_crash_too(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    heard: list[int | Exception] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ask, Later, address, heard)
        await wait_all_tasks_blocked()

        async def crash() -> None:
            await pause(3)
            await address.tell(Crash(Broken()))

        nursery.start_soon(crash)
        with pytest.raises(Broken):
            await Adder(history).run(inbox)
    assert trio.current_time() == 3
    assert [type(error) for error in heard] == [ActorCrashed]


async def test_an_answer_given_batches_later_arrives(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    heard: list[int | Exception] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(Adder(history).run, inbox)
        nursery.start_soon(_ask, Later, address, heard)
        await pause(1)
        await address.tell(Add(4))
        await pause(1)
        assert heard == []
        assert await address.ask(Total) == 4
        await wait_all_tasks_blocked()
        assert heard == [4]
        inbox.close()


async def test_askers_of_an_actor_that_stops_hear_so_without_a_crash(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    heard: list[int | Exception] = []
    actor = Adder(history)
    async with trio.open_nursery() as nursery:
        await nursery.start(actor.run, inbox)
        nursery.start_soon(_ask, Later, address, heard)
        await wait_all_tasks_blocked()
        actor.stop(inbox)
    assert [type(error) for error in heard] == [ActorStopped]


async def test_a_cancelled_actor_is_still_closed_within_its_bound(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    heard: list[int | Exception] = []
    async with trio.open_nursery() as asking:
        inbox.put_nowait(Work(100))
        asking.start_soon(_ask, Total, address, heard)
        await wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            await nursery.start(Adder(history, close_s=2).run, inbox)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    assert history == ["0 opened", "0 closing", "2 closed"]
    assert [type(error) for error in heard] == [ActorStopped]


async def test_closing_beyond_the_bound_is_cut_off_and_reported(autojump_clock: MockClock) -> None:
    inbox, _, history = adder()
    inbox.close()
    with pytest.raises(StopOverdue, match=r"'adder' had not ended 5 s after it was asked to"):
        await Adder(history, close_s=60).run(inbox)
    assert trio.current_time() == 5


async def test_closing_that_fails_after_a_crash_does_not_hide_the_crash(autojump_clock: MockClock) -> None:
    class BadlyClosed(Adder):
        async def closed(self) -> None:
            raise RuntimeError("and the file is gone")

    inbox, _, history = adder()
    inbox.put_nowait(Crash(Broken()))
    with pytest.raises(Broken) as caught:
        await BadlyClosed(history).run(inbox)
    assert any("and the file is gone" in note for note in caught.value.__notes__)
    inbox.close()
    with pytest.raises(RuntimeError, match="and the file is gone"):
        await BadlyClosed(history).run(inbox)


async def test_a_keyboard_interrupt_passes_through_and_is_no_crash(autojump_clock: MockClock) -> None:
    inbox, address, history = adder()
    heard: list[int | Exception] = []
    async with trio.open_nursery() as asking:
        inbox.put_nowait(Crash(KeyboardInterrupt()))
        asking.start_soon(_ask, Total, address, heard)
        await wait_all_tasks_blocked()
        with pytest.raises(KeyboardInterrupt):
            await Adder(history).run(inbox)
    assert [type(error) for error in heard] == [ActorStopped]
    assert history == ["0 opened", "0 closing", "0 closed"]


def test_an_actor_cancelled_at_any_step_is_closed_if_opened_and_leaves_nobody_waiting() -> None:
    async def scenario(arm: Callable[[Callable[[], object]], AtStep]) -> None:
        inbox, address, history = adder()
        heard: list[int | Exception] = []
        scope = trio.CancelScope()
        arm(scope.cancel)
        async with trio.open_nursery() as asking:
            asking.start_soon(_ask, Later, address, heard)
            asking.start_soon(_ask, Total, address, heard)
            with scope:
                inbox.put_nowait(Work(1))
                async with trio.open_nursery() as nursery:
                    await nursery.start(Adder(history, alarm_at=3, close_s=1).run, inbox)
                    inbox.put_nowait(Work(1))
                    await pause(5)
                    inbox.close()
            # A second actor answers what the first one did not take.
            await wait_all_tasks_blocked()
            inbox.close()
            await Adder([]).run(inbox)
        assert len(heard) == 2
        opened = sum(entry.endswith("opened") for entry in history)
        assert opened == sum(entry.endswith("closed") for entry in history)

    assert len(list(at_every_step(scenario))) > 10
