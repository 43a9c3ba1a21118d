"""One run: a seed, perhaps only the first commands of it, and whether every promise held."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

import trio
from msgspec import Struct

from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Configure
from tests.actors.stepping import pause

from .answers import Answers
from .clients import Clients
from .clocks import WallClock
from .commands import Moment, make, moments
from .commit_checks import CommitChecks
from .determinism import Steps, now_us, run
from .disk import DurableLog
from .ending import Ending
from .faults import Faults
from .flows import CAPACITY
from .history import History
from .keeper import Keeper
from .machine import Machine
from .outcome_checks import OutcomeChecks
from .spawn_checks import SpawnChecks
from .verdict import Verdict


class Result(Struct, frozen=True):
    """How a run went. `broken`: the first promise that did not hold. `digest`: of the whole log, byte for byte."""

    seed: int
    commands: int
    broken: str | None
    digest: str = ""
    events: int = 0
    jobs: int = 0
    processes: int = 0
    supervisors: int = 0
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
        self._calm = calm

    def run(self) -> Result:
        """Run it, from the first supervisor to the last job's end."""
        return run(self._main, self.seed, self.steps)

    async def _main(self) -> Result:
        seed, verdict = self.seed, self.verdict
        machine = Machine(Random(f"{seed}/machine"), self.clock, verdict)
        log = DurableLog(Random(f"{seed}/disk"), self.clock.now())
        history = History(verdict)
        checks = CommitChecks(log.store, history, OutcomeChecks(machine, history, verdict), verdict)
        machine.watch = SpawnChecks(machine, history, verdict).started
        log.on_commit, log.on_open = checks.durable, checks.opened
        draft = Draft(log.store.base, self.clock.now(), Random(0), "keeper")
        decide(draft, Configure({"local": CAPACITY}))
        log.store.commit([draft])
        checks.durable()
        keeper = Keeper(log, machine, checks, verdict, seed)
        clients = Clients(keeper, Answers(history, verdict), verdict)
        faults = Faults(keeper, clients, self.steps, seed)
        ending = Ending(keeper, clients, faults, checks, history, verdict)
        async with trio.open_nursery() as nursery:
            verdict.stop = nursery.cancel_scope.cancel
            nursery.start_soon(keeper.run)
            if not self._calm:
                faults.begin()
                nursery.start_soon(faults.run)
            await self._command(clients, history)
            if not self._calm:
                await pause(faults.lingers_s)
            await ending.run()
            nursery.cancel_scope.cancel()
        return self._result(log, history, machine, keeper)

    async def _command(self, clients: Clients, history: History) -> None:
        """Send the commands, each at its time, whatever became of those before."""
        async with trio.open_nursery() as nursery:
            for moment in self.moments:
                await pause(moment.pause_s)
                random = Random(moment.seed)
                request = make(moment, random, list(history.jobs))
                nursery.start_soon(clients.perform, moment.number, request, random)

    def _result(self, log: DurableLog, history: History, machine: Machine, keeper: Keeper) -> Result:
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
            len(machine.ever),
            keeper.started,
            self.steps.taken,
            now_us() / 1_000_000,
            tuple(self.verdict.story) if self.verdict.broken else (),
        )
