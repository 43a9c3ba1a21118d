"""What the log does not take does not reach the cluster (P2), and a busy scheduler holds up no other host (P5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import pytest
import trio

from holdfast.actors.address import Address
from holdfast.actors.connections.host import Around
from holdfast.actors.connections.turns import Turns
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import LimiterMessage
from holdfast.actors.scheduler import RecordBatches
from holdfast.actors.slurm.cluster import Cluster
from holdfast.actors.slurm.log import Log
from holdfast.actors.slurm.shared import Shared
from holdfast.actors.slurm.site import Finished
from holdfast.actors.targets.messages import Connected, Launch, Order, Revoke, Stop
from holdfast.actors.world import SystemClock
from holdfast.events.batches import Recorded
from holdfast.events.facts import BatchEvent, BatchPlanned, BatchSubmitted
from holdfast.events.messages import AttemptStatus, Reported
from holdfast.events.records import Target
from holdfast.events.spec import JobSpec, SlurmSpec
from holdfast.store.home import Home
from tests.actors.stepping import pause
from tests.simulation.scripts import PROGRAM
from tests.simulation.slurm_bench import PLACE, Bench, on_bench
from tests.simulation.slurm_files import LOGIN

from .test_idle import NoFiles

FIRST: Final = "home.1.1"
SHORT: Final = "1000:0:0:obeys"
ROOM: Final = 2
Refuse = Callable[[BatchEvent], bool]


@dataclass
class Lab:
    """A cluster's actor beside a scheduler that this test is; `refuse`: which news the log can't have."""

    bench: Bench
    refuse: Refuse = lambda _: False
    folder: str = PLACE.folder
    workdir: str = PLACE.workdir
    trouble: list[str] = field(default_factory=list[str])
    statuses: list[AttemptStatus] = field(default_factory=list[AttemptStatus])
    recorded: list[BatchEvent] = field(default_factory=list[BatchEvent])
    session: int | None = None

    def __post_init__(self) -> None:
        self.inbox = Inbox[object]("scheduler", ROOM)
        turns = Turns(Address[LimiterMessage](Inbox[LimiterMessage]("limiter", 1)), SystemClock())
        log = Log(lambda _: None, lambda _: ([], []), lambda _: None, lambda _: None, set)
        clock, told = SystemClock(), Address[object](self.inbox)
        around = Around(Home(Path("home")), turns, told, log, clock, Random(1), self._hear)
        target = Target("cluster", {}, slurm=SlurmSpec(PLACE.workdir, partition="main"))
        self.cluster = Cluster(Shared(target, "home", NoFiles(), around))

    def _hear(self, trouble: str | None) -> None:
        if trouble is not None:
            self.trouble.append(trouble)

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Finished:
        """As the site of the cluster."""
        del timeout_s
        ended = await self.bench.run(argv, stdin)
        return Finished(ended.exit_code, ended.stdout.encode(), ended.stderr.encode())

    async def listen(self) -> None:
        """Be the scheduler."""
        while True:
            for message in await self.inbox.take():
                match message:
                    case RecordBatches(news=news):
                        self.recorded += [each for each in news if not self.refuse(each)]
                        message.reply.send(Recorded(refused=tuple((each, "no") for each in news if self.refuse(each))))
                    case Connected(session=session):
                        self.session = session
                    case Reported(attempts=statuses):
                        self.statuses += statuses
                    case _:
                        pass

    async def connected(self) -> int:
        """Wait until the cluster has been looked at; the number of the connection."""
        while self.session is None:
            await pause(0.1)
        return self.session

    async def launch(self, *tokens: str) -> None:
        """Have attempts of a short job launched."""
        orders = (Order(int(each.split(".")[1]), 1, each, JobSpec(run=(PROGRAM, SHORT), cwd="")) for each in tokens)
        await self.cluster.pass_on(Launch(await self.connected(), tuple(orders)))


def at_work(scenario: Callable[[Lab], Awaitable[None]], refuse: Refuse = lambda _: False) -> None:
    """Run the scenario beside a cluster's actor and a scheduler, on virtual time."""

    async def main(bench: Bench) -> None:
        lab = Lab(bench, refuse)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lab.listen)
            nursery.start_soon(lab.cluster.run, lab)
            await scenario(lab)
            nursery.cancel_scope.cancel()

    on_bench(main)


@pytest.mark.parametrize("claimed", [False, True], ids=["never-begun", "begun-in-another-batch"])
def test_p2_a_plan_that_the_log_does_not_take_is_not_submitted(claimed: bool) -> None:  # noqa: FBT001
    async def scenario(lab: Lab) -> None:
        if claimed:
            lab.bench.cluster.files.make_folder(f"{PLACE.folder}/attempts/1.1", LOGIN)
        await lab.launch(FIRST)
        await pause(60.0)
        assert lab.bench.cluster.controller.taken == 0
        assert [(each.token, each.state) for each in lab.statuses] == [(FIRST, "unclear" if claimed else "revoked")]
        # So that no copy of it can ever run, whoever has one.
        assert lab.bench.cluster.files.has(f"{PLACE.folder}/attempts/1.1", LOGIN)
        assert [each for each in lab.trouble if "log can't have" in each] == lab.trouble
        assert len(lab.trouble) == 1

    at_work(scenario, lambda event: isinstance(event, BatchPlanned))


def test_news_that_the_log_can_not_have_are_told_once_and_all_goes_on() -> None:
    async def scenario(lab: Lab) -> None:
        await lab.launch(FIRST)
        await pause(5.0)
        await lab.launch("home.2.1")
        await pause(120.0)
        assert lab.bench.cluster.controller.taken == 2
        assert {each.token for each in lab.statuses if each.state == "ended"} == {FIRST, "home.2.1"}
        assert len(lab.trouble) == 1

    at_work(scenario, lambda event: isinstance(event, BatchSubmitted))


@pytest.mark.parametrize("kind", [Stop, Revoke])
def test_p5_what_a_cluster_is_told_waits_for_no_scheduler(kind: type[Stop | Revoke]) -> None:
    async def scenario(lab: Lab) -> None:
        session = await lab.connected()
        lab.bench.cluster.commands.whims.slow_s = 1_000.0  # so that nothing is planned meanwhile
        await lab.launch(*(f"home.{job}.1" for job in range(1, 4)))
        for _ in range(ROOM):
            lab.inbox.put_nowait("something else")
        with trio.fail_after(0.0):  # nothing is read meanwhile, so whoever waits for room waits in vain
            await lab.cluster.pass_on(kind(session, ("home.1.1", "home.2.1")))
        await pause(1.0)
        assert [(each.token, each.state) for each in lab.statuses] == [
            ("home.1.1", "revoked"),
            ("home.2.1", "revoked"),
        ]

    at_work(scenario)
