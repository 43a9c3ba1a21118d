"""What keeps a supervisor running, as a service manager would: each has a tree of its own, and may be killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final, cast

import trio
from msgspec import Struct

from holdfast.actors.control import Door
from holdfast.actors.errors import InboxClosed, RestartIntensityExceeded, StopOverdue, Unanswered
from holdfast.actors.scheduler import Drain, Identity
from holdfast.actors.targets.calling import CallRunner
from holdfast.actors.tree import Tree, Watcher, World
from holdfast.events.draft import Draft
from holdfast.events.errors import Damaged, Unavailable
from holdfast.events.spec import LOCAL
from holdfast.store.home import Home
from tests.actors.stepping import pause

from .calls import Calls
from .commit_checks import CommitChecks
from .determinism import Crash, now_us
from .disk import DurableLog, SimulatedDisk
from .machine import Machine
from .runner_process import Mischief, RunnerProcess
from .slurm_cluster import SimulatedCluster
from .verdict import Verdict
from .ways import GATEWAYS, TURNS, SimulatedDialler, Way
from .wire import End, Latency, connect, no_latency

FIRST_SUPERVISOR: Final = 100
_HOME: Final = Home(Path("simulated"))
_EXPECTED: Final = (Crash, Unavailable, Unanswered, InboxClosed)


class Roads:
    """How connections do: their `latency`; `unstartable` (0 to 1) of the tries to start a runner that fail.

    Until `barred_until_us` no supervisor gets through to a runner.
    """

    def __init__(self) -> None:
        self.latency: Latency = no_latency
        self.unstartable = 0.0
        self.barred_until_us = 0
        self.mischief = Mischief()

    def delay(self) -> float:
        """How long what is sent now takes, in seconds."""
        return self.latency()


class Incarnation:
    """One supervisor process: its connections, its way to the disk, its end. Transport and door of its tree."""

    def __init__(self, keeper: Keeper, number: int) -> None:
        self.keeper = keeper
        self.number = number
        self.scope = trio.CancelScope()
        self.disk = SimulatedDisk(keeper.log)
        self.dead = False
        self._ends: list[End] = []
        self._knocking: list[End] = []
        self._wakes = trio.Event()
        self.listening = False
        self.tree: Tree | None = None

    def kill(self) -> None:
        """End it as SIGKILL does: from now on nothing that it does reaches anything."""
        if self.dead:
            return
        self.keeper.verdict.tell(f"supervisor {self.number} is killed")
        self.dead = True
        self.listening = False
        self.disk.die()
        for end in self._ends:
            end.vanish()
        for end in self._knocking:
            end.vanish()
        self.scope.cancel()

    def cut(self) -> None:
        """Break its connection to the runner."""
        for end in self._ends:
            if end.author == "":
                end.cut()

    def take(self, end: End) -> None:
        """It has another connection."""
        self._ends.append(end)

    # As the transport of its local target.

    async def connect(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        keeper = self.keeper
        machine, random = keeper.machine, keeper.random
        if self.dead:
            raise Unavailable("the supervisor is dead")
        if now_us() < keeper.roads.barred_until_us:
            raise Unavailable("the runner can't be reached")
        if machine.runner is None:
            if random.random() < keeper.roads.unstartable:
                raise Unavailable("no process can be started")
            keeper.start_runner(machine)
        assert machine.runner is not None, "it was just started"
        near, far = connect(keeper.roads.delay)
        self._ends.append(near)
        machine.runner.accept(far)
        return near

    # As the door for its clients.

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        self.listening = not self.dead
        return _Listener(self)

    def author(self, stream: trio.abc.Stream, /) -> str:
        assert isinstance(stream, End), "the simulation knows no other streams"
        return stream.author

    def close(self) -> None:
        self.listening = False

    def knock(self, author: str) -> End:
        """A client's connection to the control socket."""
        assert self.listening, "nobody is there"
        near, far = connect(self.keeper.roads.delay, author)
        self._knocking.append(far)
        self._wakes.set()
        return near

    async def next_knock(self) -> End:
        """Whoever connected next."""
        while not self._knocking:
            self._wakes = trio.Event()
            await self._wakes.wait()
        await trio.lowlevel.checkpoint_if_cancelled()
        end = self._knocking.pop(0)
        self._ends.append(end)
        return end


class _Listener(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self, incarnation: Incarnation) -> None:
        self._incarnation = incarnation

    async def accept(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return await self._incarnation.next_knock()

    async def aclose(self) -> None:
        self._incarnation.listening = False
        await trio.lowlevel.checkpoint()


class Scene(Struct, frozen=True):
    """What supervisors come to, by target.

    `machines` have a runner, in `places` attempts run, which are others for clusters; `calls`: the program's.
    """

    machines: Mapping[str, Machine]
    places: Mapping[str, Machine]
    ways: Mapping[str, Way]
    clusters: Mapping[str, SimulatedCluster]
    calls: Calls


class Keeper:
    """Starts a supervisor whenever there is none, until told to end."""

    def __init__(
        self,
        log: DurableLog,
        scene: Scene,
        checks: CommitChecks,
        verdict: Verdict,
        seed: int,
    ) -> None:
        self.log = log
        self.calls = scene.calls
        self.machine = scene.machines[LOCAL]
        self.machines = scene.machines
        self.places = scene.places
        self.ways = scene.ways
        self.clusters = scene.clusters
        self.verdict = verdict
        self.roads = Roads()
        self.random = Random(f"{seed}/keeper")
        self.downtime_s = 0.5
        self.current: Incarnation | None = None
        self.started = 0
        self._checks = checks
        self._seed = seed
        self._ending = False
        self._nursery: trio.Nursery | None = None

    def check_turns(self, host: str) -> None:
        """Somebody dials: not more at a time than a gateway takes."""
        gateway = GATEWAYS[host]
        dialling = sum(way.dialling for name, way in self.ways.items() if GATEWAYS[name] == gateway)
        self.verdict.check(dialling <= TURNS, f"P3: {dialling} attempts to connect are under way at {gateway}")

    def start_runner(self, machine: Machine) -> None:
        """Start a runner; there must be none."""
        assert self._nursery is not None, "the keeper does not run"
        random = Random(f"{self._seed}/runner/{self.random.random()}")
        machine.runner = runner = RunnerProcess(machine, random, self.roads.mischief)
        self.verdict.tell(f"runner {runner.host.pid} starts on {machine.name}")
        self._nursery.start_soon(runner.run)

    async def run(self) -> None:
        """Keep a supervisor running; returns after `end`."""
        async with trio.open_nursery() as self._nursery:
            while not self._ending:
                await self._live()
                await pause(self.random.random() * self.downtime_s)
            for machine in self.machines.values():
                if machine.runner is not None:
                    machine.runner.kill()

    def end(self) -> None:
        """Stop the supervisor in good order, and start none again."""
        self._ending = True
        self.stop()

    def stop(self) -> None:
        """Stop the supervisor in good order; now and then what is queued ahead is taken back first."""
        if self.current is not None and self.current.tree is not None and not self.current.dead:
            self.verdict.tell(f"supervisor {self.current.number} is asked to stop")
            if self._nursery is not None and self.random.random() < 0.5:
                self._nursery.start_soon(_drain, self.current.tree)
            else:
                self.current.tree.stop()

    async def _live(self) -> None:
        """The whole life of one supervisor."""
        self.started += 1
        incarnation = self.current = Incarnation(self, FIRST_SUPERVISOR + self.started)
        self.verdict.tell(f"supervisor {incarnation.number} starts")
        with incarnation.scope:
            try:
                async with trio.open_nursery() as nursery:
                    incarnation.tree = Tree(
                        self._world(incarnation, nursery), Watcher(self._on_commit, self._on_trouble, self._on_crash)
                    )
                    await incarnation.tree.run()
                    incarnation.kill()  # a program that ends takes its calls along
            except* RestartIntensityExceeded as group:
                causes = [error.__cause__ for error in group.exceptions]
                self.verdict.tell(f"supervisor {incarnation.number} gives up: {causes}")
        incarnation.kill()

    def _world(self, incarnation: Incarnation, nursery: trio.Nursery) -> World:
        """What is around the tree of a program, whose own tasks run in `nursery`."""
        door: Door = incarnation
        caller = self.calls.caller(incarnation, nursery)
        runner = CallRunner(caller, self.machine.clock, incarnation.number, f"program-{incarnation.number}")
        caller.report_to(runner)
        return World(
            _HOME,
            incarnation.disk,
            self.machine.clock,
            Random(f"{self._seed}/{incarnation.number}"),
            incarnation,
            Identity(incarnation.number, "keeper", "host", "0"),
            door,
            runner,
            dialler=lambda _: SimulatedDialler(incarnation),
        )

    def _on_commit(self, draft: Draft, start: int) -> None:
        self._checks.memory(draft, start)

    def _on_trouble(self, reason: str | None) -> None:
        self.verdict.tell(f"trouble: {reason}")

    def _on_crash(self, name: str, error: Exception, crashes: int) -> None:
        self.verdict.tell(f"{name} crashed ({crashes}): {error!r}")
        # One that is stopped waits in vain for another that crashes just then, and is cut short; not when all is well.
        expected = _EXPECTED if self._ending else (*_EXPECTED, StopOverdue)
        for leaf in _leaves(error):
            if not isinstance(leaf, expected) or isinstance(leaf, Damaged):
                self.verdict.unexpected(name, leaf)


async def _drain(tree: Tree) -> None:
    try:
        with trio.move_on_after(1.0):
            await tree.scheduler.ask(Drain)
    except (InboxClosed, Unanswered):
        pass
    tree.stop()


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for each in group.exceptions for leaf in _leaves(each)]
