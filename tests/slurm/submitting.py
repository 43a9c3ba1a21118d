"""A place whose jobs run on a cluster of the lab: as a user would have it, and with a supervisor of little patience."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.system.marks import MARK, check_log
from tests.system.place import ENDED, Place, Started, until
from tests.system.processes import carrying, kill

from .cluster import Cluster

IMPATIENT: Final = (sys.executable, "-m", "tests.slurm.impatient")
PROJECT: Final = Path(__file__).parents[2]


class Submitting(Place):
    """A place with a way to a cluster, whose commands are on its PATH, and a workdir."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder)
        self.cluster = cluster
        self.workdir = folder / "shared"
        self.workdir.mkdir()
        self.environment.update(cluster.environ)
        # Where the tools of this Python are, and after them the cluster's counted commands.
        self.environment["PATH"] = f"{cluster.path}:{self.environment['PATH']}"

    def close(self) -> None:
        """End what was started here, the runner beside Slurm's commands as well."""
        super().close()
        for pid, _ in carrying(f"{self.workdir}/".encode()):
            kill(pid, signal.SIGKILL)

    def _segment(self, name: str) -> Path:
        (found,) = self.workdir.glob(f".holdfast/*/output/{name}")
        return found

    def target(self, *lines: str, name: str = "cluster", poll: str = "1s") -> str:
        """The table of a target that is the cluster; `lines` are more of it."""
        table = [f"[targets.{name}]", 'kind = "slurm"', f'workdir = "{self.workdir}"', f'poll = "{poll}"', *lines]
        return "\n".join(table) + "\n"

    def serve_impatiently(self) -> Started:
        """A supervisor to which a second of silence is long."""
        started = self.start(str(self.home.path), command=IMPATIENT, folder=PROJECT)
        until(lambda: "serving" in started.err or not started.running, "it serves")
        assert started.running, started.err
        return started

    def hand_over(self, text: str) -> Started:
        """Hand a flow to the supervisor that is at work, or be one."""
        before = len(self.jobs())
        run = self.start("run", self.flow(text))
        until(lambda: len(self.jobs()) > before or not run.running, "the flow is submitted")
        return run

    def marks(self) -> list[str]:
        """The tokens whose attempts ran, as often as they did."""
        path = self.workdir / "marks"
        return path.read_text().split() if path.exists() else []

    def touch(self, name: str) -> None:
        """Make a file that jobs look for in their folder."""
        (self.workdir / name).touch()

    @property
    def home_id(self) -> str:
        """What the tokens of this home begin with."""
        with self.reader() as reader:
            return reader.lookups.home

    def check_ran_once(self, *, states: Iterable[str] = ("succeeded",)) -> Counter[str]:
        """Every job that succeeded ran once by its own mark, and none twice; all ended in one of `states`."""
        found = self.marks()
        assert [token for token, times in Counter(found).items() if times > 1] == []
        times = Counter(int(token.split(".")[1]) for token in found)
        all_jobs = self.jobs()
        for job in all_jobs:
            assert job.state in ENDED, job
            assert job.state in set(states), job
            if job.state == "succeeded":
                assert times[job.id] >= 1, job
            assert times[job.id] <= job.attempt, job
        check_log(self)
        return Counter(job.state for job in all_jobs)

    def check_submitted(self, count: int) -> None:
        """The cluster was given just so many attempts, by all it ever accepted."""
        assert self.cluster.submitted_count(self.home_id + ".") == count


def jobs(names: Iterable[str], command: str = MARK, *more: str, target: str = "cluster") -> str:
    """Jobs that run `command` on a target."""
    lines = "\n".join((f'target = "{target}"', f"run = '''{command}'''", *more))
    return "".join(f"[jobs.{name}]\n{lines}\n" for name in names)


def numbered(letter: str, count: int) -> list[str]:
    """Names of jobs."""
    return [f"{letter}{number}" for number in range(count)]
