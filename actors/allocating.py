"""What clusters are told of their allocations, and how these are reached; the scheduler's part, as `effects` is."""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from holdfast.events.allocations import token_of
from holdfast.events.records import Asked, Granted, Over, Retired, Target

from .connections.dialling import runner_name
from .directory import Directory
from .live import Live
from .slurm.allocations import order_of
from .targets.messages import Launch, Settle, Stop


class Allocations:
    """Of all clusters. All that is said may be said twice: a cluster knows every token that it has seen."""

    def __init__(self, live: Live, directory: Directory) -> None:
        self._live = live
        self._directory = directory

    def is_reachable(self, target: Target) -> bool:
        """Whether there can be a connection to the target: to an allocation only while the cluster runs it."""
        allocation = target.allocation
        return allocation is None or isinstance(allocation.state, Granted)

    def with_way(self, target: Target) -> Target:
        """The target, with the way to its cluster if it is an allocation."""
        allocation = target.allocation
        cluster = None if allocation is None else self._live.target(allocation.cluster)
        if cluster is None:
            return target
        return replace(target, ssh=cluster.ssh, slurm=cluster.slurm, trusted=cluster.trusted)

    def say(self, target: Target, session: int) -> None:
        """Tell the cluster how an allocation of it stands, if that is for the cluster to know."""
        allocation = target.allocation
        assert allocation is not None, "only allocations are spoken of here"
        cluster = self._live.target(allocation.cluster)
        if cluster is None or cluster.slurm is None:
            return
        token = token_of(self._live.home, allocation.number)
        match allocation.state:
            case Asked() if not allocation.released:
                folder = runner_name(self._live.home, cluster)
                order = order_of(self._live.home, folder, cluster, allocation)
                self._directory.tell(cluster.name, Launch(session, (order,)))
            case Asked() | Granted():
                if allocation.released:
                    self._directory.tell(cluster.name, Stop(session, (token,)))
            case Over():
                self._directory.tell(cluster.name, Settle(session, allocation.number))
            case Retired():
                pass
            case _:
                assert_never(allocation.state)
