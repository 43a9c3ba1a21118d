"""A day of a cluster with a pilot: allocations come late, end early, are killed, lost and forgotten; jobs run once.

Beside the whole simulation, because what is launched into an allocation has a place, a journal and an end of its own.
The tree, the runner's core and what is said to Slurm are the product's; see `allocation_nodes` for the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import trio
from msgspec import Struct

from holdfast.actors.connections.dialling import RemoteLine
from holdfast.actors.connections.interview import Interview
from holdfast.actors.errors import InboxClosed, Unanswered
from holdfast.actors.scheduler import Ask, Identity
from holdfast.actors.tree import Tree, Watcher, World
from holdfast.events import facts
from holdfast.events.allocations import is_open
from holdfast.events.draft import Draft
from holdfast.events.errors import Unavailable
from holdfast.events.messages import Submit
from holdfast.events.records import Ended, Granted, Outcome, Retired, Revoked, Target
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, SshSpec
from holdfast.events.states import FINAL
from holdfast.store.home import Home
from tests.actors.stepping import pause

from .allocation_nodes import Allocations
from .clocks import WallClock
from .determinism import Steps, now_us, run
from .disk import DurableLog, SimulatedDisk
from .machine import Machine, Process
from .runner_process import Mischief, RunnerProcess
from .scripts import random_command
from .slurm_cluster import CLUSTER, SimulatedCluster
from .slurm_jobs import Task
from .verdict import Verdict
from .ways import no_files
from .wire import End, connect, no_latency

CPUS: Final = 2
FAULTS: Final = 14
_EARLY: Final = ("PREEMPTED", "TIMEOUT", "CANCELLED")
FLOWS: Final = 4
ENDS_WITHIN_S: Final = 3_000
EVENTS_MAX: Final = 5_000
"""More are recorded by what goes round and round: a day has some hundreds."""
_US: Final = 1_000_000
_WHILES_S: Final = (0.2, 3.0, 20.0)


class PilotDay(Struct, frozen=True):
    """How it went. `broken`: the first promise that did not hold."""

    broken: str | None
    ends: Mapping[str, int]
    allocations: int
    processes: int
    story: Sequence[str] = ()


def pilot_day(seed: int, *, calm: bool = False) -> PilotDay:
    """Run one day on virtual time. `calm`: nothing goes wrong."""

    async def main() -> PilotDay:
        return await Day(seed, calm=calm).live()

    return run(main, seed, Steps())


class Day:
    """What there is in one run."""

    def __init__(self, seed: int, *, calm: bool = False) -> None:
        self._seed, self._calm = seed, calm
        self._random = Random(f"{seed}/pilots")
        self.verdict = Verdict()
        self._clock = WallClock()
        self._cluster = SimulatedCluster(CLUSTER, Random(f"{seed}/cluster"), WallClock(), self.verdict)
        self._login = Machine(Random(f"{seed}/login"), self._clock, self.verdict, CLUSTER)
        self._login.execute, self._login.rebooted = self._cluster.execute, self._cluster.reboot_login
        self.allocations = Allocations(self._cluster, self._random, self._started)
        self._log = DurableLog(Random(f"{seed}/disk"), self._clock.now())
        self._log.on_commit = self._committed
        self._pilot = PilotSpec(1, self._random.choice((120, 600)) * _US, self._random.choice((1, 3)), CPUS, 30 * _US)
        self._ends: list[End] = []
        self._tree: Tree | None = None
        self._scope = trio.CancelScope()
        self._disk = SimulatedDisk(self._log)
        self._supervisors = 0
        self._nursery: trio.Nursery | None = None

    async def live(self) -> PilotDay:
        """Live it, to the last job's end."""
        slurm = SlurmSpec(poll_us=3 * _US, pilot=self._pilot)
        draft = Draft(self._log.store.base, self._clock.now(), Random(0), "day")
        draft.record(facts.TargetConfigured(CLUSTER, {}, SshSpec(CLUSTER), slurm))
        self._log.store.commit([draft])
        async with trio.open_nursery() as self._nursery:
            self.verdict.stop = self._nursery.cancel_scope.cancel
            with self.allocations.installed(self._nursery):
                await self._nursery.start(self._cluster.run)
                self._nursery.start_soon(self._keep)
                await self._happen()
                self._check()
                self._nursery.cancel_scope.cancel()
        ends = Counter(outcome.how for outcome in self._outcomes().values())
        story = tuple(self.verdict.story) if self.verdict.broken else ()
        return PilotDay(
            self.verdict.broken, ends, len(self.allocations.machines), len(self._cluster.machine.ever), story
        )

    # What happens.

    async def _happen(self) -> None:
        if not self._calm:
            self._begin()
        for number in range(FLOWS):
            await self._submit(number)
            for _ in range(0 if self._calm else FAULTS // FLOWS):
                await pause(self._random.random() * 2 * self._random.choice(_WHILES_S))
                name, act = self._random.choice(list(self._faults().items()))
                self.verdict.tell(f"fault: {name}")
                act()
        self._mend()
        until_us = now_us() + ENDS_WITHIN_S * _US
        while list(self._log.store.base.live_jobs()) or self._lasting():
            if now_us() > until_us:
                left = [job.id for job in self._log.store.base.live_jobs()]
                self.verdict.fail(f"P5: all is well for {ENDS_WITHIN_S} s; {left} and {self._lasting()} have not ended")
            await pause(1.0)

    async def _submit(self, number: int) -> None:
        jobs = tuple(
            JobSpec(
                run=random_command(self._random),
                name=f"j{number}x{place}",
                target=CLUSTER,
                cwd="",
                retries=self._random.choice((0, 2)),
                retry_on=self._random.choice((("failed",), ("failed", "lost"))),
                retry_delay_us=0,
            )
            for place in range(self._random.choice((3, 12, 30)))
        )
        flow = FlowSpec(jobs, name=f"flow{number}", digest=f"{number}")
        while True:
            try:
                if self._tree is not None:
                    await self._tree.scheduler.ask(Ask, Submit(flow), "day")
                    return
            except (InboxClosed, Unanswered):
                pass
            await pause(1.0)

    def _begin(self) -> None:
        controller, random = self._cluster.controller, self._random
        self._cluster.accounting.absent = random.random() < 0.3
        controller.minimal_age_us = random.choice((1, 20, 300)) * _US  # what ended is soon forgotten
        controller.completing_us = random.choice((0, 3 * _US))
        controller.answers_lost = random.choice((0.0, 0.3))
        controller.slots = random.choice((1, 8))

    def _faults(self) -> Mapping[str, Callable[[], object]]:
        controller, random = self._cluster.controller, self._random
        return {
            "nothing is granted": lambda: setattr(controller, "held", not controller.held),
            "ended early": lambda: self._of_one(lambda task: controller.end(task, random.choice(_EARLY))),
            "node killed": lambda: self._of_one(lambda task: controller.fail_node(task, runs_on=False)),
            "node lost to its controller": lambda: self._of_one(lambda task: controller.fail_node(task, runs_on=True)),
            "put back into the queue": lambda: self._of_one(controller.requeue),
            "runner killed": self._kill_runner,
            "controller restarted": self._restart,
            "links cut": self._cut,
            "supervisor killed": self._kill,
        }

    def _of_one(self, act: Callable[[Task], object]) -> None:
        running = self._cluster.controller.running()
        if running and self._cluster.controller.alive:
            act(self._random.choice(running))

    def _cut(self) -> None:
        for end in self._ends:
            end.cut()

    def _kill_runner(self) -> None:
        living = [each.runner for each in self.allocations.machines.values() if each.runner is not None]
        if living:
            self._random.choice(living).kill()

    def _restart(self) -> None:
        self._cluster.controller.kill()
        saved = self._random.choice((1, 3))
        self._cluster.later(self._random.choice(_WHILES_S), lambda: self._cluster.controller.start(saved))

    def _mend(self) -> None:
        self.verdict.tell("all is well from now on")
        controller = self._cluster.controller
        controller.answers_lost, controller.held, controller.slots = 0.0, False, 8
        controller.start()

    # Supervisors.

    async def _keep(self) -> None:
        while True:
            self._supervisors += 1
            self._disk = SimulatedDisk(self._log)
            with trio.CancelScope() as self._scope:
                self._tree = Tree(self._world(self._disk), Watcher(_ignore, self._trouble, self._crashed))
                await self._tree.run()
            self._tree = None
            await pause(self._random.random())

    def _kill(self) -> None:
        self._disk.die()
        for end in self._ends:
            end.vanish()
        self._ends.clear()
        self._scope.cancel()

    def _world(self, disk: SimulatedDisk) -> World:
        identity = Identity(self._supervisors, "day", "host", "0")
        random = Random(f"{self._seed}/{self._supervisors}")
        return World(
            Home(Path("day")), disk, self._clock, random, self, identity, _NoDoor(), dialler=lambda _: _Dialler(self)
        )

    async def connect(self) -> trio.abc.Stream:
        """As the transport to this machine's runner, which nothing here needs."""
        await trio.lowlevel.checkpoint()
        message = "no job runs here"
        raise Unavailable(message)

    def _trouble(self, reason: str | None) -> None:
        self.verdict.tell(f"trouble: {reason}")
        self.verdict.check("can't have" not in (reason or ""), f"{reason}")

    def _crashed(self, name: str, error: Exception, crashes: int) -> None:
        del crashes
        if not self._disk.dead:  # a supervisor that is dead says nothing
            self.verdict.unexpected(name, error)

    def dial(self, target: Target) -> RemoteLine:
        """A connection to the login node's runner, or to that of an allocation. Raises Unavailable."""
        machine = self._login if target.allocation is None else self._granted(target)
        if machine.runner is None:
            assert self._nursery is not None, "nobody dials before the day begins"
            machine.runner = RunnerProcess(machine, self._random, Mischief())
            self._nursery.start_soon(machine.runner.run)
        near, far = connect(no_latency)
        self._ends.append(near)
        machine.runner.accept(far)
        folder = f"/elsewhere/{CLUSTER}"
        return RemoteLine(near, {}, folder, private=f"{folder}/.holdfast", files=no_files)

    def _granted(self, target: Target) -> Machine:
        assert target.allocation is not None, "it is one"
        machine = self.allocations.machines.get(target.allocation.number)
        if not isinstance(target.allocation.state, Granted) or machine is None or machine.runner is None:
            message = f"{target.name} is not to be reached"
            raise Unavailable(message)
        return machine

    # What must hold.

    def _started(self, process: Process) -> None:
        """A command starts: once, launched before, at a place with room for it, and not after it was called over."""
        attempt = self._log.store.base.attempt((process.job, process.attempt))
        check, token = self.verdict.check, process.token
        check(attempt is not None, f"P1: {token} starts, and the log never launched it")
        phase = None if attempt is None else attempt.phase
        check(not isinstance(phase, Revoked), f"P2: {token} starts, and was given back")
        lost = isinstance(phase, Ended) and phase.outcome.how == "lost"
        check(not isinstance(phase, Ended) or lost, f"P2: {token} starts, and was called {phase}")
        running = len(process.machine.running())
        check(running <= CPUS, f"P3: {running} run in {process.machine.name}, which has {CPUS} processors")

    def _committed(self) -> None:
        there = [each for each in self._log.store.base.targets() if is_open(each)]
        self.verdict.check(len(there) <= self._pilot.max, f"P3: {len(there)} allocations of {self._pilot.max}")
        self.verdict.check(self._log.store.seq < EVENTS_MAX, f"P9: {EVENTS_MAX} events, and no end of it")

    def _lasting(self) -> list[str]:
        targets = self._log.store.base.targets()
        lasting = [each.name for each in targets if each.allocation and not isinstance(each.allocation.state, Retired)]
        return lasting + [task.shown for task in self._cluster.controller.memory.tasks if task.active]

    def _outcomes(self) -> Mapping[str, Outcome]:
        return {
            f"home.{event.job}.{event.attempt}": event.outcome
            for _, event in self._log.store.events()
            if isinstance(event, facts.AttemptEnded)
        }

    def _check(self) -> None:
        """What the log says of each attempt is what became of its process."""
        ever, check, base = self._cluster.machine.ever, self.verdict.check, self._log.store.base
        for token, outcome in self._outcomes().items():
            self._check_end(token, outcome, ever.get(token))
        for _, event in self._log.store.events():
            if isinstance(event, facts.AttemptRevoked):
                token = f"home.{event.job}.{event.attempt}"
                check(token not in ever, f"P2: {token} was given back, and ran")
        for number in range(1, base.next_job()):
            job = base.job(number)
            check(job is not None and isinstance(job.state, FINAL), f"job {number} is {job}")

    def _check_end(self, token: str, outcome: Outcome, process: Process | None) -> None:
        check, said = self.verdict.check, f"{token} is called {outcome.how} ({outcome.error})"
        if outcome.how == "lost":
            return
        if outcome.how == "not_started":
            check(process is None, f"{said}, and it ran")
            return
        if process is None:
            self.verdict.fail(f"{said}, and it never ran")
            return
        signal = process.status & 0x7F
        true = (None, signal) if signal else (process.status >> 8, 0)
        unknowable = process.orphan and (outcome.exit_code, outcome.signal) == (None, None)
        told = outcome.exit_code, outcome.signal or 0
        check(told == true or unknowable, f"{said}: {told}, and it ended with {true}")


class _Dialler:
    def __init__(self, day: Day) -> None:
        self._day = day

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        await trio.lowlevel.checkpoint()
        task_status.started()

    async def gateway(self, target: Target) -> str:
        await trio.lowlevel.checkpoint()
        return target.name

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        del interview
        await pause(0.05)
        return self._day.dial(target)


class _NoDoor(trio.abc.Listener[trio.abc.Stream]):
    """Nobody comes: what is asked for is told to the tree itself."""

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        return self

    def author(self, stream: trio.abc.Stream, /) -> str:
        del stream
        return "nobody"

    def close(self) -> None:
        pass

    async def accept(self) -> trio.abc.Stream:
        await trio.sleep_forever()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def _ignore(*_: object) -> None:
    pass
