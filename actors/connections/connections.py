"""The connection supervisor: owns every connection to other machines, with a task for each host.

A host's task may wait for its network as long as it likes: messages for it are left with it and never wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, assert_never

import trio
from msgspec.structs import replace

from holdfast.events.allocations import cluster_of
from holdfast.events.errors import BadInput
from holdfast.events.messages import Refusal

from ..actor import Actor
from ..directory import Directory
from ..inbox import Inbox
from .dialling import Dialler
from .host import Around, Host
from .messages import Attend, ConnectionsMessage, Converse, Fetch, ForTarget, Leave, Meet

LEAVE_S: Final = 2.0


class Connections(Actor[ConnectionsMessage]):
    """Keeps hosts, which are those of the log's targets."""

    def __init__(self, directory: Directory, make_dialler: Callable[[str], Dialler], around: Around) -> None:
        """`make_dialler` takes the home's id, and is called once there is a host."""
        self._directory = directory
        self._make_dialler = make_dialler
        self._around = around
        self._dialler: Dialler | None = None
        self._hosts: dict[str, Host] = {}
        self._scopes: dict[str, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None

    async def run(
        self, inbox: Inbox[ConnectionsMessage], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve the inbox beside the hosts."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await super().run(inbox, task_status=task_status)
            nursery.cancel_scope.cancel()

    async def opened(self) -> None:
        """Take up the hosts that there are."""
        self._directory.era += 1
        self._around = replace(self._around, era=self._directory.era)
        if self._directory.remote and self._around.settled is not None:
            # What those before us said, and is being recorded just now, is what the hosts begin from.
            await self._around.settled()
        for target in list(self._directory.remote.values()):
            await self._meet(Meet(target))

    async def closed(self) -> None:
        """Put in order on clusters what can be, if it takes no longer than people wait at leaving."""
        if self.stopping:
            with trio.move_on_after(LEAVE_S):
                async with trio.open_nursery() as nursery:
                    for host in self._hosts.values():
                        nursery.start_soon(host.leave)

    async def handle(self, batch: Sequence[ConnectionsMessage]) -> None:
        """Pass everything on to the host that it is for."""
        for message in batch:
            match message:
                case ForTarget(target=name, message=content):
                    if name in self._hosts:  # what was launched in an allocation is told to nobody once that is over
                        await self._hosts[name].pass_on(content)
                case Attend(target=name, wanted=wanted):
                    self._hosts[name].attend(wanted=wanted)
                case Leave(target=name):
                    self._hosts.pop(name, None)
                    if name in self._scopes:
                        self._scopes.pop(name).cancel()
                case Fetch() | Converse():
                    self._ask(message)
                case Meet():
                    await self._meet(message)
                case _:
                    assert_never(message)

    def _ask(self, message: Fetch | Converse) -> None:
        name = message.request.target
        # The output of an allocation that is over is in its cluster's folder, as that of those that are not.
        host = self._hosts.get(name) or self._hosts.get(cluster_of(name))
        if host is None:
            refusal = f"there is no host {name!r}; `holdfast hosts` lists those that there are"
            message.reply.send(Refusal(refusal, BadInput.exit_code))
        elif isinstance(message, Fetch):
            host.fetch(message.request, message.reply)
        else:
            host.converse(message.request, message.reply)

    async def _meet(self, message: Meet) -> None:
        target = message.target
        assert self._nursery is not None, "hosts are met while the actor runs"
        host = self._hosts.get(target.name)
        if host is None:
            host = self._hosts[target.name] = Host(
                target, self._directory.home, await self._get_dialler(self._nursery), self._around
            )
            host.attend(wanted=self._directory.wants(target.name))
            self._scopes[target.name] = trio.CancelScope()
            self._nursery.start_soon(_keep, host, self._scopes[target.name])
        host.meet(target, dial=message.dial)

    async def _get_dialler(self, nursery: trio.Nursery) -> Dialler:
        if self._dialler is None:
            # In a thread, because what it imports takes a quarter of a second.
            self._dialler = await trio.to_thread.run_sync(self._make_dialler, self._directory.home)
            await nursery.start(self._dialler.run)
        return self._dialler


async def _keep(host: Host, scope: trio.CancelScope) -> None:
    with scope:
        await host.run()
