"""A long day: hours of virtual time on one supervisor and a log on disk, in which nothing may grow but the log.

The tree is the real one, and so is the store; the machine, the runner's host and the clock are the simulation's.
Nothing goes wrong but the jobs themselves. At the end of each part of the day everything has ended, so what Python
holds then, and the processor time of an event, must be the same after the last part as after the second.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import trio

from holdfast.actors.scheduler import Identity
from holdfast.actors.tree import Tree, Watcher, World
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import (
    Answer,
    AskStatus,
    Cancel,
    Command,
    Configure,
    Hold,
    Prioritise,
    Refusal,
    Release,
    Request,
    Retry,
    Status,
    Submit,
    Submitted,
)
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec
from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.store.opening import open_store
from tests.actors.stepping import pause, run_virtual

from .clocks import WallClock
from .machine import Machine
from .runner_process import Mischief, RunnerProcess
from .scripts import random_command
from .verdict import Verdict
from .wire import End, connect, no_latency

PARTS: Final = 24
GROWTH_BLOCKS_MAX: Final = 800
"""What Python may hold more after the last part than after the second; less than one for each job of a short day."""
GROWTH_BYTES_MAX: Final = 16 * 2**20
"""The same for resident memory, in which SQLite's caches fill up."""
COST_MAX: Final = 1.3
"""Processor time of an event in the last part, by the same in the second; for a whole day."""
_JOBS_A_FLOW: Final = 25
_EVENTS_A_JOB: Final = 5.75
_USERS: Final = 10
"""Few, because a policy is remembered for each, up to a bound that a short day would not reach."""
_JOURNAL_BYTES: Final = 64 * 1024
_CAPACITY: Final = {"cpus": 16}
_answer: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class Moment(msgspec.Struct, frozen=True):
    """The end of a part of the day: all that ever happened, processor time, and what Python and the system hold for us.

    `blocks`: Python's own small pieces of memory; `memory_bytes`: resident, with SQLite's caches.
    """

    seq: int
    busy_s: float
    blocks: int
    memory_bytes: int


class _Surroundings:
    """What is around the tree: its disk, its way to the runner, its door."""

    def __init__(self, path: Path, machine: Machine, nursery: trio.Nursery) -> None:
        self._path = path
        self._machine = machine
        self._nursery = nursery
        self._come, self._coming = trio.open_memory_channel[trio.abc.Stream](1)
        self.seq = 0

    # As the disk.

    async def open(self) -> Store:
        await trio.lowlevel.checkpoint()
        return open_store(self._path, self._machine.clock.now(), "day")

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        await trio.lowlevel.checkpoint()
        starts = store.commit(drafts)
        self.seq = store.seq
        return starts

    # As the transport.

    async def connect(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if self._machine.runner is None:
            self._machine.runner = runner = RunnerProcess(self._machine, Random(1), Mischief())
            self._nursery.start_soon(runner.run)
        near, far = connect(no_latency)
        self._machine.runner.accept(far)
        return near

    async def knock(self) -> trio.abc.Stream:
        """A client's connection."""
        near, far = connect(no_latency)
        await self._come.send(far)
        return near

    async def next_knock(self) -> trio.abc.Stream:
        return await self._coming.receive()


class _Door:
    def __init__(self, around: _Surroundings) -> None:
        self._around = around

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        return _Listener(self._around)

    def author(self, stream: trio.abc.Stream, /) -> str:
        assert isinstance(stream, End), "the simulation knows no other streams"
        return "client"

    def close(self) -> None:
        pass


class _Listener(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self, around: _Surroundings) -> None:
        self._around = around

    async def accept(self) -> trio.abc.Stream:
        return await self._around.next_knock()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


class LongDay:
    """So many hours with about so many events, in `PARTS` parts of equal length."""

    def __init__(self, hours: float, events: int, parts: int = PARTS) -> None:
        self._part_s = hours * 3600 / parts
        self._parts = parts
        self._flows_a_part = max(1, round(events / _EVENTS_A_JOB / _JOBS_A_FLOW / parts))
        self._random = Random(1)
        self._flows = 0
        self.moments: list[Moment] = []

    def run(self) -> list[Moment]:
        """Live it; the moments at the end of each part."""
        with tempfile.TemporaryDirectory(prefix="holdfast-day-") as folder:
            run_virtual(lambda: self._main(Path(folder) / "log.db"))
        return self.moments

    async def _main(self, path: Path) -> None:
        machine = Machine(Random(1), WallClock(), Verdict())
        store = open_store(path, machine.clock.now(), "day")
        draft = Draft(store.base, machine.clock.now(), Random(1), "day")
        decide(draft, Configure({"local": _CAPACITY}))
        store.commit([draft])
        store.close()
        async with trio.open_nursery() as nursery:
            around = _Surroundings(path, machine, nursery)
            identity = Identity(1, "day", "host", "0")
            world = World(Home(path.parent), around, machine.clock, Random(2), around, identity, _Door(around))
            await nursery.start(Tree(world, Watcher(_ignore, _ignore, _raise)).run)
            stream = await around.knock()
            for _ in range(self._parts):
                await self._live_a_part(stream, machine)
                self.moments.append(_now(around.seq))
            nursery.cancel_scope.cancel()

    async def _live_a_part(self, stream: trio.abc.Stream, machine: Machine) -> None:
        ends_at = trio.current_time() + self._part_s
        for _ in range(self._flows_a_part):
            await self._submit_and_meddle(stream)
            _tidy(machine)
            await pause(0.9 * self._part_s / self._flows_a_part)
        while True:
            status = await _ask(stream, AskStatus())
            assert isinstance(status, Status), "a question about the status is answered by it"
            if not status.counts:
                break
            await pause(1.0)
        await pause(max(0.0, ends_at - trio.current_time()))

    async def _submit_and_meddle(self, stream: trio.abc.Stream) -> None:
        random = self._random
        submitted = await _ask(stream, Submit(self._flow()))
        assert isinstance(submitted, Submitted), f"a flow is refused: {submitted}"
        jobs = submitted.jobs
        meddling: tuple[Command, ...] = (
            Hold(jobs[-3:]),
            Release(jobs[-3:]),
            Prioritise(jobs[5:7], random.randrange(10)),
            Cancel((random.choice(jobs),)),
            Retry(jobs[:5]),
        )
        for command in meddling:
            await pause(random.random())
            answer = await _ask(stream, command)
            assert not isinstance(answer, Refusal), f"{command} is refused: {answer}"

    def _flow(self) -> FlowSpec:
        """A flow like no other: its digest, and keys of some jobs, were never there before."""
        self._flows += 1
        random, number = self._random, self._flows
        jobs: list[JobSpec] = []
        for place in range(_JOBS_A_FLOW):
            after = (f"j{random.randrange(place)}",) if place and random.random() < 0.5 else ()
            jobs.append(
                JobSpec(
                    run=random_command(random),
                    name=f"j{place}",
                    after_any=after,
                    needs={"cpus": random.randint(1, 3)},
                    limits=random.choice(((), ("seats",), (f"calls:user{number % _USERS}",))),
                    retries=random.randrange(3),
                    timeout_us=10_000_000,
                    key=f"{number}/{place}" if place % 5 == 0 else None,
                )
            )
        limits = {"seats": LimitSpec(concurrent=4), "calls": LimitSpec(interval_us=200_000, burst=3)}
        return FlowSpec(jobs=tuple(jobs), name="part", digest=str(number), limits=limits)


async def _ask(stream: trio.abc.Stream, request: Request) -> Answer:
    await stream.send_all(msgspec.json.encode(request) + b"\n")
    received = b""
    while not received.endswith(b"\n"):
        received += await stream.receive_some()
    return _answer.decode(received)


def _tidy(machine: Machine) -> None:
    """Forget what the simulated machine keeps of the past for its checks, and the real one does not."""
    machine.ever = {process.token: process for process in machine.ever.values() if process.running}
    machine.processes = {pid: each for pid, each in machine.processes.items() if each.running or not each.reaped}
    machine.refused.clear()
    if machine.runner is not None and machine.runner.core is not None:
        # Each append copies the simulated journal, so it is to be made small again long before 16 MiB.
        machine.runner.core.compact_at = _JOURNAL_BYTES


def _ignore(*_: object) -> None:
    pass


def _raise(name: str, error: Exception, crashes: int) -> None:
    del name, crashes
    raise error


def _now(seq: int) -> Moment:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
    return Moment(seq, time.process_time(), sys.getallocatedblocks(), pages * os.sysconf("SC_PAGE_SIZE"))


def judge(moments: Sequence[Moment], cost_max: float = COST_MAX) -> list[str]:
    """What has grown that may not, from the second part of the day on. `cost_max`: more for a day that is short."""
    found: list[str] = []
    second, last = moments[1], moments[-1]
    if last.blocks - second.blocks > GROWTH_BLOCKS_MAX:
        found.append(f"Python held {second.blocks:,} blocks after the second part, {last.blocks:,} at last")
    if last.memory_bytes - second.memory_bytes > GROWTH_BYTES_MAX:
        found.append(
            f"{second.memory_bytes:,} bytes were resident after the second part, {last.memory_bytes:,} at last"
        )
    costs = costs_us(moments)  # of the second part and those after it
    if costs[-1] / costs[0] > cost_max:
        found.append(f"an event took {costs[0]:.0f} us in the second part, {costs[-1]:.0f} us in the last")
    return found


def costs_us(moments: Sequence[Moment]) -> list[float]:
    """Processor time of an event, for each part but the first, in microseconds."""
    return [(after.busy_s - before.busy_s) / (after.seq - before.seq) * 1e6 for before, after in pairwise(moments)]


def tell(moments: Sequence[Moment]) -> int:
    """Print the day as a table; the exit code is 1 if something has grown."""
    print(f"{'part':>4} {'events':>10} {'us an event':>12} {'blocks':>10} {'resident, MiB':>14}")
    for part, (moment, cost) in enumerate(zip(moments, [0.0, *costs_us(moments)], strict=True), start=1):
        shown = f"{cost:.0f}" if cost else ""
        print(f"{part:4} {moment.seq:10,} {shown:>12} {moment.blocks:10,} {moment.memory_bytes / 2**20:14.1f}")
    found = judge(moments)
    print("\n".join(found) if found else "nothing has grown but the log")
    return 1 if found else 0
