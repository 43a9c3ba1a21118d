"""Holdfast for a program with an event loop, of Trio or of asyncio: submit jobs, wait for them, follow the log.

async with holdfast.open("work") as hf:
    job = await hf.submit(["make", "-j4"], needs={"cpus": 4})
    record = await job.wait()
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar, Unpack, overload

import anyio
import anyio.lowlevel
import anyio.to_thread

from holdfast.events.errors import BadInput
from holdfast.events.messages import (
    AskStatus,
    Cancel,
    Changed,
    Hold,
    Pause,
    Prioritise,
    Release,
    Request,
    Resume,
    Retry,
    Status,
)
from holdfast.events.spec import Call, LimitSpec

from .calling import CALLS, THREADS, Callables, InTheLoop
from .clusters import Slurm
from .desk import Desk, Recorded, changed, home_at, position, status, submission_text, submitted
from .engine import Engine
from .functions import CALLING, GIVEN_UNTIL, Function, Registry
from .given import check_function_name, check_places
from .job_records import JobRecord
from .jobs import After, Command, Job, JobOptions, PolicyOptions, numbers
from .loops import answer_of
from .output import Output
from .steps import Step
from .supervisor import plain_errors
from .targets import Amount, limit, offer

if TYPE_CHECKING:
    from typing_extensions import TypeForm

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Submission:
    """Jobs that were submitted together, in the order of their submission; one of them is `submission[0]`.

    `ids` are theirs, as any program that opens the home knows them.
    """

    def __init__(self, holdfast: Holdfast, ids: Sequence[int]) -> None:
        self._holdfast = holdfast
        self.ids = tuple(ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[SubmittedJob]:
        return (SubmittedJob(self._holdfast, job) for job in self.ids)

    @overload
    def __getitem__(self, place: int) -> SubmittedJob: ...

    @overload
    def __getitem__(self, place: slice) -> list[SubmittedJob]: ...

    def __getitem__(self, place: int | slice) -> SubmittedJob | list[SubmittedJob]:
        if isinstance(place, slice):
            return [SubmittedJob(self._holdfast, job) for job in self.ids[place]]
        return SubmittedJob(self._holdfast, self.ids[place])

    def __repr__(self) -> str:
        return submission_text(self.ids)

    async def wait(self) -> list[JobRecord]:
        """Wait until all have ended; how each did. Cancelled, it does nothing to the jobs."""
        await self._holdfast.wait(self)
        return [self._holdfast.record(job) for job in self.ids]


class SubmittedJob:
    """A job that was submitted; or any of the home, by its id: `hf.job(7)`.

    `id` is a whole number, as any program that opens the home knows it: keep that, where you want the job again.
    """

    def __init__(self, holdfast: Holdfast, job: int) -> None:
        self._holdfast = holdfast
        self.id = job

    def __repr__(self) -> str:
        return f"<job {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SubmittedJob) and (self.id, self._holdfast.home) == (other.id, other._holdfast.home)

    def __hash__(self) -> int:
        return hash((self.id, self._holdfast.home))

    @property
    def ids(self) -> Sequence[int]:
        """Its id, as one of several."""
        return (self.id,)

    async def wait(self) -> JobRecord:
        """Wait until it has ended; how it did. Cancelled, it does nothing to the job."""
        await self._holdfast.wait(self)
        return self.record()

    async def result(self, kind: TypeForm[T]) -> T:
        """What the function returned that the job calls, as a value of `kind`; waits for it.

        Raises JobFailed if the job did not succeed, BadInput if its result is of another kind.
        """
        return (await self.wait()).result_as(kind)

    async def output(self) -> Output:
        """What its command wrote in its newest attempt; waits for the job's end.

        Raises BadInput if that can't be known, and Damaged if it was removed or cut.
        """
        await self.wait()
        return await self._holdfast.output(self.id)

    def record(self) -> JobRecord:
        """The job as it stands now. Raises BadInput if there is none of this id."""
        return self._holdfast.record(self.id)


class Holdfast:
    """A home, opened by `open`. What changes something returns once that is in the log and synced.

    Every method raises BadInput for what breaks a rule (nothing was done), Closed outside of the `async with`, and
    Unavailable for what keeps the log from being read or written.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __repr__(self) -> str:
        return f"<holdfast {self.home}>"

    @property
    def home(self) -> Path:
        """The folder of the home."""
        return self._desk.engine.home.path

    def function(self, name: str, /, **options: Unpack[PolicyOptions]) -> Callable[[Callable[P, R]], Function[P, R]]:
        """Register a function, async or not, that jobs may call: a decorator.

        It is called in this program, while this program is the home's supervisor: an async one in this loop, any other
        in a thread. Its arguments are recorded by name and checked by their types, and so is what it returns, up to
        64 KiB as JSON; a parameter of the type `Attempt` gets what the call may know of itself. A call that is under
        way when the program ends is `lost`, and made again only where `retry_on` says so. `options`: what holds for
        every job that calls it, see `Job`. Raises BadInput.
        """

        def register(function: Callable[P, R]) -> Function[P, R]:
            return self._desk.register(name, function, options)

        check_function_name(name)
        return register

    @asynccontextmanager
    async def step(self, name: str, *, key: str) -> AsyncGenerator[Step]:
        """A part of a function's work whose *result* is recorded once: on leaving, and found ever after.

        So a function that is tried again goes on where it was. `key` says which of its kind it is, in the whole home:
        an order's number, say. What the step does may happen again: where the program dies after the effect and before
        the record, the next attempt finds the step fresh, and of two that do it at the same time both do it, and the
        result of the first counts. So hand the key to the other side as its idempotency key.
        """
        step = self._desk.step(name, key)
        yield step
        if step.fresh:
            step.take(await answer_of(self._desk.engine.ask(step.request())))

    async def submit(self, run: Command | Call | Job, /, **options: Unpack[JobOptions]) -> SubmittedJob:
        """Submit one job: a command or a `call` with options (see `Job`), or a Job.

        Cancelled before it returns, the job may be recorded or not; with a `key`, to submit it again is safe.
        """
        (job,) = submitted(
            await answer_of(self._desk.engine.ask(self._desk.submission([self._desk.job(run, options)])))
        )
        return SubmittedJob(self, job)

    async def submit_many(
        self, jobs: Iterable[Job], *, flow: str = "", limits: Mapping[str, LimitSpec] | None = None
    ) -> Submission:
        """Submit jobs together: all of them or none. They may name each other in `after`.

        `flow` names them as one; `limits` are set from then on.
        """
        return Submission(
            self,
            submitted(
                await answer_of(self._desk.engine.ask(self._desk.submission(self._desk.jobs(jobs), flow, limits)))
            ),
        )

    def job(self, job: int) -> SubmittedJob:
        """The job of this id."""
        return SubmittedJob(self, *numbers((job,)))

    def record(self, job: int) -> JobRecord:
        """The job as it stands now."""
        return self._desk.record(job)

    async def output(self, job: int) -> Output:
        """What the command of an ended job wrote in its newest attempt; see `SubmittedJob.output`."""
        return await aside(self._desk, self._desk.output, job)

    async def wait(self, *jobs: After) -> None:
        """Wait until all these have ended. Cancelled, it does nothing to them."""
        patient = CALLING.get() is None or anyio.current_effective_deadline() >= GIVEN_UNTIL.get()
        await answer_of(self._desk.engine.ends(numbers(jobs), patient=patient))

    async def cancel(self, *jobs: After) -> Changed:
        """End these, whatever they are doing; returns which it changed, and which not and why."""
        return await self._change(Cancel(numbers(jobs)))

    async def retry(self, *jobs: After) -> Changed:
        """Run these again, which failed or were cancelled, skipped or lost."""
        return await self._change(Retry(numbers(jobs)))

    async def hold(self, *jobs: After) -> Changed:
        """Don't start these until they are released."""
        return await self._change(Hold(numbers(jobs)))

    async def release(self, *jobs: After) -> Changed:
        """Let held ones go on."""
        return await self._change(Release(numbers(jobs)))

    async def prioritise(self, *jobs: After, priority: int) -> Changed:
        """Set their priority; higher goes first."""
        return await self._change(Prioritise(numbers(jobs), priority))

    async def offer(
        self,
        target: str,
        capacity: Mapping[str, Amount] = {},
        *,
        host: str = "",
        workdir: str = "~/holdfast",
        python: str = "",
        slurm: Slurm | None = None,
    ) -> Changed:
        """Set how much of some needs a target offers, and, with a `host` or `slurm`, how one elsewhere is reached.

        What `capacity` leaves out stays as it is. `host`: a name from ~/.ssh/config, or an address; `workdir`: the
        folder there; `python`: the interpreter there, where the usual names don't find one. `slurm`: it is a cluster,
        whose login node the host is; without a host Slurm's commands are on this machine. Raises BadInput.
        """
        command = offer(target, capacity, host=host, workdir=workdir, python=python, slurm=slurm)
        return await self._change(command)

    async def limit(
        self, name: str, *, concurrent: int | None = None, rate: str | None = None, burst: int = 1
    ) -> Changed:
        """Set a limit, which jobs name in `limits`; what it was before is replaced.

        At most `concurrent` attempts at once; starts no more often than `rate`, such as "10/s" or "3/min", but for
        `burst` at once after a while without. None: any number. Raises BadInput.
        """
        return await self._change(limit(name, concurrent, rate, burst))

    async def pause(self, target: str | None = None) -> Changed:
        """Start nothing more on a target (None: on any)."""
        return await self._change(Pause(target))

    async def resume(self, target: str | None = None) -> Changed:
        """Start attempts there again."""
        return await self._change(Resume(target))

    async def _change(self, command: Request) -> Changed:
        return changed(await answer_of(self._desk.engine.ask(command)))

    async def status(self) -> Status:
        """How many live jobs are in which state, and who supervises them."""
        return status(await answer_of(self._desk.engine.ask(AskStatus())))

    def events(self, after: int = 0) -> Events:
        """The log after a position, and on as it grows: none missed, none twice, and the supervisor never waits.

        An iterator without an end: leave it with `break`.
        """
        return Events(self._desk, position(after))


async def aside(desk: Desk, read: Callable[[int], T], number: int) -> T:
    """Read something in a worker thread; in a test's own loop, whose clock must not jump meanwhile, read it there."""
    if desk.in_threads:
        return await anyio.to_thread.run_sync(read, number)
    await anyio.lowlevel.checkpoint()
    return read(number)


class Events:
    """The events of a home, one after the other; no generator, so that it may be left at any time without closing.

    For one reader at a time: each task that follows the log takes its own from `Holdfast.events`.
    """

    def __init__(self, desk: Desk, after: int) -> None:
        self._desk = desk
        self._after = after
        self._read: list[Recorded] = []
        self._is_reading = False

    @property
    def held(self) -> int:
        """How many events it has read ahead; a few hundred at most, however slowly they are taken."""
        return len(self._read)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Recorded:
        """The next event, once there is one. Raises Closed, Damaged, Unavailable, or BadInput if a task waits here."""
        if self._is_reading:
            problem = "another task waits for the next of these events, and both would get it"
            raise BadInput(problem, where="events", remedy="give each task its own: `hf.events(after=...)`")
        self._is_reading = True
        try:
            while not self._read:
                self._read = await aside(self._desk, self._desk.events, self._after)
                self._read.reverse()
                if not self._read:
                    await answer_of(self._desk.engine.growth(self._after))
        finally:
            self._is_reading = False
        event = self._read.pop()
        self._after = event.seq
        return event


@asynccontextmanager
async def open(  # noqa: A001 - read as `holdfast.open`
    home: str | os.PathLike[str] | None = None, *, slots: int | None = None, calls: int = CALLS, threads: int = THREADS
) -> AsyncGenerator[Holdfast]:
    """Open a home, made if it is missing: supervise it, or join the supervisor that lives there.

    `home`: its folder; None: as the command line finds it. `slots`: the local target's processors, from now on.
    `calls`: at most so many functions are called at once, of which `threads` that are not async; one that waits for a
    call keeps its place, see NoPlaceLeft. On leaving nothing more is started; commands go on under their runner, until
    the next supervisor comes; calls are stopped. For programs on Trio or on asyncio; `open_sync` is for the others.
    Raises BadInput, HomeLocked if somebody holds the home and does not answer, and Unavailable for what keeps the log
    from being opened.
    """
    check_places(slots, calls, threads)
    spawner = InTheLoop()
    callables = Callables(Registry(), spawner, calls, threads)
    desk = Desk(Engine(home_at(home), slots, callables), callables)
    failure: BaseException | None = None
    with plain_errors():
        async with anyio.create_task_group() as group:
            group.start_soon(spawner.serve)
            try:
                await answer_of(desk.engine.start())
                desk.opened()
                yield Holdfast(desk)
            except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - see below
                failure = error  # raised again, as it is: a task group would wrap it up
            finally:
                with anyio.CancelScope(shield=True):
                    await answer_of(desk.engine.stop())
                    desk.close()
                group.cancel_scope.cancel()
    if failure is not None:
        raise failure
