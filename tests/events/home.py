"""A home for tests: a base, a clock that stands until it is moved, and each command or report as a tick of its own."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

import msgspec

from holdfast.events.decide import decide, wake
from holdfast.events.draft import Draft, Entry
from holdfast.events.facts import Event
from holdfast.events.launches import launch
from holdfast.events.messages import (
    AttemptStatus,
    Changed,
    Command,
    Report,
    Reported,
    Submit,
    Submitted,
)
from holdfast.events.outcomes import decide_report
from holdfast.events.records import Job
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, TargetSpec
from holdfast.events.states import JobState, name_of

from .memory_base import MemoryBase

T = TypeVar("T")

SECOND_US = 1_000_000
CAPACITY = {"cpus": 4, "memory": 100}


class Home:
    """Everything said to it is decided and, if it was not refused, committed at once."""

    def __init__(self, base: MemoryBase | None = None) -> None:
        self.base = MemoryBase() if base is None else base
        self.now = 1_000 * SECOND_US
        self.random = Random(1)
        self.entries: list[Entry] = []

    def draft(self) -> Draft:
        """A new tick's draft, not to be committed unless by `commit`."""
        return Draft(self.base, self.now, self.random, "ada")

    def commit(self, draft: Draft) -> None:
        """Take over what the draft changed; `entries` are those of the newest one."""
        self.entries = draft.entries
        self.base.apply(draft)

    def tick(self, action: Callable[[Draft], T]) -> T:
        """Do something in a tick of its own."""
        draft = self.draft()
        answer = action(draft)
        self.commit(draft)
        return answer

    def submit(self, *jobs: JobSpec, limits: dict[str, LimitSpec] | None = None, name: str = "") -> tuple[int, ...]:
        """Submit jobs as one flow; their ids."""
        spec = FlowSpec(jobs, limits=limits or {}, targets={"local": TargetSpec(CAPACITY)}, name=name)
        answer = self.do(Submit(spec))
        assert isinstance(answer, Submitted)
        return answer.jobs

    def do(self, command: Command) -> Submitted | Changed:
        """Decide a command."""
        return self.tick(lambda draft: decide(draft, command))

    def change(self, command: Command) -> Changed:
        """Decide a command that is answered by `Changed`."""
        answer = self.do(command)
        assert isinstance(answer, Changed)
        return answer

    def report(self, report: Report) -> list[Job]:
        """Decide a report; the jobs to be sent again."""
        return self.tick(lambda draft: decide_report(draft, report))

    def launch(self, *jobs: int) -> None:
        """Launch ready jobs."""
        draft = self.draft()
        for job in jobs:
            launch(draft, draft.known_job(job))
        self.commit(draft)

    def wake(self, job: int) -> bool:
        """Make a delayed job ready if its time has come; whether it has to wait on."""
        return self.tick(lambda draft: wake(draft, job))

    def says(self, job: int, state: str, **fields: object) -> None:
        """Report on a job's newest attempt."""
        self.report(Reported("local", (self.status(job, state, **fields),)))

    def status(self, job: int, state: str, **fields: object) -> AttemptStatus:
        """What a runner would say of a job's newest attempt."""
        return status(self.token(job), state, **fields)

    def token(self, job: int) -> str:
        """The token of a job's newest attempt."""
        return f"{self.base.home}.{job}.{self.job(job).attempt}"

    def started(self, *jobs: int) -> None:
        """Launch jobs, and see them start."""
        self.launch(*jobs)
        for job in jobs:
            self.says(job, "running", pid=100 + job, process_start=7, started_at=self.now)

    def ended(self, *jobs: int, exit_code: int = 0) -> None:
        """See attempts end by themselves."""
        for job in jobs:
            self.says(job, "ended", how="exited", exit_code=exit_code, started_at=self.now, ended_at=self.now)

    def ran(self, *jobs: int, exit_code: int = 0) -> None:
        """Launch jobs and see them end."""
        for job in jobs:
            self.launch(job)
            self.ended(job, exit_code=exit_code)

    def job(self, job: int) -> Job:
        """The job's record."""
        return self.base.records.jobs[job]

    def state(self, job: int) -> JobState:
        """The job's state."""
        return self.job(job).state

    def names(self, *jobs: int) -> list[str]:
        """The names of the jobs' states."""
        return [name_of(self.state(job)) for job in jobs]

    @property
    def events(self) -> list[Event]:
        """The events of the newest tick."""
        return [entry.event for entry in self.entries]


def status(token: str, state: str, **fields: object) -> AttemptStatus:
    """What a runner would say of an attempt."""
    return msgspec.convert({"token": token, "state": state, **fields}, AttemptStatus)


def spec(name: str = "", **fields: object) -> JobSpec:
    """A job as a user would ask for it, checked like a flow file."""
    return msgspec.convert({"run": ["true"], "name": name, **fields}, JobSpec)
