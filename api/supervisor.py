"""A supervisor inside a Trio program: the whole tree on a home, for as long as an `async with` lasts.

    async with holdfast.open_supervisor("my-home") as supervisor:
        submitted = await supervisor.request(Submit(FlowSpec(jobs=(JobSpec(run=("echo", "hello")),))))
        await supervisor.finished(submitted.jobs)

It takes the home's lock: commands of the command line on the same home talk to it, and a second supervisor is refused.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import sniffio
import trio
from msgspec import Struct

from holdfast.actors.connections.dialling import Dialler, NoWay
from holdfast.actors.connections.host import Times
from holdfast.actors.connections.ways import Ways
from holdfast.actors.control import Door, SocketDoor
from holdfast.actors.errors import InboxClosed, InboxFull, RestartIntensityExceeded, lone
from holdfast.actors.reply import Reply
from holdfast.actors.scheduler import Ask, Drain, Identity
from holdfast.actors.targets.calling import CallRunner, NoFunctions
from holdfast.actors.targets.local import Transport
from holdfast.actors.targets.transport import RunnerTransport
from holdfast.actors.tree import Tree, Watcher, World
from holdfast.actors.world import Clock, SystemClock, host_name, system_random, user_name
from holdfast.actors.writer import Disk, ThreadedDisk
from holdfast.events.backoff import Uniform
from holdfast.events.draft import Draft
from holdfast.events.errors import BadInput, HoldfastError
from holdfast.events.messages import Answer, AskStatus, Changed, Command, Refusal, Request, Status, Submitted
from holdfast.events.records import Job
from holdfast.events.states import FINAL, FinalState
from holdfast.store.contract import Store
from holdfast.store.home import Home, find_home
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader
from holdfast.store.statements import snapshot

from . import __version__
from .given import check_places
from .jobs import numbers
from .news import starts_anew
from .opening import locked, prepare
from .unrecordable import recordable_command

_LOOKED_UP_AT_ONCE: Final = 256


class Waiter:
    """Somebody who waits for jobs to end."""

    def __init__(self, pending: set[int]) -> None:
        self.pending = pending
        self.ended: dict[int, FinalState] = {}
        self.done = trio.Event()

    def note(self, job: Job) -> None:
        """Take in a job that changed."""
        if job.id in self.pending and isinstance(job.state, FINAL):
            self.pending.discard(job.id)
            self.ended[job.id] = job.state
            if not self.pending:
                self.done.set()


class Events:
    """Who hears of commits: those who wait for jobs, and whoever `open_supervisor` was told of."""

    def __init__(self, home: Home, on_commit: Callable[[Draft, int], None]) -> None:
        self._home = home
        self._waiters: dict[int, list[Waiter]] = {}
        self._on_commit = on_commit

    def note(self, draft: Draft, start: int) -> None:
        """Take in a commit."""
        for job in draft.jobs.changed.values():
            for waiter in self._waiters.get(job.id, ()):
                waiter.note(job)
        if self._waiters and starts_anew(draft):
            self._look_up()
        self._on_commit(draft, start)

    def _look_up(self) -> None:
        """Tell those who wait what ended while nobody was told."""
        with Reader(self._home) as reader, snapshot(reader.connection):
            for number, waiters in self._waiters.items():
                job = reader.lookups.job(number)
                if job is not None:
                    for waiter in waiters:
                        waiter.note(job)

    @contextmanager
    def told(self, waiter: Waiter) -> Generator[None]:
        """Tell a waiter what becomes of its jobs, for as long as the context lasts."""
        jobs = tuple(waiter.pending)
        for job in jobs:
            self._waiters.setdefault(job, []).append(waiter)
        try:
            yield
        finally:
            for job in jobs:
                self._waiters[job].remove(waiter)
                if not self._waiters[job]:
                    del self._waiters[job]


class Supervisor:
    """A running supervisor; made by `open_supervisor`."""

    def __init__(self, home: Home, tree: Tree, events: Events, author: str) -> None:
        self.home = home
        self._events = events
        self._tree = tree
        self._author = author

    async def request(self, command: Command, *, checked: bool = False) -> Submitted | Changed:
        """Have a command recorded and carried out. Raises BadInput (nothing was done) or Unavailable.

        `checked`: its values are of their types, as those are that a reader of flow files has made.
        """
        answer = await self._ask(command if checked else recordable_command(command))
        assert isinstance(answer, Submitted | Changed), "a command is answered by what it changed"
        return answer

    async def status(self) -> Status:
        """How many live jobs are in which state."""
        answer = await self._ask(AskStatus())
        assert isinstance(answer, Status), "a question about the status is answered by it"
        return answer

    async def _ask(self, request: Command | AskStatus) -> Answer:
        answer: Answer = await self._tree.scheduler.ask(Ask, request, self._author)
        if isinstance(answer, Refusal):
            raise answer.error()
        return answer

    async def drain(self) -> None:
        """Start nothing more; what runs goes on."""
        await self._tree.scheduler.ask(Drain)

    async def finished(self, jobs: Iterable[int]) -> dict[int, FinalState]:
        """Wait until all these jobs have ended; how they did, by id. Raises BadInput for an id that there is not."""
        waiter = Waiter(set(numbers((jobs,))))
        with self._events.told(waiter):
            await self._look_up(waiter)
            if waiter.pending:
                await waiter.done.wait()
        return waiter.ended

    async def _look_up(self, waiter: Waiter) -> None:
        """Tell the waiter which of its jobs have ended already; however many, others get their turn meanwhile."""
        jobs = list(waiter.pending)
        with Reader(self.home) as reader:
            for start in range(0, len(jobs), _LOOKED_UP_AT_ONCE):
                with snapshot(reader.connection):
                    for number in jobs[start : start + _LOOKED_UP_AT_ONCE]:
                        waiter.note(_known(reader, number))
                await trio.lowlevel.checkpoint()


class Hosted(Struct, frozen=True, eq=False):
    """A supervisor, and how the engine speaks to its tree: with requests that are of their types already.

    It is not part of the Python API: a request of wrong types would be recorded, and damage the home.
    """

    supervisor: Supervisor
    tree: Tree
    author: str

    async def tell(self, request: Request, reply: Reply[Answer]) -> None:
        """Hand on a request whose answer, a refusal as well, `reply` takes; waits for room."""
        await self.tree.scheduler.tell(Ask(reply, request, self.author))

    def tell_nowait(self, request: Request, reply: Reply[Answer]) -> bool:
        """The same, if there is room; returns whether there was."""
        try:
            self.tree.scheduler.tell_nowait(Ask(reply, request, self.author))
        except (InboxFull, InboxClosed):
            return False
        return True

    def lives(self, job: int) -> bool:
        """Whether the supervisor has the job in memory, as it has all that have not ended."""
        return self.tree.lives(job)


def _known(reader: Reader, number: int) -> Job:
    job = reader.lookups.job(number)
    if job is None:
        raise BadInput(f"there is no job {number} in this home", remedy="`holdfast jobs` lists them")
    return job


@contextmanager
def plain_errors() -> Generator[None]:
    """Take a lone error out of the groups that nurseries put it in; tell the last crash, not their count."""
    try:
        yield
    except BaseExceptionGroup as group:
        error = lone(group)
        if isinstance(error, RestartIntensityExceeded) and isinstance(error.__cause__, HoldfastError):
            error = error.__cause__
        if error is group:
            raise
        raise error from group


class Surroundings(Struct, frozen=True):
    """What a supervisor finds around it; `holdfast.testing` gives others than the system's.

    `commands`: runs the local target's commands in this process, in place of a runner that `transport` reaches.
    """

    clock: Clock
    random: Uniform
    disk: Callable[[Callable[[], Store]], Disk]
    transport: Callable[[Home], Transport]
    door: Callable[[Path], Door]
    commands: CallRunner | None = None
    dialler: Callable[[str], Dialler] = NoWay
    times: Times = Times()


def system() -> Surroundings:
    """The machine as it is."""
    return Surroundings(SystemClock(), system_random(), ThreadedDisk, RunnerTransport, SocketDoor, None, Ways)


class Functions(Struct, frozen=True):
    """What calls functions in this process, and how many `at_once`."""

    runner: CallRunner
    at_once: int


def _ignore(*_: object) -> None:
    pass


def _world(place: Home, slots: int | None, functions: Functions | None, around: Surroundings) -> World:
    """All that a tree on this home has outside of it. The caller holds the lock. Raises BadInput or Unavailable."""
    clock, author = around.clock, user_name()
    # Opened once before the tree starts, so that a log that can't be opened is refused in its own words.
    called = prepare(place, slots, None if functions is None else functions.at_once, clock)
    offered = functions or (Functions(CallRunner(NoFunctions(), clock, os.getpid()), 0) if called else None)
    return World(
        place,
        around.disk(lambda: open_store(place.log, clock.now(), author)),
        clock,
        around.random,
        around.transport(place),
        Identity(os.getpid(), author, host_name(), __version__),
        around.door(place.control),
        None if offered is None else offered.runner,
        around.commands,
        around.dialler,
        around.times,
    )


@asynccontextmanager
async def open_supervisor(
    home: Home | str | os.PathLike[str],
    *,
    slots: int | None = None,
    functions: Functions | None = None,
    on_commit: Callable[[Draft, int], None] = _ignore,
    on_trouble: Callable[[str | None], None] = _ignore,
    on_crash: Callable[[str, Exception, int], None] = _ignore,
    surroundings: Surroundings | None = None,
) -> AsyncGenerator[Supervisor]:
    """Run a supervisor on a home, made if it is missing; in Trio.

    `slots` sets the local target's processors, before anything starts; `functions` are what jobs may call;
    `surroundings`: the system's unless given. On leaving, what was launched goes on under its runner until a
    supervisor comes again. `on_commit(draft, start)` hears of every commit, with the seq before its first event;
    `on_trouble(reason)` why nothing can be started just now, and None when it can again; `on_crash(actor, error,
    crashes)` of actors that crashed and were restarted. Raises BadInput, HomeLocked if the home is taken, and
    Unavailable for what keeps the log from being opened or written.
    """
    library = sniffio.current_async_library()
    if library != "trio":
        problem = f"`open_supervisor` runs its actors in Trio, and this program runs in {library}"
        raise BadInput(problem, remedy="open the home with `holdfast.open`, which brings a loop for them along")
    check_places(slots, 1 if functions is None else functions.at_once)
    place = home if isinstance(home, Home) else find_home(os.fspath(home), {}, Path())
    watcher = Watcher(on_commit, on_trouble, on_crash)
    async with open_hosted(place, slots, functions, watcher, surroundings) as hosted:
        yield hosted.supervisor


@asynccontextmanager
async def open_hosted(
    home: Home, slots: int | None, functions: Functions | None, watcher: Watcher, surroundings: Surroundings | None
) -> AsyncGenerator[Hosted]:
    """The same as `open_supervisor`, for who has checked what it gives."""
    around = surroundings or system()
    events = Events(home, watcher.on_commit)
    with locked(home):
        world = _world(home, slots, functions, around)

        def crashed(name: str, error: Exception, crashes: int) -> None:
            plain = lone(error)
            watcher.on_crash(name, plain if isinstance(plain, Exception) else error, crashes)

        tree = Tree(world, Watcher(events.note, watcher.on_trouble, crashed))
        async with _grown(tree):
            author = world.identity.author
            yield Hosted(Supervisor(home, tree, events, author), tree, author)


@asynccontextmanager
async def open_onlooker(home: Home) -> AsyncGenerator[None]:
    """Run a supervisor that starts nothing, from the first moment: it connects, looks and answers. Raises likewise."""
    with locked(home):
        tree = Tree(_world(home, None, None, system()), Watcher(_ignore, _ignore, _ignore))
        tree.scheduler.tell_nowait(Drain(Reply()))  # taken before all that could let it start something
        async with _grown(tree):
            yield


@asynccontextmanager
async def _grown(tree: Tree) -> AsyncGenerator[None]:
    """The tree runs as long as this lasts."""
    with plain_errors():
        async with trio.open_nursery() as nursery:
            await nursery.start(tree.run)
            try:
                yield
            finally:
                tree.stop()
