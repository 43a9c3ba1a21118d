"""The dialler of a supervisor: over SSH where a target has a host, and alongside where a cluster is reached from here.

What SSH takes is loaded, and runs, from the first time that it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from holdfast.events.records import Target

from .alongside import dial_alongside
from .bootstrap import Sources
from .dialling import RemoteLine
from .interview import Interview

if TYPE_CHECKING:
    from .ssh import SshDialler


class Ways:
    """One for all targets of a home; see `Dialler`."""

    def __init__(self, home_id: str) -> None:
        self._home_id = home_id
        self._sources = Sources.load()
        self._ssh: SshDialler | None = None
        self._asked_for = trio.Event()
        self._running = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep what SSH needs, once something is dialled so; until cancelled."""
        task_status.started()
        await self._asked_for.wait()
        # In a thread, because it takes a tenth of a second, or seconds where the machine is busy; most homes need none.
        self._ssh = await trio.to_thread.run_sync(self._make_ssh)
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
        assert self._ssh is not None, "it runs"
        return self._ssh
