"""The dialler of a supervisor: over SSH where a target has a host, and alongside where a cluster is reached from here.

What SSH takes is loaded, and runs, from the first time that it is needed. Where that fails, only what is dialled so is
told of it, and the next time it is tried again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import trio

from holdfast.events.errors import Unavailable
from holdfast.events.records import Target

from .alongside import dial_alongside
from .bootstrap import Sources
from .dialling import RemoteLine
from .interview import Interview

if TYPE_CHECKING:
    from .ssh import SshDialler

_REMEDY: Final = f"install asyncssh and cryptography anew, until `{sys.executable} -c 'import asyncssh'` says nothing"


class Ways:
    """One for all targets of a home; see `Dialler`."""

    def __init__(self, home_id: str) -> None:
        self._home_id = home_id
        self._sources = Sources.load()
        self._ssh: SshDialler | None = None
        self._error: Exception | None = None
        self._asked_for = trio.Event()
        self._running = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep what SSH needs, once something is dialled so; until cancelled."""
        task_status.started()
        while self._ssh is None:
            await self._asked_for.wait()
            try:
                # In a thread, because it takes a tenth of a second, or seconds where the machine is busy; most homes
                # need none.
                self._ssh = await trio.to_thread.run_sync(self._make_ssh)
            except Exception as error:  # noqa: BLE001 - a library that can't be loaded must not end what needs none
                self._error = error
                waiting, self._asked_for, self._running = self._running, trio.Event(), trio.Event()
                waiting.set()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._ssh.run)
            self._running.set()

    def _make_ssh(self) -> SshDialler:
        from .ssh import SshDialler  # noqa: PLC0415 - asyncssh is slow to import, and rarely needed

        return SshDialler(self._home_id)

    async def gateway(self, target: Target) -> str:
        """See `Dialler`; alongside, nothing is shared."""
        return f"alongside {target.name}" if target.ssh is None else await (await self._over_ssh()).gateway(target)

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        """See `Dialler`; alongside nothing is asked, so it makes no difference whether a person is there."""
        if target.ssh is None:
            return await dial_alongside(self._home_id, target, self._sources)
        return await (await self._over_ssh()).dial(target, interview)

    async def _over_ssh(self) -> SshDialler:
        self._asked_for.set()
        await self._running.wait()
        if self._ssh is None:
            why = f"{type(self._error).__name__}: {self._error}"
            message = f"what SSH takes can't be loaded: {why}; {_REMEDY}"
            raise Unavailable(message) from self._error
        return self._ssh
