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
from typing import TypeGuard

import trio

from holdfast.actors.control import SocketDoor
from holdfast.actors.errors import RestartIntensityExceeded
from holdfast.actors.scheduler import Ask, Drain, Identity
from holdfast.actors.targets.transport import RunnerTransport
from holdfast.actors.tree import Tree, Watcher, World
from holdfast.actors.world import SystemClock, host_name, machine_capacity, system_random, user_name
from holdfast.actors.writer import ThreadedDisk
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.errors import BadInput, HoldfastError
from holdfast.events.messages import Answer, AskStatus, Changed, Command, Configure, Refusal, Status, Submitted
from holdfast.events.records import Job
from holdfast.events.spec import LOCAL
from holdfast.events.states import FINAL, FinalState
from holdfast.store.contract import Store
from holdfast.store.home import Home, find_home
from holdfast.store.lock import HomeLock
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader

from . import __version__


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

    def __init__(self, on_commit: Callable[[Draft, int], None]) -> None:
        self.waiters: list[Waiter] = []
        self._on_commit = on_commit

    def note(self, draft: Draft, start: int) -> None:
        """Take in a commit."""
        for waiter in self.waiters:
            for job in draft.jobs.changed.values():
                waiter.note(job)
        self._on_commit(draft, start)


class Supervisor:
    """A running supervisor; made by `open_supervisor`."""

    def __init__(self, home: Home, tree: Tree, events: Events, author: str) -> None:
        self.home = home
        self._events = events
        self._tree = tree
        self._author = author

    async def request(self, command: Command) -> Submitted | Changed:
        """Have a command recorded and carried out. Raises BadInput (nothing was done) or Unavailable."""
        answer = await self._ask(command)
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
        waiter = Waiter(set(jobs))
        self._events.waiters.append(waiter)
        try:
            with Reader(self.home) as reader:
                for number in list(waiter.pending):
                    job = reader.lookups.job(number)
                    if job is None:
                        raise BadInput(f"there is no job {number} in this home", remedy="`holdfast jobs` lists them")
                    waiter.note(job)
            if waiter.pending:
                await waiter.done.wait()
        finally:
            self._events.waiters.remove(waiter)
        return waiter.ended


@contextmanager
def _plain_errors() -> Generator[None]:
    """Take a lone error out of the groups that nurseries put it in; tell the last crash, not their count."""
    try:
        yield
    except BaseExceptionGroup as group:
        error = _lone(group)
        if isinstance(error, RestartIntensityExceeded) and isinstance(error.__cause__, HoldfastError):
            error = error.__cause__
        if error is group:
            raise
        raise error from group


def _is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)


def _lone(error: BaseException) -> BaseException:
    """The one error in groups of one, however deep, else the error itself."""
    if _is_group(error) and len(error.exceptions) == 1:
        return _lone(error.exceptions[0])
    return error


def _set_capacity(store: Store, slots: int | None, now: int, author: str) -> None:
    """Record what the local target offers, where that is not so already."""
    target = store.base.target(LOCAL)
    capacity = dict(machine_capacity() if target is None else target.capacity)
    if slots is not None:
        capacity["cpus"] = slots
    draft = Draft(store.base, now, system_random(), author)
    decide(draft, Configure({LOCAL: capacity}))
    if draft.entries:
        store.commit([draft])


def _ignore(*_: object) -> None:
    pass


@asynccontextmanager
async def open_supervisor(
    home: Home | str | os.PathLike[str],
    *,
    slots: int | None = None,
    on_commit: Callable[[Draft, int], None] = _ignore,
    on_trouble: Callable[[str | None], None] = _ignore,
    on_crash: Callable[[str, Exception, int], None] = _ignore,
) -> AsyncGenerator[Supervisor]:
    """Run a supervisor on a home, made if it is missing.

    `slots` sets the local target's processors, before anything starts. On leaving, what was launched goes on under its
    runner until a supervisor comes again. `on_commit(draft, start)` hears of every commit, with the seq before its
    first event; `on_trouble(reason)` why nothing can be started just now, and None when it can again; `on_crash(actor,
    error, crashes)` of actors that crashed and were restarted. Raises HomeLocked if the home is taken, and Unavailable
    for what keeps the log from being opened or written.
    """
    place = home if isinstance(home, Home) else find_home(os.fspath(home), {}, Path())
    place.create()
    clock = SystemClock()
    author = user_name()
    events = Events(on_commit)
    with HomeLock(place):
        # Opened once before the tree starts, so that a log that can't be opened is refused in its own words.
        store = open_store(place.log, clock.now(), author)
        try:
            _set_capacity(store, slots, clock.now(), author)
        finally:
            store.close()
        world = World(
            place,
            ThreadedDisk(lambda: open_store(place.log, clock.now(), author)),
            clock,
            system_random(),
            RunnerTransport(place),
            Identity(os.getpid(), author, host_name(), __version__),
            SocketDoor(place.control),
        )

        def crashed(name: str, error: Exception, crashes: int) -> None:
            plain = _lone(error)
            on_crash(name, plain if isinstance(plain, Exception) else error, crashes)

        tree = Tree(world, Watcher(events.note, on_trouble, crashed))
        with _plain_errors():
            async with trio.open_nursery() as nursery:
                await nursery.start(tree.run)
                try:
                    yield Supervisor(place, tree, events, author)
                finally:
                    tree.stop()
