"""Connections that come and go, in vain or not, leave no tasks, sockets or objects behind (P9)."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import asyncssh
import pytest
import trio
from msgspec.structs import replace

from holdfast.actors.connections.channel import ChannelStream
from holdfast.client import ask
from holdfast.events.draft import Draft
from holdfast.events.facts import HostChanged
from holdfast.events.hosts import Down, HostState, Up
from holdfast.events.messages import Dial
from holdfast.supervisor import open_supervisor, system
from tests.store.faults.scope import ALL
from tests.system.place import PATIENCE_S

from .elsewhere import Elsewhere, jobs, target
from .impatient import TIMES
from .lab import Lab
from .proxy import Proxy

WARM_UP: Final = 5
LOOK_S: Final = 0.02
CYCLES: Final = 200 if ALL else 10


class Held(NamedTuple):
    """What the process holds."""

    tasks: int
    of_asyncio: int
    connections: int
    descriptors: int


def held() -> Held:
    """What is held now, by this thread's Trio and the process."""
    gc.collect()
    kinds: list[type[object]] = [type(each) for each in gc.get_objects()]
    of_connections = sum(kind in {asyncssh.SSHClientConnection, ChannelStream} for kind in kinds)
    count, left = 0, [trio.lowlevel.current_root_task()]
    while left:
        task = left.pop()
        if task is not None:
            count += 1
            left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    tasks = sum((kind.__module__, kind.__name__) == ("_asyncio", "Task") for kind in kinds)
    return Held(count, tasks, of_connections, len(list(Path("/proc/self/fd").iterdir())))


class Watch:
    """Counts how often a host came to be in some state."""

    def __init__(self, kind: type[HostState]) -> None:
        self._kind = kind
        self.count = 0
        self.news = trio.Event()

    def hear(self, draft: Draft, start: int) -> None:
        """A commit."""
        del start
        self.count += sum(
            isinstance(each.event, HostChanged) and isinstance(each.event.host, self._kind) for each in draft.entries
        )
        self.news.set()
        self.news = trio.Event()


async def once_more(place: Elsewhere, watch: Watch, disturb: Callable[[], None]) -> None:
    """Disturb it, and have it dialled at once, until it was seen to be as it is watched for."""
    before = watch.count
    await trio.to_thread.run_sync(disturb)
    with trio.fail_after(PATIENCE_S):
        while watch.count == before:
            with trio.move_on_after(LOOK_S):
                await watch.news.wait()
            if watch.count == before:
                await trio.to_thread.run_sync(ask, place.home, Dial(("one",)))


@pytest.mark.parametrize("how", ["cut", "timed out"])
async def test_p9_connections_leave_nothing_behind_that_were(
    place: Elsewhere, lab: Lab, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lab.host("one")
    monkeypatch.setenv("HOME", str(place.person))
    watch = Watch(Up)
    around = replace(system(), times=replace(TIMES, dial_s=0.2 if how == "timed out" else 5.0, rest_s=60.0))
    with Proxy(one.port) as proxy:
        disturbances = (proxy.cut, proxy.reset)
        if how == "timed out":
            watch = Watch(Down)
            one.stop_listener()
            disturbances = (lambda: None, lambda: None)
        else:
            lab.route(one, proxy.port)
        async with open_supervisor(place.home, slots=1, on_commit=watch.hear, surroundings=around):
            await trio.to_thread.run_sync(place.hand_over, target("one") + jobs("one", ["a"], "exec sleep 600"))
            for cycle in range(WARM_UP):
                await once_more(place, watch, disturbances[cycle % 2])
            threads, before = threading.active_count(), held()
            for cycle in range(CYCLES):
                await once_more(place, watch, disturbances[cycle % 2])
            # What is just under way may differ by one attempt to connect.
            after = held()
            assert after.tasks <= before.tasks + 6, (before, after)
            assert after.of_asyncio <= before.of_asyncio + 6, (before, after)
            assert after.connections <= before.connections + 2, (before, after)
            assert after.descriptors <= before.descriptors + 4, (before, after)
            assert threading.active_count() <= threads + 2
