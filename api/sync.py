"""Holdfast for plain code, notebooks and threads: the same as `handle`, without `await`.

with holdfast.open_sync("work") as hf:
    record = hf.submit("make").wait(timeout=600)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar, Unpack, overload

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

from .calling import CALLS, THREADS, Callables
from .clusters import Slurm
from .desk import Desk, Recorded, changed, home_at, position, status, submission_text, submitted
from .engine import Engine
from .functions import Function, Registry
from .given import check_function_name, check_places, seconds
from .job_records import JobRecord
from .jobs import After, Command, Job, JobOptions, PolicyOptions, numbers
from .output import Output
from .steps import Step
from .targets import Amount, limit, offer

if TYPE_CHECKING:
    from typing_extensions import TypeForm

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class SyncSubmission:
    """Jobs that were submitted together, in the order of their submission; one of them is `submission[0]`.

    `ids` are theirs, as any program that opens the home knows them.
    """

    def __init__(self, holdfast: SyncHoldfast, ids: Sequence[int]) -> None:
        self._holdfast = holdfast
        self.ids = tuple(ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[SyncJob]:
        return (SyncJob(self._holdfast, job) for job in self.ids)

    @overload
    def __getitem__(self, place: int) -> SyncJob: ...

    @overload
    def __getitem__(self, place: slice) -> list[SyncJob]: ...

    def __getitem__(self, place: int | slice) -> SyncJob | list[SyncJob]:
        if isinstance(place, slice):
            return [SyncJob(self._holdfast, job) for job in self.ids[place]]
        return SyncJob(self._holdfast, self.ids[place])

    def __repr__(self) -> str:
        return submission_text(self.ids)

    def wait(self, timeout: float | None = None) -> list[JobRecord]:
        """Wait until all have ended; how each did. Raises TimeoutError after `timeout` seconds; the jobs go on."""
        self._holdfast.wait(self, timeout=timeout)
        return [self._holdfast.record(job) for job in self.ids]


class SyncJob:
    """A job that was submitted; or any of the home, by its id: `hf.job(7)`.

    `id` is a whole number, as any program that opens the home knows it: keep that, where you want the job again.
    """

    def __init__(self, holdfast: SyncHoldfast, job: int) -> None:
        self._holdfast = holdfast
        self.id = job

    def __repr__(self) -> str:
        return f"<job {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SyncJob) and (self.id, self._holdfast.home) == (other.id, other._holdfast.home)

    def __hash__(self) -> int:
        return hash((self.id, self._holdfast.home))

    @property
    def ids(self) -> Sequence[int]:
        """Its id, as one of several."""
        return (self.id,)

    def wait(self, timeout: float | None = None) -> JobRecord:
        """Wait until it has ended; how it did. Raises TimeoutError after `timeout` seconds; the job goes on."""
        self._holdfast.wait(self, timeout=timeout)
        return self.record()

    def result(self, kind: TypeForm[T], timeout: float | None = None) -> T:
        """What the function returned that the job calls; see `SubmittedJob.result` and `wait`."""
        return self.wait(timeout).result_as(kind)

    def output(self, timeout: float | None = None) -> Output:
        """What its command wrote in its newest attempt; see `SubmittedJob.output` and `wait`."""
        self.wait(timeout)
        return self._holdfast.output(self.id)

    def record(self) -> JobRecord:
        """The job as it stands now. Raises BadInput if there is none of this id."""
        return self._holdfast.record(self.id)


class SyncHoldfast:
    """A home, opened by `open_sync`; any thread may use it. See `Holdfast` for what all methods have in common.

    It is open from the beginning; leaving its `with` closes it, as `close` does where there is no block, in a notebook.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<holdfast {self.home}>"

    def close(self) -> None:
        """Start nothing more, and close it; commands go on, see `open`. Closing it again does nothing."""
        self._desk.engine.stop().result()
        self._desk.close()

    @property
    def home(self) -> Path:
        """The folder of the home."""
        return self._desk.engine.home.path

    def function(self, name: str, /, **options: Unpack[PolicyOptions]) -> Callable[[Callable[P, R]], Function[P, R]]:
        """Register a function that jobs may call: a decorator; see `Holdfast.function`. Async ones run in Trio."""

        def register(function: Callable[P, R]) -> Function[P, R]:
            return self._desk.register(name, function, options)

        check_function_name(name)
        return register

    @contextmanager
    def step(self, name: str, *, key: str) -> Generator[Step]:
        """A part of a function's work whose result is recorded once; see `Holdfast.step`."""
        step = self._desk.step(name, key)
        yield step
        if step.fresh:
            step.take(self._desk.engine.ask(step.request()).result())

    def submit(self, run: Command | Call | Job, /, **options: Unpack[JobOptions]) -> SyncJob:
        """Submit one job: a command or a `call` with options (see `Job`), or a Job."""
        (job,) = submitted(self._desk.engine.ask(self._desk.submission([self._desk.job(run, options)])).result())
        return SyncJob(self, job)

    def submit_many(
        self, jobs: Iterable[Job], *, flow: str = "", limits: Mapping[str, LimitSpec] | None = None
    ) -> SyncSubmission:
        """Submit jobs together: all of them or none; see `Holdfast.submit_many`."""
        return SyncSubmission(
            self, submitted(self._desk.engine.ask(self._desk.submission(self._desk.jobs(jobs), flow, limits)).result())
        )

    def job(self, job: int) -> SyncJob:
        """The job of this id."""
        return SyncJob(self, *numbers((job,)))

    def record(self, job: int) -> JobRecord:
        """The job as it stands now."""
        return self._desk.record(job)

    def output(self, job: int) -> Output:
        """What the command of an ended job wrote in its newest attempt; see `SubmittedJob.output`."""
        return self._desk.output(job)

    def wait(self, *jobs: After, timeout: float | None = None) -> None:
        """Wait until all these have ended. Raises TimeoutError after `timeout` seconds; the jobs go on."""
        within_s = seconds(timeout)
        ended = self._desk.engine.ends(numbers(jobs), patient=within_s is None)
        try:
            ended.result(within_s)
        except TimeoutError:
            message = f"not all of the jobs have ended within {timeout} s; they go on: wait for them again"
            raise TimeoutError(message) from None

    def cancel(self, *jobs: After) -> Changed:
        """End these, whatever they are doing; returns which it changed, and which not and why."""
        return self._change(Cancel(numbers(jobs)))

    def retry(self, *jobs: After) -> Changed:
        """Run these again, which failed or were cancelled, skipped or lost."""
        return self._change(Retry(numbers(jobs)))

    def hold(self, *jobs: After) -> Changed:
        """Don't start these until they are released."""
        return self._change(Hold(numbers(jobs)))

    def release(self, *jobs: After) -> Changed:
        """Let held ones go on."""
        return self._change(Release(numbers(jobs)))

    def prioritise(self, *jobs: After, priority: int) -> Changed:
        """Set their priority; higher goes first."""
        return self._change(Prioritise(numbers(jobs), priority))

    def offer(
        self,
        target: str,
        capacity: Mapping[str, Amount] = {},
        *,
        host: str = "",
        workdir: str = "~/holdfast",
        python: str = "",
        slurm: Slurm | None = None,
    ) -> Changed:
        """Set how much of some needs a target offers, and how it is reached; see `Holdfast.offer`."""
        return self._change(offer(target, capacity, host=host, workdir=workdir, python=python, slurm=slurm))

    def limit(self, name: str, *, concurrent: int | None = None, rate: str | None = None, burst: int = 1) -> Changed:
        """Set a limit, which jobs name in `limits`; see `Holdfast.limit`."""
        return self._change(limit(name, concurrent, rate, burst))

    def pause(self, target: str | None = None) -> Changed:
        """Start nothing more on a target (None: on any)."""
        return self._change(Pause(target))

    def resume(self, target: str | None = None) -> Changed:
        """Start attempts there again."""
        return self._change(Resume(target))

    def _change(self, command: Request) -> Changed:
        return changed(self._desk.engine.ask(command).result())

    def status(self) -> Status:
        """How many live jobs are in which state, and who supervises them."""
        return status(self._desk.engine.ask(AskStatus()).result())

    def events(self, after: int = 0) -> Iterator[Recorded]:
        """The log after a position, and on as it grows: none missed, none twice; see `Holdfast.events`."""
        return _events(self._desk, position(after))


def _events(desk: Desk, after: int) -> Iterator[Recorded]:
    while True:
        batch = desk.events(after)
        yield from batch
        if batch:
            after = batch[-1].seq
        else:
            desk.engine.growth(after).result()


def open_sync(
    home: str | os.PathLike[str] | None = None, *, slots: int | None = None, calls: int = CALLS, threads: int = THREADS
) -> SyncHoldfast:
    """Open a home for plain code; see `open`. It is open at once: use it in a `with`, or `close` it in the end."""
    check_places(slots, calls, threads)
    callables = Callables(Registry(), None, calls, threads)
    desk = Desk(Engine(home_at(home), slots, callables), callables)
    try:
        desk.engine.start().result()
        desk.opened()
    except BaseException:
        desk.engine.stop().result()
        raise
    return SyncHoldfast(desk)
