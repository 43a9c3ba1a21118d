"""One run: a seed, perhaps only the first commands of it, and whether every promise held."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

import trio
from msgspec import Struct

from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.facts import TargetConfigured
from holdfast.events.messages import Configure
from holdfast.events.spec import LOCAL, SshSpec
from tests.actors.stepping import pause

from .answers import Answers
from .call_checks import CallChecks
from .calls import CALLS, Calls
from .clients import Clients
from .clocks import WallClock
from .commands import Moment, clusters_of, hosts_of, make, moments
from .commit_checks import CommitChecks
from .determinism import Steps, now_us, run
from .disk import DurableLog
from .ending import Ending
from .faults import Faults
from .flows import CAPACITY, HOST_CAPACITY, random_cluster
from .history import History
from .host_checks import HostChecks
from .keeper import Keeper, Scene
from .machine import Machine
from .outcome_checks import OutcomeChecks
from .person import Person
from .slurm_checks import SlurmChecks
from .slurm_cluster import CLUSTER, SimulatedCluster
from .spawn_checks import SpawnChecks
from .verdict import Verdict
from .ways import Way

STEPS_MAX, STEPS_PER_S, STEPS_PER_EVENT = 5_000, 60, 60
"""More steps than these, in a run, in a second and for an event, are taken by what goes round and round."""


class Result(Struct, frozen=True):
    """How a run went. `broken`: the first promise that did not hold. `digest`: of the whole log, byte for byte."""

    seed: int
    commands: int
    broken: str | None
    digest: str = ""
    events: int = 0
    jobs: int = 0
    processes: int = 0
    calls: int = 0
    supervisors: int = 0
    dialled: int = 0
    steps: int = 0
    seconds: float = 0.0
    submitted: int = 0
    story: tuple[str, ...] = ()


class Simulation:
    """The parts of one run. `commands`: only so many of its commands (None: all)."""

    def __init__(
        self, seed: int, commands: int | None = None, *, calm: bool = False, slurm: bool | None = None
    ) -> None:
        """`calm`: nothing goes wrong.

        `slurm`: there is a cluster and no other machine (True), or none (False); None: as the seed says.
        """
        self.seed = seed
        self.moments: Sequence[Moment] = moments(seed, slurm=bool(slurm))[:commands]
        self.steps = Steps()
        self.verdict = Verdict()
        self.clock = WallClock()
        self.source = Random(f"{seed}/scripted")
        self.hosts = () if slurm else hosts_of(seed)
        self.clusters = clusters_of(seed) if slurm is None else (CLUSTER,) * slurm
        self._calm = calm

    def _make_way(self, name: str) -> Way:
        clock = WallClock()
        clock.jump(self.source.randrange(-5_000_000, 5_000_000))
        random = Random(f"{self.seed}/{name}")
        return Way(name, Machine(random, clock, self.verdict, name), random, self.verdict)

    def _make_cluster(self, name: str, way: Way) -> SimulatedCluster:
        cluster = SimulatedCluster(name, Random(f"{self.seed}/{name}"), way.machine.clock, self.verdict)
        way.machine.execute, way.machine.rebooted = cluster.execute, cluster.reboot_login
        return cluster

    def run(self) -> Result:
        """Run it, from the first supervisor to the last job's end."""
        return run(self._main, self.seed, self.steps)

    async def _main(self) -> Result:
        seed, verdict = self.seed, self.verdict
        machines = {LOCAL: Machine(Random(f"{seed}/machine"), self.clock, verdict)}
        ways = {name: self._make_way(name) for name in (*self.hosts, *self.clusters)}
        machines |= {name: way.machine for name, way in ways.items()}
        clusters = {name: self._make_cluster(name, ways[name]) for name in self.clusters}
        places = machines | {name: cluster.machine for name, cluster in clusters.items()}
        log = DurableLog(Random(f"{seed}/disk"), self.clock.now())
        history = History(verdict)
        calls = Calls(verdict)
        call_checks = CallChecks(calls, history, verdict)
        calls.watch = call_checks.begun
        host_checks = HostChecks(ways, self.clock, verdict)
        slurm_checks = SlurmChecks(clusters, ways, history, verdict)
        outcome_checks = OutcomeChecks(places, slurm_checks, history, verdict)
        checks = CommitChecks(log.store, history, outcome_checks, call_checks, host_checks, slurm_checks, verdict)
        spawn_checks = SpawnChecks(places, history, verdict)
        for machine in places.values():
            machine.watch = spawn_checks.started
        log.on_commit, log.on_open = checks.durable, checks.opened
        draft = Draft(log.store.base, self.clock.now(), Random(0), "keeper")
        decide(draft, Configure({"local": CAPACITY, "functions": {"calls": CALLS}}))
        for name in self.hosts:
            draft.record(TargetConfigured(name, HOST_CAPACITY, SshSpec(name)))
        for name in self.clusters:
            draft.record(TargetConfigured(name, {}, SshSpec(name), random_cluster(self.source)))
        log.store.commit([draft])
        checks.durable()
        keeper = Keeper(log, Scene(machines, places, ways, clusters, calls), checks, verdict, seed)
        clients = Clients(keeper, Answers(history, verdict), verdict)
        faults = Faults(keeper, clients, self.steps, seed)
        person = Person(keeper, clients, host_checks, verdict, seed)
        ending = Ending(keeper, clients, faults, person, checks, history, seed)
        async with trio.open_nursery() as nursery:
            verdict.stop = nursery.cancel_scope.cancel
            for cluster in clusters.values():
                await nursery.start(cluster.run)
            nursery.start_soon(keeper.run)
            if not self._calm:
                faults.begin()
                nursery.start_soon(faults.run)
                nursery.start_soon(person.run)
            await self._command(clients, history)
            if not self._calm:
                await pause(faults.lingers_s)
            await ending.run()
            most = STEPS_MAX + STEPS_PER_S * now_us() / 1_000_000 + STEPS_PER_EVENT * history.seq
            verdict.check(self.steps.taken < most, f"P9: {self.steps.taken} steps were taken, {most:.0f} would be many")
            nursery.cancel_scope.cancel()
        return self._result(log, history, keeper)

    async def _command(self, clients: Clients, history: History) -> None:
        """Send the commands, each at its time, whatever became of those before."""
        async with trio.open_nursery() as nursery:
            for moment in self.moments:
                await pause(moment.pause_s)
                random = Random(moment.seed)
                request = make(moment, random, list(history.jobs), (*self.hosts, *self.clusters))
                nursery.start_soon(clients.perform, moment.number, request, random)

    def _result(self, log: DurableLog, history: History, keeper: Keeper) -> Result:
        digest = hashlib.sha256()
        for stored in log.store.log:
            digest.update(repr(stored).encode())
        return Result(
            self.seed,
            len(self.moments),
            self.verdict.broken,
            digest.hexdigest(),
            history.seq,
            len(history.jobs),
            sum(len(machine.ever) for machine in keeper.places.values()),
            len(keeper.calls.ever),
            keeper.started,
            sum(way.dialled for way in keeper.ways.values()),
            self.steps.taken,
            now_us() / 1_000_000,
            sum(cluster.controller.taken for cluster in keeper.clusters.values()),
            tuple(self.verdict.story) if self.verdict.broken else (),
        )
