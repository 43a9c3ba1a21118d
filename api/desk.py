"""What Holdfast for event loops and Holdfast for plain code have in common: all that waits for nothing."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn, ParamSpec, SupportsIndex, TypeVar, cast

from msgspec import Struct

from holdfast.events.checks import NUMBER_MAX, check_job
from holdfast.events.errors import BadInput
from holdfast.events.facts import Event
from holdfast.events.messages import Answer, Changed, Status, Submit, Submitted
from holdfast.events.spec import Call, FlowSpec, JobSpec, LimitSpec
from holdfast.store.home import Home, find_home
from holdfast.store.reader import Reader

from .calling import Callables
from .clusters import check_scripts
from .engine import Engine, Forked
from .functions import Function
from .given import check_step
from .job_records import JobRecord, record_of
from .jobs import Command, Job, JobOptions, PolicyOptions, as_its_function_says, numbers, spec_of
from .labels import check_label, place_of
from .output import Output, output_of
from .steps import Step
from .unrecordable import checked
from .workingfolder import working_folder

P = ParamSpec("P")
R = TypeVar("R")

EVENTS_AT_ONCE: Final = 256
_SHOWN: Final = 5


class Recorded(Struct, frozen=True):
    """An event of the log: its position, when it happened (microseconds), who did it, and the seq that caused it."""

    seq: int
    time: int
    author: str
    cause: int | None
    event: Event


class Desk:
    """A home, its engine, and a reader of its log that any thread may use."""

    def __init__(self, engine: Engine, callables: Callables, *, in_threads: bool = True) -> None:
        """`in_threads`: read what may take a while in a worker thread, where there is a loop to be kept going."""
        self.engine = engine
        self.in_threads = in_threads
        self._registry = callables.registry
        # Readers that nobody uses just now: threads read as well, and a connection of SQLite's is for one at a time.
        self._idle: deque[Reader] = deque()
        self._is_open = False

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be pickled or copied, and with it whatever hangs on it, in words of our own. Raises BadInput."""
        del protocol
        remedy = "pass on the home's folder and the job's id, open the home there, and take `hf.job(id)`"
        raise BadInput(f"the open home {self.engine.home.path} can't be pickled or copied", remedy=remedy)

    def opened(self) -> None:
        """Reading is allowed from now on; the engine has started."""
        self._is_open = True

    def close(self) -> None:
        """Close the readers; the engine has stopped."""
        self._is_open = False
        with suppress(Forked):  # in a child the parent's connections are left as they are
            self.engine.check_process()
            self._close_if_left()

    def _close_if_left(self) -> None:
        while self._idle and not self._is_open:
            self._idle.pop().close()

    @contextmanager
    def _reading(self) -> Generator[Reader]:
        """A reader for this thread alone. Raises Closed, Forked or Unavailable."""
        self.engine.check_process()  # a connection of SQLite's is of no use in a child: its locks stay with the parent
        if not self._is_open:
            raise self.engine.closed_error()
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = Reader(self.engine.home)
        try:
            yield reader
        finally:
            self._idle.append(reader)
            self._close_if_left()

    def register(self, name: str, function: Callable[P, R], options: PolicyOptions) -> Function[P, R]:
        """Let jobs call a function. Raises BadInput, or Closed."""
        if not self._is_open:
            raise self.engine.closed_error()
        self._registry.check(name, options)
        job = as_its_function_says(Job(run=Call(name)), options)
        where = f"function {name}"
        check_job(checked(spec_of(job, "/", where), JobSpec, where), where)
        registered = self._registry.add(name, function, options)
        self.engine.look()
        return registered

    def job(self, run: Command | Call | Job, options: JobOptions) -> Job:
        """The one job that `submit` was given, with what its function says of jobs that call it. Raises BadInput."""
        if isinstance(run, Job):
            if options:
                where = next(iter(options))
                raise BadInput("a Job says all of itself", where=where, remedy="give a Job, or a command with options")
            return self._filled(run)
        return self._filled(Job(run=run, **options))

    def jobs(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs that `submit_many` was given, each as `job` has it. Raises BadInput."""
        if isinstance(cast("object", jobs), Job) or not isinstance(cast("object", jobs), Iterable):
            raise BadInput(f"{jobs!r} is not several jobs", where="jobs", remedy="give a list of jobs")
        for job in jobs:
            if not isinstance(cast("object", job), Job):
                raise BadInput(f"{job!r} is no job", where="jobs", remedy="give a `holdfast.Job(run=...)` for each")
            yield self._filled(job)

    def submission(self, jobs: Iterable[Job], flow: str = "", limits: Mapping[str, LimitSpec] | None = None) -> Submit:
        """The command that submits these jobs. Raises BadInput, or what keeps the log from being read."""
        command = submission(jobs, flow, limits)
        check_scripts(self.engine.home, command.flow)
        return command

    def _filled(self, job: Job) -> Job:
        """The job, with what its function says of jobs that call it."""
        run = job.run
        function = self._registry.find(run.function) if isinstance(run, Call) else None
        if function is None:
            return job
        assert isinstance(run, Call), "only calls have functions"
        function.arguments(run)
        return as_its_function_says(job, function.options) if function.options else job

    def record(self, job: int) -> JobRecord:
        """The job as it stands. Raises BadInput, Closed, Damaged or Unavailable."""
        (number,) = numbers((job,))
        with self._reading() as reader:
            return record_of(reader, number)

    def output(self, job: int) -> Output:
        """What the ended job's newest attempt wrote; see `output_of`. Raises Closed, Damaged or Unavailable as well."""
        (number,) = numbers((job,))
        with self._reading() as reader:
            return output_of(reader, number)

    def step(self, name: str, key: str) -> Step:
        """The step, done before or not. Raises BadInput, Closed, Damaged or Unavailable."""
        check_step(name, key)
        with self._reading() as reader:
            return Step(name, key, reader.lookups.step((name, key)))

    def events(self, after: int) -> list[Recorded]:
        """The next few events of the log. Raises Closed, Damaged or Unavailable."""
        with self._reading() as reader:
            lines = islice(reader.events(after), EVENTS_AT_ONCE)
            return [Recorded(stored.seq, stored.time, stored.author, stored.cause, event) for stored, event in lines]


def home_at(home: str | os.PathLike[str] | None) -> Home:
    """The home in this folder; None: as the command line finds it."""
    given = cast("object", home)
    if isinstance(given, os.PathLike):
        given = cast("object", os.fspath(cast("os.PathLike[str]", given)))
    if given is not None and (not isinstance(given, str) or not given or "\0" in given):
        raise BadInput(f"{home!r} is no folder", where="home", remedy="give its path, as text or a Path")
    if given is not None and Path(given).is_absolute():  # whether the program's own folder is still there or not
        return find_home(given, {}, Path(given))
    try:
        return find_home(given, os.environ, Path.cwd())
    except FileNotFoundError as error:
        problem = "the folder that this program is in has been removed"
        raise BadInput(problem, where="home", remedy="give a whole path, or go to a folder that is there") from error


def submission(jobs: Iterable[Job], flow: str = "", limits: Mapping[str, LimitSpec] | None = None) -> Submit:
    """The command that submits these jobs. Raises BadInput."""
    if limits is not None and not isinstance(cast("object", limits), Mapping):
        raise BadInput(f"{limits!r} is no mapping", where="limits", remedy="give a LimitSpec for each name")
    for name in limits or ():
        check_label(name, "name", "limits")
    if flow:
        check_label(flow, "name", "flow")
    try:
        folder = working_folder()
    except OSError:  # it was removed: the jobs that need it are refused
        folder = ""
    return Submit(
        FlowSpec(
            tuple(spec_of(job, folder, place_of(job.name, position)) for position, job in enumerate(jobs, 1)),
            name=flow,
            again=True,
            limits=dict(limits or {}),
        )
    )


def position(after: int) -> int:
    """A position in the log, which it may not have reached. Raises BadInput for what is none."""
    if not isinstance(cast("object", after), int) or not 0 <= after <= NUMBER_MAX:
        raise BadInput(f"{after!r} is no position in the log", remedy="give a whole number, 0 for all of it")
    return after


def submission_text(ids: tuple[int, ...]) -> str:
    """Several jobs in a few characters."""
    if len(ids) <= _SHOWN:
        return f"<jobs {', '.join(map(str, ids))}>"
    return f"<{len(ids)} jobs, {ids[0]} to {ids[-1]}>"


def submitted(answer: Answer) -> tuple[int, ...]:
    """The ids in the answer to a submission."""
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    return answer.jobs


def changed(answer: Answer) -> Changed:
    """The answer to a command that changes jobs or targets."""
    assert isinstance(answer, Changed), "a command is answered by what it changed"
    return answer


def status(answer: Answer) -> Status:
    """The answer to a question about the status."""
    assert isinstance(answer, Status), "a question about the status is answered by it"
    return answer
