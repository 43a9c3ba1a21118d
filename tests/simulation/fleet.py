"""Many machines of which some hang: how long people and the other machines wait meanwhile, on virtual time.

Nothing costs time here but what is waited for: wires, the disk, back-offs. So two runs can be compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import trio

from holdfast.actors.connections.dialling import RemoteLine
from holdfast.actors.connections.interview import Interview
from holdfast.actors.scheduler import Identity
from holdfast.actors.tree import Tree, Watcher, World
from holdfast.events.draft import Draft
from holdfast.events.errors import Unavailable
from holdfast.events.facts import TargetConfigured
from holdfast.events.hosts import Connecting, Down, HostState, Up
from holdfast.events.messages import Answer, AskStatus, Request, Status, Submit, Submitted
from holdfast.events.records import Target
from holdfast.events.spec import FlowSpec, JobSpec, SshSpec
from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.store.memory import MemoryStore

from .clocks import EPOCH_US, WallClock
from .determinism import Steps, run
from .machine import Machine, Process
from .runner_process import Mischief, RunnerProcess
from .scripts import PROGRAM, Script
from .verdict import Verdict
from .ways import no_files
from .wire import End, connect

WIRE_S: Final = 0.005
SYNC_S: Final = 0.002
_FOREVER_S: Final = 1_000_000.0
QUESTIONS: Final = 300
_JOB: Final = Script(20_000, 0, 0, "obeys").word()
_answer: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class Waits(msgspec.Struct, frozen=True):
    """How long things took, in seconds: until each machine is known to be up, or not to be; questions; starts."""

    sweep_s: float
    questions_s: Sequence[float]
    starts_s: Sequence[float]


class Fleet:
    """So many machines, of which the first `hung` do not answer: every other one from when it is connected."""

    def __init__(self, hosts: int, hung: int) -> None:
        self._names = [f"host{number}" for number in range(hosts)]
        self._hung = set(self._names[:hung])
        self._clock = WallClock()
        self._store = MemoryStore("home", EPOCH_US)
        self._machines = {name: Machine(Random(name), self._clock, Verdict(), name) for name in self._names}
        self._started: dict[int, trio.Event] = {}
        self._come, self._coming = trio.open_memory_channel[trio.abc.Stream](1)
        self._nursery: trio.Nursery | None = None

    def measure(self) -> Waits:
        """Run it on virtual time."""
        return run(lambda: self._main(self._names, 0.3), 1, Steps())

    def measure_here(self) -> Waits:
        """Run it on this machine's time, more briskly, and without waiting for those that hang."""
        return trio.run(self._main, self._healthy(), 0.02)

    def _healthy(self) -> list[str]:
        return [name for name in self._names if name not in self._hung]

    async def _main(self, awaited: Sequence[str], pause_s: float) -> Waits:
        draft = Draft(self._store.base, self._clock.now(), Random(1), "fleet")
        for name in self._names:
            draft.record(TargetConfigured(name, {"cpus": 4}, SshSpec(name)))
            self._machines[name].watch = self._note_start
        self._store.commit([draft])
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            identity = Identity(1, "fleet", "host", "0")
            disk, door, home = _Disk(self._store), _Door(self._coming), Home(Path("fleet"))
            world = World(
                home, disk, self._clock, Random(2), _Nowhere(), identity, door, dialler=lambda _: _Dialler(self)
            )
            await nursery.start(Tree(world, Watcher(_ignore, _ignore, _raise)).run)
            near, far = connect(_wire, "client")
            await self._come.send(far)
            await self._ask(near, Submit(_flow(self._names)))
            sweep_s = await self._sweep(awaited)
            waits = Waits(sweep_s, [], [])
            random, healthy = Random(3), self._healthy()
            for _ in range(QUESTIONS):
                await _pause(random.random() * pause_s)
                waits = await self._try(near, random.choice(healthy), waits) if healthy else waits
            nursery.cancel_scope.cancel()
        return waits

    async def _sweep(self, awaited: Sequence[str]) -> float:
        """Wait until it is known of each of these machines whether it answers; how long that takes."""
        begun = trio.current_time()
        unknown = set(awaited)
        while unknown:
            await _pause(0.01)
            unknown -= {target.name for target in self._store.base.targets() if _is_known(target.host)}
        return trio.current_time() - begun

    async def _try(self, stream: End, host: str, waits: Waits) -> Waits:
        begun = trio.current_time()
        status = await self._ask(stream, AskStatus())
        assert isinstance(status, Status), "a question about the status is answered by it"
        asked = trio.current_time()
        submitted = await self._ask(stream, Submit(_flow([host])))
        assert isinstance(submitted, Submitted), "nothing is wrong with the job"
        await self._started.setdefault(submitted.jobs[0], trio.Event()).wait()
        starts_s = [*waits.starts_s, trio.current_time() - asked]
        return Waits(waits.sweep_s, [*waits.questions_s, asked - begun], starts_s)

    def _note_start(self, process: Process) -> None:
        self._started.setdefault(process.job, trio.Event()).set()

    async def _ask(self, stream: End, request: Request) -> Answer:
        await stream.send_all(msgspec.json.encode(request) + b"\n")
        received = b""
        while not received.endswith(b"\n"):
            received += await stream.receive_some()
        return _answer.decode(received)

    def runner(self, name: str) -> RunnerProcess:
        """The runner of a machine, which is started if there is none."""
        machine = self._machines[name]
        if machine.runner is None:
            assert self._nursery is not None, "machines are there while the fleet is measured"
            machine.runner = RunnerProcess(machine, Random(name), Mischief())
            self._nursery.start_soon(machine.runner.run)
        return machine.runner

    def hangs(self, name: str) -> bool:
        """Whether the machine does not answer."""
        return name in self._hung


class _Dialler:
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        await trio.lowlevel.checkpoint()
        task_status.started()

    async def gateway(self, target: Target) -> str:
        return target.name

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        del interview
        await _pause(WIRE_S)
        hangs = self._fleet.hangs(target.name)
        if hangs and int(target.name.removeprefix("host")) % 2:
            await trio.sleep_forever()
        runner = self._fleet.runner(target.name)
        if hangs:
            runner.freeze(_FOREVER_S)
        near, far = connect(_wire)
        runner.accept(far)
        return RemoteLine(near, {}, "/elsewhere", private="/elsewhere/.holdfast", files=no_files)


class _Disk:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self) -> Store:
        await trio.lowlevel.checkpoint()
        return self._store

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        await _pause(SYNC_S)
        return store.commit(drafts)


class _Nowhere:
    """The way to the runner of this machine, which nothing here needs."""

    async def connect(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        message = "no job runs here"
        raise Unavailable(message)


class _Door(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self, coming: trio.MemoryReceiveChannel[trio.abc.Stream]) -> None:
        self._coming = coming

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        return self

    def author(self, stream: trio.abc.Stream, /) -> str:
        del stream
        return "client"

    def close(self) -> None:
        pass

    async def accept(self) -> trio.abc.Stream:
        return await self._coming.receive()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def _pause(seconds: float) -> None:
    """On virtual time, or on this machine's."""
    with trio.move_on_after(seconds):
        await trio.sleep_forever()


def _is_known(host: HostState) -> bool:
    return isinstance(host, Up | Down) or (isinstance(host, Connecting) and host.failures > 0)


def _flow(hosts: Sequence[str]) -> FlowSpec:
    return FlowSpec(tuple(JobSpec(run=(PROGRAM, _JOB), target=host, cwd="") for host in hosts))


def _wire() -> float:
    return WIRE_S


def _ignore(*_: object) -> None:
    pass


def _raise(name: str, error: Exception, crashes: int) -> None:
    raise AssertionError(f"{name} crashed ({crashes})") from error
