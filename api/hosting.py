"""Being the home's supervisor, for the engine."""

from __future__ import annotations

import logging
from typing import Final

import trio

from holdfast.events.draft import Draft

from .calling import Calls
from .requests import Pending
from .service import Service
from .supervisor import Functions, Supervisor, open_supervisor

LEAVE_S: Final = 10.0
_log: Final = logging.getLogger("holdfast")
_STAYS: Final = (
    "%s were told to stop and go on: they count as lost, and leaving waits for those in this program's loop; have "
    "functions look at their `Attempt`, and end when they are cancelled"
)


async def host(service: Service, slots: int | None, calls: Calls) -> None:
    """Supervise until it is time to leave; then start nothing more, end calls, and leave commands to their runner.

    Raises HomeLocked if the home has a supervisor, and what `open_supervisor` raises.
    """

    def note(draft: Draft, start: int) -> None:
        service.board.note(draft.jobs.changed.values(), start + len(draft.entries))

    functions = Functions(calls.runner, calls.at_once)
    async with open_supervisor(
        service.home,
        slots=slots,
        functions=functions,
        on_commit=note,
        on_trouble=_tell_trouble,
        on_crash=_tell_crash,
        surroundings=service.surroundings,
    ) as supervisor:

        def receive(pending: Pending) -> bool:
            return supervisor.tell_nowait(pending.request, pending)

        service.up(supervisor.lives)
        async with trio.open_nursery() as nursery:
            with service.requests.handed_to(receive):
                nursery.start_soon(_forward, service, supervisor)
                await service.stop.wait()
            nursery.cancel_scope.cancel()
        await supervisor.drain()
        calls.caller.leave()
        with trio.move_on_after(LEAVE_S) as patience:
            await calls.runner.finished()
        if patience.cancelled_caught:
            _log.warning(_STAYS, ", ".join(calls.runner.running))


def _tell_trouble(trouble: str | None) -> None:
    _log.warning("%s", "the trouble is over" if trouble is None else f"{trouble}; trying on")


def _tell_crash(name: str, error: Exception, crashes: int) -> None:
    _log.warning("the %s failed%s: %s", name, " and is started anew" if crashes else "", error)


async def _forward(service: Service, supervisor: Supervisor) -> None:
    """Hand on what came before there was a supervisor, or while it had no room."""
    while True:
        waiting = await service.requests.take_all()
        try:
            while waiting:
                await supervisor.tell(waiting[0].request, waiting[0])
                waiting.popleft()
        finally:
            for pending in waiting:  # left with some in hand: the next one takes them, or refuses them
                service.requests.put(pending)
