"""What the jobs of a sweep are: work that notes its beginning and its end by its own clock. One class for each kind.

All kinds note CLOCK_MONOTONIC, which every process of a machine shares. A job is either to think for so long, or to
wait until all are released. A further kind (hosts, say) is one more class, made in `work_of`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import trio

from benchmarks.limits.figures import Plan
from benchmarks.limits.spans import Span
from holdfast.functions import call
from holdfast.handle import Holdfast
from holdfast.jobs import Job
from holdfast.store.home import Home

LIMIT: Final = "swept"
HELD: Final = -1
"""Think until released."""


class Work(Protocol):
    """A kind of job."""

    def offer(self, holdfast: Holdfast) -> None:
        """Whatever is to be done before jobs are submitted."""
        ...

    def job(self, number: int, think_us: int) -> Job:
        """A job of this number, which differs from all others, under the limit that is swept."""
        ...

    def release(self) -> None:
        """Let those go on that were held, and all that come later."""
        ...

    def spans(self) -> dict[int, Span]:
        """What the jobs say, by number. For when all have ended that will."""
        ...


def work_of(plan: Plan, home: Home) -> Work:
    """What the jobs of this plan are."""
    return FunctionWork() if plan.kind == "functions" else ProcessWork(home, plan.program)


class FunctionWork:
    """Async functions of the program itself."""

    def __init__(self) -> None:
        self._began: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._released = trio.Event()

    def offer(self, holdfast: Holdfast) -> None:
        """Register the function."""
        holdfast.function("work", limits=[LIMIT])(self._work)

    async def _work(self, number: int, think_us: int) -> None:
        self._began[number] = time.monotonic_ns()
        if think_us == HELD:
            await self._released.wait()
        elif think_us:
            await trio.sleep(think_us / 1e6)
        self._ended[number] = time.monotonic_ns()

    def job(self, number: int, think_us: int) -> Job:
        """See `Work`."""
        return Job(run=call("work", number=number, think_us=think_us), limits=[LIMIT])

    def release(self) -> None:
        """See `Work`."""
        self._released.set()

    def spans(self) -> dict[int, Span]:
        """See `Work`."""
        return spans_of(self._began, self._ended)


class ProcessWork:
    """Processes of a small program (see `programs`). What they say goes into their output, as of any job."""

    def __init__(self, home: Home, program: tuple[str, ...]) -> None:
        """The home's output is read at the end."""
        self._home = home
        self._program = program
        self._gate = home.path.with_name("gate")
        os.mkfifo(self._gate)
        self._opened: int | None = None

    def offer(self, holdfast: Holdfast) -> None:
        """Nothing to do."""

    def job(self, number: int, think_us: int) -> Job:
        """See `Work`."""
        held = [str(self._gate)] if think_us == HELD else []
        run = [*self._program, str(number), str(max(0, think_us)), *held]
        return Job(run=run, limits=[LIMIT], cwd=self._gate.parent)

    def release(self) -> None:
        """See `Work`."""
        if self._opened is None:
            self._opened = os.open(self._gate, os.O_RDWR)  # so it waits for no reader, and is there for later ones

    def spans(self) -> dict[int, Span]:
        """See `Work`."""
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None
        return spans_said(self._home.path / "output")


def spans_said(folder: Path) -> dict[int, Span]:
    """What programs wrote into files of this folder: a number, `+` or `-`, and nanoseconds, a line each."""
    began: dict[int, int] = {}
    ended: dict[int, int] = {}
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            number, what, at_ns = line.split()
            (began if what == "+" else ended)[int(number)] = int(at_ns)
    return spans_of(began, ended)


def spans_of(began: Mapping[int, int], ended: Mapping[int, int]) -> dict[int, Span]:
    """The spans of those that began; one that did not say that it ended counts up to the last word of any."""
    last_ns = max([*began.values(), *ended.values()], default=0)
    return {number: Span(at_ns, ended.get(number, last_ns)) for number, at_ns in began.items()}
