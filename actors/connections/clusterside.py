"""What a host does for the cluster whose login node it is; nothing, if it is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import trio

from holdfast.events.errors import Unavailable
from holdfast.events.messages import Answer, Inspect, Inspected, Refusal
from holdfast.events.records import Target

from ..errors import InboxFull
from ..reply import Reply
from ..targets.conversation import Conversation, ReportMessage
from .dialling import RemoteLine
from .porter import Porter

if TYPE_CHECKING:
    from ..slurm.cluster import Cluster
    from ..slurm.site import Site
    from .host import Around

INSPECT_S: Final = 120.0


class ClusterSide:
    """Of one host. What Slurm takes is loaded when there is a cluster: most homes have none."""

    def __init__(self, target: Target, home_id: str, porter: Porter, around: Around) -> None:
        self._target = target
        self._home_id = home_id
        self._porter = porter
        self._around = around
        self._login = trio.Event()
        self._site: Site | None = None
        self._looks: trio.Nursery | None = None
        self.cluster = self._make() if target.is_cluster else None

    def _make(self) -> Cluster:
        from ..slurm.cluster import Cluster  # noqa: PLC0415
        from ..slurm.shared import Shared  # noqa: PLC0415

        return Cluster(Shared(self._target, self._home_id, self._porter, self._around))

    def meet(self, target: Target) -> None:
        """The target is as it is now."""
        self._target = target
        if not target.is_cluster:
            self.cluster = None
        elif self.cluster is None:
            self.cluster = self._make()
        else:
            self.cluster.meet(target)

    def greeted(self) -> None:
        """The runner on the login node answers."""
        self._login.set()

    async def serve(self, line: RemoteLine, conversation: Conversation) -> None:
        """Have the cluster served over the line, once the runner at its end answers; until cancelled."""
        self._login = trio.Event()
        if self.cluster is None:
            return
        from ..slurm.login import LoginSite  # noqa: PLC0415

        await self._login.wait()
        # With no login node in between the environment is the supervisor's, in which others' secrets may stand.
        hidden = frozenset(self._around.log.secret_names() if self._target.ssh is None else ())
        self._site = LoginSite(conversation, line.workdir or "/", line.private, lambda: hidden)
        try:
            async with trio.open_nursery() as self._looks:
                await self.cluster.run(self._site)
        finally:
            self._site = self._looks = None

    async def leave(self) -> None:
        """Put in order what can be on the cluster, before the connection is given up."""
        if self.cluster is not None:
            await self.cluster.leave()

    def inspect(self, request: Inspect, reply: Reply[Answer]) -> None:
        """Have the cluster looked at, which takes a while; nothing is found out of what is none, or not served yet."""
        if self._looks is None or self._site is None:
            reply.send(Inspected(()))
        else:
            self._looks.start_soon(self._inspect, self._site, request, reply)

    async def _inspect(self, site: Site, request: Inspect, reply: Reply[Answer]) -> None:
        from ..slurm.inspection import inspect  # noqa: PLC0415

        answer: Answer = Refusal(f"{self._target.name} was not done being looked at", Unavailable.exit_code)
        try:
            if self._target.slurm is not None:
                with trio.move_on_after(INSPECT_S):
                    answer = await inspect(site, self._target.slurm, self._around.clock.now, request.kinds)
        finally:
            reply.send(answer)


class Listener:
    """What a conversation takes for the scheduler."""

    def __init__(self, name: str, hear: Callable[[ReportMessage], Awaitable[None]]) -> None:
        self._name = name
        self._hear = hear

    @property
    def name(self) -> str:
        """See `address.Sink`."""
        return self._name

    async def put(self, message: ReportMessage) -> None:
        """See `address.Sink`."""
        await self._hear(message)

    def put_nowait(self, message: ReportMessage) -> None:
        """See `address.Sink`: who listens may have to wait. Raises InboxFull."""
        raise InboxFull(f"{self._name}, for {type(message).__name__}", 0)
