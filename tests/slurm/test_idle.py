"""A cluster's actor that has nothing to do does nothing, neither there nor here; what it has to do it does at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random

import pytest
import trio

from holdfast.actors.address import Address
from holdfast.actors.connections.host import Around
from holdfast.actors.connections.turns import Turns
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import LimiterMessage
from holdfast.actors.slurm.book import Entry, Member
from holdfast.actors.slurm.cancelling import Canceller
from holdfast.actors.slurm.log import Log
from holdfast.actors.slurm.shared import Shared
from holdfast.actors.slurm.site import Finished
from holdfast.actors.slurm.submitting import Submitter
from holdfast.actors.targets.messages import Order
from holdfast.actors.world import SystemClock
from holdfast.events.messages import AttemptStatus
from holdfast.events.records import Target
from holdfast.events.spec import SlurmSpec
from holdfast.store.home import Home
from tests.actors.stepping import pause, run_virtual

AN_HOUR_S = 3600.0


class NoFiles:
    """Brings nothing along, and counts how often it is spoken to."""

    def __init__(self) -> None:
        self.heard = 0

    def take_along(self, orders: Sequence[Order], launch: Callable[[Order], Awaitable[None]]) -> list[Order]:
        del launch
        return list(orders)

    def let_go(self, tokens: Sequence[str]) -> None:
        del tokens
        self.heard += 1

    def bring_back(self, statuses: Sequence[AttemptStatus]) -> list[AttemptStatus]:
        return list(statuses)


class Counting:
    """A site where all goes well, and is counted."""

    workdir = "/shared"
    folder = "/shared/.holdfast/home"

    def __init__(self) -> None:
        self.calls = 0

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Finished:
        del argv, stdin, timeout_s
        self.calls += 1
        await trio.lowlevel.checkpoint()
        return Finished(0)


def shared(carrier: NoFiles) -> Shared:
    """What the actor of a cluster has that never had a job."""
    turns = Turns(Address[LimiterMessage](Inbox[LimiterMessage]("limiter", 1)), SystemClock())
    log = Log(
        spec_of=lambda _: None,
        held_by=lambda _: ([], []),
        script=lambda _: None,
        journal=lambda _: None,
        secret_names=set,
    )
    home, scheduler = Home(Path("home")), Inbox[object]("scheduler", 1)
    around = Around(home, turns, Address(scheduler), log, SystemClock(), Random(1), lambda _: None)
    target = Target("cluster", {}, slurm=SlurmSpec("/shared"))
    return Shared(target, "home", carrier, around)


def test_what_is_not_wanted_any_more_wakes_the_submitter_once_and_not_for_ever() -> None:
    carrier, site = NoFiles(), Counting()

    async def scenario() -> None:
        submitter = Submitter(shared(carrier))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(submitter.run, site)
            await pause(1.0)
            submitter.take_back([])
            submitter.take([])
            await pause(AN_HOUR_S)
            nursery.cancel_scope.cancel()

    run_virtual(scenario)
    assert site.calls <= 2
    assert carrier.heard <= 4


def test_what_is_to_be_cancelled_while_something_is_goes_next() -> None:
    of_cluster, asked = shared(NoFiles()), list[float]()

    class Slow(Counting):
        async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Finished:
            asked.append(trio.current_time())
            await pause(3.0)
            return await super().run(argv, stdin=stdin, timeout_s=timeout_s)

    async def scenario() -> None:
        members = [Member(f"home.{job}.1", job, 1, f"home.{job}.1", None) for job in (1, 2)]
        for each in members:
            entry = Entry(each.batch, 1, [each])
            entry.id, entry.sent = str(each.job), True
            of_cluster.book.add(entry)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Canceller(of_cluster).run, Slow())
            for each in members:
                await pause(1.0)
                each.stopping = True
                of_cluster.stir()
            await pause(10.0)
            nursery.cancel_scope.cancel()

    run_virtual(scenario)
    assert asked[1] - asked[0] == pytest.approx(3.0)
