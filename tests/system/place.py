"""A place to work in: an empty folder where commands are started as a user would, and looked at from outside."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from holdfast.events.errors import Unavailable
from holdfast.events.facts import Event
from holdfast.events.states import FINAL, NAMES
from holdfast.store.errors import NoHome
from holdfast.store.home import Home
from holdfast.store.listing import JobLine
from holdfast.store.reader import Reader

from .processes import jobs_of, kill, runners_of

PATIENCE_S: Final = 60.0  # for what comes soon unless something is wrong; the machine may be busy
COMMAND: Final = (sys.executable, "-m", "holdfast")
MISTAKES: Final = ("Traceback", "mistake of Holdfast", "is started anew", "Warning")
ENDED: Final = frozenset(NAMES[state] for state in FINAL)


def until(condition: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
    """Wait for something that tells nobody when it happens; it fails, and says `what`, where it doesn't."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        select.select([], [], [], 0.01)


def wait_s(seconds: float) -> None:
    """Let a random time pass before a kill, or a time in which nothing may happen."""
    select.select([], [], [], seconds)


class Finished(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Started:
    """A command that was started; what it writes goes into files."""

    def __init__(self, child: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.child, self.pid = child, child.pid
        self._out, self._err = out, err

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    @property
    def running(self) -> bool:
        return self.child.poll() is None

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def signal(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    def finish(self, within_s: float = PATIENCE_S) -> Finished:
        """Wait for its end, and make sure that no mistake of our own shows."""
        try:
            code = self.child.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within_s} s: {self.child.args!r}\n{self.err}") from None
        finished = Finished(code, self.out, self.err)
        assert not [each for each in MISTAKES if each in finished.err], finished.err
        return finished


class Place:
    """A working folder with a home in it, and every process that was started there."""

    def __init__(self, folder: Path, home: str = ".holdfast") -> None:
        self.folder = folder / "work"
        self.folder.mkdir(exist_ok=True)
        self.home = Home(self.folder / home)
        self.environment = {name: value for name, value in os.environ.items() if name != "HOLDFAST_HOME"}
        self._io = folder / "io"
        self._io.mkdir(exist_ok=True)
        self._started: list[Started] = []

    def flow(self, text: str, name: str = "flow.toml") -> str:
        (self.folder / name).write_text(text)
        return name

    def start(
        self,
        *words: str | Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        data: str = "",
        command: tuple[str, ...] = COMMAND,
    ) -> Started:
        """Start `holdfast WORDS`; `environment` is added to the place's own, `data` is its standard input."""
        number = len(self._started)
        out, err, given = (self._io / f"{number}.{what}" for what in ("out", "err", "in"))
        given.write_text(data)
        with out.open("wb") as out_file, err.open("wb") as err_file, given.open("rb") as input_file:
            child = subprocess.Popen(
                [*command, *map(str, words)],
                stdin=input_file,
                stdout=out_file,
                stderr=err_file,
                cwd=folder or self.folder,
                env={**self.environment, **(environment or {})},
            )
        started = Started(child, out, err)
        self._started.append(started)
        return started

    def run(
        self,
        *words: str | Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        data: str = "",
    ) -> Finished:
        """Run `holdfast WORDS` to its end."""
        return self.start(*words, environment=environment, folder=folder, data=data).finish()

    def serve(self, *words: str) -> Started:
        """A supervisor that answers."""
        return self.serving(self.start("serve", *words))

    def serving(self, started: Started) -> Started:
        """The same, once it says that it serves."""
        until(lambda: "serving" in started.err or not started.running, "it says that it serves")
        assert started.running, started.err
        return started

    def hand_over(self, text: str) -> Started:
        """Hand a flow to the supervisor that is at work, or be one."""
        before = len(self.jobs())
        run = self.start("run", self.flow(text))
        until(lambda: len(self.jobs()) > before or not run.running, "the flow is submitted")
        return run

    def reader(self) -> Reader:
        return Reader(self.home)

    def jobs(self) -> list[JobLine]:
        """All jobs; none where there is no home yet."""
        try:
            with self.reader() as reader:
                return list(reader.jobs())
        except NoHome:
            return []

    def job(self, name: str) -> JobLine:
        (found,) = [job for job in self.jobs() if name in (job.name, str(job.id))]
        return found

    def state(self, name: str) -> str:
        return self.job(name).state

    def states(self) -> dict[str, str]:
        return {job.name: job.state for job in self.jobs()}

    def unfinished(self) -> int:
        return sum(job.state not in ENDED for job in self.jobs())

    def until_state(self, name: str, *states: str) -> None:
        until(lambda: name in self.states() and self.state(name) in states, f"{name} is {' or '.join(states)}")

    def events(self) -> list[Event]:
        with self.reader() as reader:
            return [event for _, event in reader.events()]

    def output(self, name: str, stream: int = 0) -> bytes:
        """What the newest attempt of an ended job wrote to stdout (0) or stderr (1), as far as it was kept."""
        from holdfast.events.records import Ended  # noqa: PLC0415 - only here

        job = self.job(name)
        with self.reader() as reader:
            attempt = reader.lookups.attempt((job.id, job.attempt))
        assert attempt is not None
        assert isinstance(attempt.phase, Ended)
        found = attempt.phase.outcome.output[stream]
        with self._segment(found.segment).open("rb") as file:
            file.seek(found.start)
            return file.read((found.end or 0) - found.start)

    def _segment(self, name: str) -> Path:
        return self.home.output / name

    def runner_pid(self) -> int | None:
        """The pid of the home's runner, if one lives."""
        return next(iter(runners_of(self.home.path)), None)

    def until_runner(self) -> int:
        # Seen twice: the process that is started detaches the runner, and ends.
        seen: list[int | None] = [None]

        def stays() -> bool:
            seen.append(self.runner_pid())
            return seen[-1] is not None and seen[-1] == seen[-2]

        until(stays, "a runner lives")
        pid = seen[-1]
        assert pid is not None
        return pid

    def close(self) -> None:
        """End every command, the runner, and the jobs that outlived it."""
        for started in self._started:
            if started.running:
                started.kill()
        for pid in runners_of(self.home.path):
            kill(pid)
        try:
            with self.reader() as reader:
                token = reader.lookups.home
        except Unavailable:  # no home, or a full disk
            return
        for pid in jobs_of(token):
            kill(pid)
