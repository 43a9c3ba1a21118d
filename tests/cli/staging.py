"""Homes on disk for the reading commands: what happens there is told step by step, through the real rules and store."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import msgspec

from holdfast.events.decide import decide, wake
from holdfast.events.draft import Draft
from holdfast.events.facts import SupervisorStarted
from holdfast.events.launches import launch
from holdfast.events.limits import Grant
from holdfast.events.messages import AttemptStatus, Command, Configure, Reported, Submit, Submitted, Unreachable
from holdfast.events.outcomes import decide_report
from holdfast.events.spec import LOCAL, FlowSpec, JobSpec, LimitSpec
from holdfast.store.home import Home
from holdfast.store.opening import open_store

T = TypeVar("T")

START: Final = 1_732_110_720_000_000  # 2024-11-20T13:52:00Z
SECOND_US: Final = 1_000_000


class Stage:
    """A home, and what happens to it; the clock stands until it is moved."""

    def __init__(self, folder: Path, now: int = START, cpus: int = 2) -> None:
        self.home = Home(folder / ".holdfast")
        self.home.create()
        self.now = now
        self.store = open_store(self.home.log, now, "ada", make_id=lambda: "0badcafe")
        self.do(Configure({LOCAL: {"cpus": cpus, "memory": 8_000_000_000}}))

    def tick(self, action: Callable[[Draft], T], author: str = "ada") -> T:
        """Do something, and commit it."""
        draft = Draft(self.store.base, self.now, Random(1), author)
        answer = action(draft)
        if draft.entries:
            self.store.commit([draft])
        return answer

    def do(self, command: Command, author: str = "ada") -> object:
        """Decide a command."""
        return self.tick(lambda draft: decide(draft, command), author)

    def submit(self, *jobs: JobSpec, name: str = "", limits: dict[str, LimitSpec] | None = None) -> tuple[int, ...]:
        """Submit jobs together; their ids."""
        answer = self.do(Submit(FlowSpec(jobs, name=name, limits=limits or {})))
        assert isinstance(answer, Submitted)
        return answer.jobs

    def launch(self, *jobs: int, grants: dict[str, int] | None = None) -> None:
        """Launch ready jobs."""

        def each(draft: Draft) -> None:
            for job in jobs:
                launch(draft, draft.known_job(job), Grant(grants or {}))

        self.tick(each, "scheduler")

    def says(self, job: int, state: str, **fields: object) -> None:
        """Have the runner report on a job's newest attempt."""
        found = self.store.base.job(job)
        assert found is not None
        told = {"token": f"0badcafe.{job}.{found.attempt}", "state": state, **fields}
        status = msgspec.convert(told, AttemptStatus)
        self.tick(lambda draft: decide_report(draft, Reported(LOCAL, (status,))), "scheduler")

    def started(self, *jobs: int, **fields: object) -> None:
        """Launch jobs, and see them start."""
        self.launch(*jobs)
        for job in jobs:
            self.says(job, "running", pid=100 + job, process_start=7, started_at=self.now, **fields)

    def ended(self, *jobs: int, exit_code: int = 0, **fields: object) -> None:
        """See running attempts end by themselves."""
        for job in jobs:
            self.says(job, "ended", **{"how": "exited", "exit_code": exit_code, "ended_at": self.now, **fields})

    def ran(self, *jobs: int, exit_code: int = 0) -> None:
        """Launch jobs, and see each end a second later."""
        for job in jobs:
            self.started(job)
            self.now += SECOND_US
            self.ended(job, exit_code=exit_code)

    def lose_sight(self, reason: str = "its runner does not answer") -> None:
        """Have the target out of reach."""
        self.tick(lambda draft: decide_report(draft, Unreachable(LOCAL, reason)), "scheduler")

    def wake(self, job: int) -> None:
        """Let a delay that is over end."""
        self.tick(lambda draft: wake(draft, job), "scheduler")

    def supervisor_started(self) -> None:
        """Record that a supervisor came, without one."""
        self.tick(lambda draft: draft.record(SupervisorStarted(4711, "lab", "0.1.0")))

    def segment(self, name: str, data: bytes) -> None:
        """Make an output segment."""
        self.home.output.mkdir(mode=0o700, exist_ok=True)
        path = self.home.output / name
        path.write_bytes(data)
        path.chmod(0o600)

    def close(self) -> None:
        """Let go of the log."""
        self.store.close()


@contextmanager
def staged(folder: Path, now: int = START, cpus: int = 2) -> Generator[Stage]:
    """A stage that is closed in the end."""
    stage = Stage(folder, now, cpus)
    try:
        yield stage
    finally:
        stage.close()


def job(name: str = "", run: tuple[str, ...] | str = ("true",), **fields: object) -> JobSpec:
    """A job as a user would ask for it."""
    return msgspec.convert({"run": run, "name": name, **fields}, JobSpec)
