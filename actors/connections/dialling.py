"""The seam to other machines: what dials them, what comes of it, and how it fails. `ssh` makes the real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import trio

from holdfast.events.allocations import cluster_of
from holdfast.events.errors import Unavailable
from holdfast.events.records import Target

from ..staging.remotefiles import RemoteFiles
from ..targets.conversation import Line
from .bootstrap import Wanted
from .interview import Interview

RUNNER_IDLE_S: Final = 60.0


def runner_name(home_id: str, target: Target) -> str:
    """The name of the runner's folder in the target's workdir.

    Several targets may stand for parts of one cluster, and have one workdir there: each has a runner of its own.
    """
    own = hashlib.sha256(cluster_of(target.name).encode(errors="surrogateescape")).hexdigest()[:8]
    return home_id if target.slurm is None else f"{home_id}-{own}"


def wanted_by(home_id: str, target: Target, workdir: str) -> Wanted:
    """The runner that a target's attempts go to, or its commands, if it is a cluster."""
    number = None if target.allocation is None else target.allocation.number
    name = runner_name(home_id, target)
    return Wanted(name, workdir, RUNNER_IDLE_S, shared=target.slurm is not None, join=number)


class RemoteLine(Line, frozen=True):
    """A line to another machine. `private`: the runner's own folder there; `files`: opens a way to its files."""

    private: str = ""
    files: Callable[[], AbstractAsyncContextManager[RemoteFiles]] | None = None


class Dialler(Protocol):
    """Connects to machines."""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep what lines need, until cancelled."""
        ...

    async def gateway(self, target: Target) -> str:
        """What all ways that begin alike have in common: how many begin there at a time is limited. Or Unavailable."""
        ...

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        """Connect, and have the runner answer; closing the stream ends the connection. `interview`: a person is there.

        Raises KeyNotTrusted, PersonNeeded, or another Unavailable; the time that it may take is the caller's affair.
        """
        ...


class NoWay:
    """A dialler where there is no network, as in tests."""

    def __init__(self, home_id: str) -> None:
        del home_id

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """See `Dialler`."""
        task_status.started()

    async def gateway(self, target: Target) -> str:
        """See `Dialler`."""
        return target.name

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        """Refuse. Raises Unavailable."""
        del interview
        message = f"no other machine can be reached from here, and so not that of {target.name}"
        raise Unavailable(message)


class KeyNotTrusted(Unavailable):
    """The machine showed a key that is not trusted: `key` (a line of OpenSSH's format) with its `fingerprint`.

    `changed`: other keys of it are trusted.
    """

    def __init__(self, host: str, key: str, fingerprint: str, *, changed: bool) -> None:
        self.key = key
        self.fingerprint = fingerprint
        self.changed = changed
        kind = key.partition(" ")[0]
        what = (
            f"{host} showed another key than those known of it ({kind} {fingerprint}): it was set up anew, or somebody "
            "stands in between"
            if changed
            else f"the key of {host} is not known ({kind} {fingerprint})"
        )
        super().__init__(f"{what}; compare it with what the machine's owner says (`ssh-keygen -lf` shows it there)")


class PersonNeeded(Unavailable):
    """The machine wants what only a person can give, or must put right."""
