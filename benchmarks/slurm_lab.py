"""A real Slurm on loopback for benchmarks, and a supervisor that hands its jobs to it.

The daemons, the nodes and the supervisor share this machine's processors. Slurm's commands are counted on their way,
which costs each 0.7 ms, those of the bare limits too. Accounting is on, as it is at most sites. Every sample has a
cluster of its own, as what the controller remembers of earlier ones would slow it down.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from benchmarks.ssh_lab import ignore, jobs_of
from holdfast import FlowSpec, JobSpec, Submit
from holdfast.events.draft import Draft
from holdfast.events.spec import LOCAL, PilotSpec, SlurmSpec, TargetSpec
from holdfast.store.home import Home
from holdfast.supervisor import Supervisor, open_supervisor
from tests.slurm.cluster import Cluster
from tests.slurm.commands import COUNTED
from tests.system.processes import carrying, kill

TARGET: Final = "cluster"
PROGRAM: Final = "/bin/true"
POLL_S: Final = 1.0
CPUS: Final = 64
"""Of each of the two nodes, so that Slurm's own pace is the limit."""
QUEUED: Final = 20_000
_US: Final = 1_000_000


class Clusters:
    """Starts clusters, one at a time, each as if it were the first."""

    def __init__(self, folder: Path) -> None:
        """Make what they begin with; all that they write is below `folder`.

        Where there can be none, the program ends with a sentence that says what is missing.
        """
        self._folder = folder
        self._database = folder / "database"
        self._count = 0
        try:
            first = Cluster(folder / "first", accounting=True)
        except (pytest.skip.Exception, pytest.fail.Exception) as error:
            raise SystemExit(f"not measured: {error.msg}") from None
        with first:
            first.keep_database(self._database)

    @contextmanager
    def start(self) -> Generator[tuple[Cluster, Path]]:
        """A cluster, whose commands are the first on PATH meanwhile, and a new folder to work in."""
        self._count += 1
        folder = self._folder / f"{self._count}"
        folder.mkdir()
        made = Cluster(
            folder / "slurm", accounting=True, cpus=CPUS, database=self._database, MaxJobCount=30_000, MinJobAge=3600
        )
        with made as cluster, _environment(cluster):
            yield cluster, folder


@contextmanager
def clusters() -> Generator[Clusters]:
    """Clusters, as long as the context lasts."""
    # A log that is kept in memory is synced by nobody: so not where the system may have such a folder.
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir="/var/tmp") as name:
        yield Clusters(Path(name))


@contextmanager
def _environment(cluster: Cluster) -> Generator[None]:
    before = {each: os.environ.get(each) for each in cluster.environ}
    os.environ.update(cluster.environ)
    os.environ["PATH"] = f"{cluster.path}:{before['PATH']}"
    try:
        yield
    finally:
        for each, value in before.items():
            if value is None:
                os.environ.pop(each, None)
            else:
                os.environ[each] = value


@asynccontextmanager
async def supervising(
    folder: Path, pilot: PilotSpec | None = None, on_commit: Callable[[Draft, int], None] = ignore, slots: int = 2
) -> AsyncGenerator[Supervisor]:
    """A supervisor on a new home in `folder`, with a local target of so many slots, and the cluster as another.

    Both have run a job, the cluster in an allocation if there is a `pilot`.
    """
    workdir = folder / "workdir"
    try:
        async with open_supervisor(Home(folder / "home"), slots=slots, on_commit=on_commit) as supervisor:
            spec = FlowSpec((job(target=LOCAL), job()), targets={TARGET: target(workdir, pilot)})
            await supervisor.finished(jobs_of(await supervisor.request(Submit(spec))))
            yield supervisor
    finally:
        end_runners(folder)


def target(workdir: Path, pilot: PilotSpec | None = None) -> TargetSpec:
    """The cluster as a target."""
    return TargetSpec({}, slurm=SlurmSpec(str(workdir), poll_us=int(POLL_S * _US), max_queued=QUEUED, pilot=pilot))


def job(*words: str, target: str = TARGET) -> JobSpec:
    """A job; without words, one that does nothing."""
    return JobSpec(run=words or (PROGRAM,), target=target, cwd="/" if target == LOCAL else "")


def end_runners(folder: Path) -> None:
    """End the runners whose homes or workdirs are in `folder`: what starts Slurm's commands, and the local one."""
    for pid, where in list(carrying(f"{folder}/".encode())):
        if where == "cmdline":
            kill(pid, signal.SIGTERM)


def counted(cluster: Cluster) -> Counter[str]:
    """How often which of Slurm's commands was called so far."""
    return Counter({name: len(cluster.calls(name)) for name in COUNTED})
