"""Being the home's supervisor, for the engine."""

from __future__ import annotations

import logging
from typing import Final

import trio

from holdfast.actors.tree import Watcher
from holdfast.events.draft import Draft
from holdfast.store.reader import Reader

from .calling import Calls
from .news import live_among, starts_anew
from .requests import Pending
from .service import Service
from .supervisor import Functions, open_hosted

LEAVE_S: Final = 10.0
_log: Final = logging.getLogger("holdfast")
_STAYS: Final = (
    "%s were told to stop and go on: they count as lost, and leaving waits for those in this program's loop; have "
    "functions look at their `Attempt`, and end when they are cancelled"
)


async def host(service: Service, slots: int | None, calls: Calls) -> None:
    """Supervise until it is time to leave; then start nothing more, end calls, and leave commands to their runner.

    Raises HomeLocked if the home has a supervisor, and what `open_hosted` raises.
    """

    def note(draft: Draft, start: int) -> None:
        service.board.note(draft.jobs.changed.values(), start + len(draft.entries))
        if service.board.waiting and starts_anew(draft):
            with Reader(service.home) as reader:
                service.board.recheck(lambda jobs: live_among(reader, jobs))

    functions = Functions(calls.runner, calls.at_once)
    watcher = Watcher(note, _tell_trouble, _tell_crash)
    async with open_hosted(service.home, slots, functions, watcher, service.surroundings) as hosted:

        def receive(pending: Pending) -> bool:
            return hosted.tell_nowait(pending.request, pending)

        async def tell(pending: Pending) -> None:
            await hosted.tell(pending.request, pending)

        service.up(hosted.lives)
        async with trio.open_nursery() as nursery:
            with service.requests.handed_to(receive):
                nursery.start_soon(service.requests.hand_on, tell)  # what came before, or while there was no room
                await service.stop.wait()
            nursery.cancel_scope.cancel()
        await hosted.supervisor.drain()
        calls.caller.leave()
        with trio.move_on_after(LEAVE_S) as patience:
            await calls.runner.finished()
        if patience.cancelled_caught:
            _log.warning(_STAYS, ", ".join(calls.runner.running))


def _tell_trouble(trouble: str | None) -> None:
    _log.warning("%s", "the trouble is over" if trouble is None else f"{trouble}; trying on")


def _tell_crash(name: str, error: Exception, crashes: int) -> None:
    _log.warning("the %s failed%s: %s", name, " and is started anew" if crashes else "", error)
