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
from .commands import Moment, hosts_of, make, moments
from .commit_checks import CommitChecks
from .determinism import Steps, now_us, run
from .disk import DurableLog
from .ending import Ending
from .faults import Faults
from .flows import CAPACITY, HOST_CAPACITY
from .history import History
from .host_checks import HostChecks
from .keeper import Keeper
from .machine import Machine
from .outcome_checks import OutcomeChecks
from .person import Person
from .spawn_checks import SpawnChecks
from .verdict import Verdict
from .ways import Way


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
    story: tuple[str, ...] = ()


class Simulation:
    """The parts of one run. `commands`: only so many of its commands (None: all)."""

    def __init__(self, seed: int, commands: int | None = None, *, calm: bool = False) -> None:
        """`calm`: nothing goes wrong."""
        self.seed = seed
        self.moments: Sequence[Moment] = moments(seed)[:commands]
        self.steps = Steps()
        self.verdict = Verdict()
        self.clock = WallClock()
        self.source = Random(f"{seed}/scripted")
        self.hosts = hosts_of(seed)
        self._calm = calm

    def _make_way(self, name: str) -> Way:
        clock = WallClock()
        clock.jump(self.source.randrange(-5_000_000, 5_000_000))
        random = Random(f"{self.seed}/{name}")
        return Way(name, Machine(random, clock, self.verdict, name), random, self.verdict)

    def run(self) -> Result:
        """Run it, from the first supervisor to the last job's end."""
        return run(self._main, self.seed, self.steps)

    async def _main(self) -> Result:
        seed, verdict = self.seed, self.verdict
        machines = {LOCAL: Machine(Random(f"{seed}/machine"), self.clock, verdict)}
        ways = {name: self._make_way(name) for name in self.hosts}
        machines |= {name: way.machine for name, way in ways.items()}
        log = DurableLog(Random(f"{seed}/disk"), self.clock.now())
        history = History(verdict)
        calls = Calls(verdict)
        call_checks = CallChecks(calls, history, verdict)
        calls.watch = call_checks.begun
        host_checks = HostChecks(ways, self.clock, verdict)
        outcome_checks = OutcomeChecks(machines, history, verdict)
        checks = CommitChecks(log.store, history, outcome_checks, call_checks, host_checks, verdict)
        spawn_checks = SpawnChecks(machines, history, verdict)
        for machine in machines.values():
            machine.watch = spawn_checks.started
        log.on_commit, log.on_open = checks.durable, checks.opened
        draft = Draft(log.store.base, self.clock.now(), Random(0), "keeper")
        decide(draft, Configure({"local": CAPACITY, "functions": {"calls": CALLS}}))
        for name in ways:
            draft.record(TargetConfigured(name, HOST_CAPACITY, SshSpec(name)))
        log.store.commit([draft])
        checks.durable()
        keeper = Keeper(log, machines, ways, calls, checks, verdict, seed)
        clients = Clients(keeper, Answers(history, verdict), verdict)
        faults = Faults(keeper, clients, self.steps, seed)
        person = Person(keeper, clients, host_checks, verdict, seed)
        ending = Ending(keeper, clients, faults, person, checks, history, seed)
        async with trio.open_nursery() as nursery:
            verdict.stop = nursery.cancel_scope.cancel
            nursery.start_soon(keeper.run)
            if not self._calm:
                faults.begin()
                nursery.start_soon(faults.run)
                nursery.start_soon(person.run)
            await self._command(clients, history)
            if not self._calm:
                await pause(faults.lingers_s)
            await ending.run()
            nursery.cancel_scope.cancel()
        return self._result(log, history, keeper)

    async def _command(self, clients: Clients, history: History) -> None:
        """Send the commands, each at its time, whatever became of those before."""
        async with trio.open_nursery() as nursery:
            for moment in self.moments:
                await pause(moment.pause_s)
                random = Random(moment.seed)
                request = make(moment, random, list(history.jobs), self.hosts)
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
            sum(len(machine.ever) for machine in keeper.machines.values()),
            len(keeper.calls.ever),
            keeper.started,
            sum(way.dialled for way in keeper.ways.values()),
            self.steps.taken,
            now_us() / 1_000_000,
            tuple(self.verdict.story) if self.verdict.broken else (),
        )
