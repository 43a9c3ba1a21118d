"""One login for all lines to a host: joined where it stands, made once, closed with the last line over it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from holdfast.actors.connections.logins import Held, Logins
from holdfast.events.errors import Unavailable
from tests.actors.stepping import pause, run_virtual

LOG_IN_S = 1.0


class Login:
    """A connection that only knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        assert not self.closed, "a login is closed once"
        self.closed = True


class Machine:
    """Lets in after a second, or nobody; counts who knocks."""

    def __init__(self, refusals: int = 0) -> None:
        self.knocks = 0
        self.refusals = refusals

    async def log_in(self) -> Login:
        self.knocks += 1
        await pause(LOG_IN_S)
        if self.knocks <= self.refusals:
            raise Unavailable("it lets nobody in")
        return Login()


async def side_by_side(logins: Logins[Login], machine: Machine, count: int) -> list[Held[Login] | Unavailable]:
    """What comes of so many lines to one host that are begun at a time."""
    found: list[Held[Login] | Unavailable] = []

    async def take() -> None:
        try:
            found.append(await logins.take("login", machine.log_in))
        except Unavailable as error:
            found.append(error)

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(take)
    return found


def one(found: Held[Login] | Unavailable) -> Held[Login]:
    assert isinstance(found, Held)
    return found


def test_lines_that_begin_together_knock_once_and_share_what_comes_of_it() -> None:
    machine, logins = Machine(), Logins[Login]()

    async def scenario() -> None:
        first, *others = [one(each) for each in await side_by_side(logins, machine, 3)]
        assert machine.knocks == 1
        assert {id(each.login) for each in others} == {id(first.login)}
        assert [first.joined, *(each.joined for each in others)] == [False, True, True]
        first.release()
        others[0].release()
        others[0].release()
        closed = [first.login.closed]
        others[1].release()
        assert [*closed, first.login.closed] == [False, True]
        again = await logins.take("login", machine.log_in)
        assert (again.joined, again.login.closed, machine.knocks) == (False, False, 2)

    run_virtual(scenario)


def test_one_that_is_refused_leaves_the_next_to_try_for_itself() -> None:
    machine, logins = Machine(refusals=1), Logins[Login]()

    async def scenario() -> None:
        failed, first, second = await side_by_side(logins, machine, 3)
        assert isinstance(failed, Unavailable)
        assert (one(first).joined, one(second).joined, machine.knocks) == (False, True, 2)

    run_virtual(scenario)


async def _cancelled(logins: Logins[Login], machine: Machine) -> None:
    with trio.move_on_after(LOG_IN_S / 2):
        await logins.take("login", machine.log_in)


async def _forgotten(logins: Logins[Login], machine: Machine) -> None:
    held = await logins.take("login", machine.log_in)
    logins.forget("login", held.login)


async def _elsewhere(logins: Logins[Login], machine: Machine) -> None:
    await logins.take("another", machine.log_in)


@pytest.mark.parametrize("before", [_cancelled, _forgotten, _elsewhere], ids=["given-up", "silent", "of-another-host"])
def test_nobody_joins_or_waits_for_a_login_that_was(
    before: Callable[[Logins[Login], Machine], Awaitable[None]],
) -> None:
    machine, logins = Machine(), Logins[Login]()

    async def scenario() -> None:
        await before(logins, machine)
        with trio.fail_after(2 * LOG_IN_S):
            held = await logins.take("login", machine.log_in)
        assert (held.joined, machine.knocks) == (False, 2)

    run_virtual(scenario)


def test_where_a_connection_has_but_one_session_each_line_has_a_login_and_closes_it() -> None:
    machine, logins = Machine(), Logins[Login]()

    async def scenario() -> None:
        first = await logins.take("login", machine.log_in)
        second = await logins.make("login", machine.log_in)
        assert first.login is not second.login
        assert (await logins.take("login", machine.log_in)).login is first.login
        second.release()
        assert (second.login.closed, first.login.closed) == (True, False)

    run_virtual(scenario)
