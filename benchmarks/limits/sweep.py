"""All points of a sweep in turn, each in a process and a folder of its own; what a point leaves is ended."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.limits.ending import end_all_of
from benchmarks.limits.figures import Figures, Plan
from benchmarks.limits.programs import is_small, make_program
from holdfast.store.home import Home

PATIENCE_S: Final = 90.0
TRIES: Final = 2
SPARE_PROCESSES: Final = 500
FILES_A_JOB: Final = 3
"""That the runner holds: two of its output, one to hear of its end."""


class PointFailed(Exception):
    """A point could not be measured; the text says why."""


class Sweep(Struct, frozen=True):
    """What to measure."""

    kinds: Sequence[str]
    thinks_ms: Sequence[float]
    limits: Sequence[int]
    seconds: float
    rounds: int = 1
    known: AbstractSet[tuple[str, float, int]] = frozenset()
    """Points (kind, think time, limit) that are not to be measured."""


@contextmanager
def _point(plan: Plan) -> Generator[subprocess.Popen[bytes]]:
    """A point that is being measured; whatever happens, nothing of it is left."""
    words = [sys.executable, "-m", "benchmarks.limits.point", msgspec.json.encode(plan).decode()]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()
        end_all_of(Home(Path(plan.folder) / "home"))


def measure_point(plan: Plan) -> Figures:
    """Measure one. Raises PointFailed."""
    with _point(plan) as child:
        try:
            found, errors = child.communicate(timeout=plan.seconds + PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise PointFailed(f"it took more than {plan.seconds + PATIENCE_S:.0f} s") from error
        if child.returncode != 0:
            last = errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise PointFailed(f"it ended with {child.returncode}: {last}")
        return msgspec.json.decode(found, type=Figures)


def measure_calmly(plan: Plan) -> Figures:
    """Measure a point; again if something else disturbed it, and then the calmer one counts. Raises PointFailed."""
    tries: list[Figures] = []
    while len(tries) < TRIES and all(each.disturbed for each in tries):
        with tempfile.TemporaryDirectory(dir=plan.folder) as folder:
            tries.append(measure_point(replace(plan, folder=folder)))
        if tries[-1].exceeded:
            return tries[-1]
    return min(tries, key=lambda each: each.processes["others"])


class Stop(Struct, frozen=True):
    """A curve can't go on: `limit` and larger ones are left out, and why. `failed`: that is no fault of the machine."""

    kind: str
    limit: int
    why: str
    failed: bool = False


def points(sweep: Sweep) -> Generator[Figures | Stop]:
    """Measure all, curve by curve."""
    with tempfile.TemporaryDirectory(prefix="holdfast-limits-") as folder:
        program = make_program(Path(folder))
        if "processes" in sweep.kinds and not is_small(program):
            print("processes are Python programs, for want of a C compiler: it is mostly they that are measured")
        for _ in range(sweep.rounds):
            for kind in sweep.kinds:
                for think_ms in sweep.thinks_ms:
                    yield from _curve(
                        Plan(kind, limit, think_ms, sweep.seconds, folder, program)
                        for limit in sweep.limits
                        if (kind, think_ms, limit) not in sweep.known
                    )


def _curve(plans: Iterable[Plan]) -> Generator[Figures | Stop]:
    """The points of one curve, up to where it can't go on."""
    for plan in plans:
        hindrance = no_room(plan.kind, plan.limit)
        if hindrance is not None:
            yield Stop(plan.kind, plan.limit, hindrance)
            return
        try:
            point = measure_calmly(plan)
        except PointFailed as error:
            yield Stop(plan.kind, plan.limit, str(error), failed=True)
            return
        yield point
        if point.reached < plan.limit:
            yield Stop(plan.kind, plan.limit, f"{point.reached} were reached; {'; '.join(point.errors)}", failed=True)
            return


def no_room(kind: str, limit: int) -> str | None:
    """Why this machine can't have so many processes at once; None if it can, and for all but processes."""
    if kind != "processes":
        return None
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text())
    there = sum(each.name.isdigit() for each in Path("/proc").iterdir())
    if limit + SPARE_PROCESSES > pid_max - there:
        return f"the kernel numbers {pid_max} processes and threads at most (kernel.pid_max), and {there} are there"
    mine, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if mine != resource.RLIM_INFINITY and os.getuid() != 0 and limit + SPARE_PROCESSES > mine:
        return f"the user may have {mine} processes (ulimit -u)"
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and FILES_A_JOB * limit + SPARE_PROCESSES > files:
        return f"the runner may have {files} files open (ulimit -Hn), and holds {FILES_A_JOB} for each job"
    return None
