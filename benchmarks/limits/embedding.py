"""Holdfast as a program embeds it, with a look inside: what is committed and when, and where the engine's time goes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio
import trio
from msgspec import Struct, field
from msgspec.structs import replace

from benchmarks.limits.meter import Meter
from holdfast.actors.writer import Disk, ThreadedDisk
from holdfast.calling import Callables, InTheLoop
from holdfast.desk import Desk
from holdfast.engine import Engine
from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptEnded, AttemptLaunched, AttemptStarted, Event, JobSubmitted, TargetAttached
from holdfast.events.spec import LOCAL
from holdfast.functions import Registry
from holdfast.handle import Holdfast
from holdfast.loops import answer_of
from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.supervisor import system

THREADS: Final = 4
# The program is the loop that the functions run in: what the callers do there is named apart.
CALLERS: Final = "callers"
_ACTORS: Final = ("writer", "limiter", "scheduler", "connections", "target:", "control")


class Commits(Struct):
    """What the log took: for each job when its submission, launch and end were synced, by CLOCK_MONOTONIC."""

    commits: int = 0
    events: int = 0
    submitted_ns: dict[int, int] = field(default_factory=dict[int, int])
    launched_ns: dict[int, int] = field(default_factory=dict[int, int])
    ended_ns: dict[int, int] = field(default_factory=dict[int, int])
    started: int = 0
    runner_pid: int | None = None
    errors: list[str] = field(default_factory=list[str])

    def note(self, event: Event, at_ns: int) -> None:
        """Take in an event that is in the log, and synced, since `at_ns`."""
        match event:
            case JobSubmitted(job=job):
                self.submitted_ns[job] = at_ns
            case AttemptLaunched(job=job):
                self.launched_ns[job] = at_ns
            case AttemptStarted():
                self.started += 1
            case AttemptEnded(job=job, outcome=outcome):
                self.ended_ns[job] = at_ns
                if outcome.exit_code != 0:
                    self.errors.append(outcome.error or f"a job ended with {outcome.how} {outcome.exit_code}")
            case TargetAttached(target=target, pid=pid) if target == LOCAL:
                self.runner_pid = pid
            case _:
                pass


class _NotedDisk:
    """A disk that tells what was committed."""

    def __init__(self, disk: Disk, commits: Commits) -> None:
        self._disk = disk
        self._commits = commits

    async def open(self) -> Store:
        return await self._disk.open()

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        starts = await self._disk.commit(store, drafts)
        at_ns = time.monotonic_ns()
        self._commits.commits += 1
        for draft in drafts:
            self._commits.events += len(draft.entries)
            for entry in draft.entries:
                self._commits.note(entry.event, at_ns)
        return starts


class Inside(Struct):
    """What is known of a Holdfast from inside: its commits, and the time of the engine's loop and of the program's."""

    commits: Commits
    program: Meter
    engine: Meter | None = None

    @property
    def meters(self) -> list[Meter]:
        """Of both loops."""
        return [self.program] if self.engine is None else [self.engine, self.program]


@asynccontextmanager
async def open_metered(home: Home, *, slots: int, calls: int) -> AsyncGenerator[tuple[Holdfast, Inside]]:
    """`holdfast.open`, metered: for this is how it is used, what follows is what that does. In a Trio program."""
    program = Meter(_in_program, processor=False)
    trio.lowlevel.add_instrument(program)
    inside = Inside(Commits(), program)

    def disk(open_store: Callable[[], Store]) -> Disk:  # called in the engine's thread, before the tree starts
        if inside.engine is None:
            inside.engine = Meter(_in_engine, processor=True)
            trio.lowlevel.add_instrument(inside.engine)
        return _NotedDisk(ThreadedDisk(open_store), inside.commits)

    spawner = InTheLoop()
    callables = Callables(Registry(), spawner, calls, THREADS)
    engine = Engine(home, slots, callables)
    engine.surroundings = replace(system(), disk=disk)
    desk = Desk(engine, callables)
    async with anyio.create_task_group() as group:
        group.start_soon(spawner.serve)
        try:
            await answer_of(engine.start())
            desk.opened()
            yield Holdfast(desk), inside
        finally:
            with anyio.CancelScope(shield=True):
                await answer_of(engine.stop())
                desk.close()
            group.cancel_scope.cancel()


def _in_engine(task: str) -> str:
    """What to count a task of the engine's loop under: its actor where it is one's, else what it is for."""
    if task.startswith(_ACTORS):
        return task
    return "target:local" if task.startswith("holdfast.actors.targets") else "engine"


def _in_program(task: str) -> str:
    """What to count a task of the program's loop under; a task of anyio's has no name that tells what it runs."""
    if task == CALLERS:
        return CALLERS
    if task.startswith("trio."):
        return "wake-ups"
    return "benchmark" if task.startswith("benchmarks.") else "functions"
