"""A place whose jobs run on a cluster of the lab: as a user would have it, and with a supervisor of little patience."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from holdfast.events.facts import AttemptBatched, BatchSubmitted, BatchWaits
from holdfast.events.records import Attempt, Ended, Outcome
from tests.hosts.lab import Lab
from tests.hosts.sshd import Host
from tests.system.marks import MARK, check_log
from tests.system.place import ENDED, Place, Started, until, wait_s
from tests.system.processes import carrying, kill

from .cluster import Cluster
from .local_disks import forget

Places = Callable[[Cluster], "Submitting"]
"""Makes a place whose jobs go to this cluster; it ends with the test."""
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
        forget(self.workdir)

    def runners(self) -> list[int]:
        """Pids of the runners that start Slurm's commands, on this machine or on a login node of it."""
        return [pid for pid, words in self._carrying() if b"--detach" in words]

    def _carrying(self) -> Iterator[tuple[int, list[bytes]]]:
        """Pids of processes with a path of the workdir among their words, and these."""
        for pid, where in carrying(f"{self.workdir}/".encode()):
            if where == "cmdline":
                with suppress(OSError):  # it has just ended
                    yield pid, Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")

    def log_in(self, lab: Lab, name: str = "login", **options: str | int) -> Host:
        """A login node of the cluster, and a person who may log in there."""
        person = self.folder.parent / "person"
        (person / ".ssh").mkdir(parents=True)
        (person / ".ssh" / "config").symlink_to(lab.config)
        self.environment.update(HOME=str(person), SSH_AUTH_SOCK="")
        return self.cluster.login(lab, name, **options)

    def _segment(self, name: str) -> Path:
        (found,) = self.workdir.glob(f".holdfast/*/output/{name}")
        return found

    def target(self, *lines: str, name: str = "cluster", poll: str = "1s") -> str:
        """The table of a target that is the cluster; `lines` are more of it."""
        table = [f"[targets.{name}]", 'kind = "slurm"', f'workdir = "{self.workdir}"', f'poll = "{poll}"', *lines]
        return "\n".join(table) + "\n"

    def serve_impatiently(self) -> Started:
        """A supervisor to which a second of silence is long."""
        return self.serving(self.start(str(self.home.path), command=IMPATIENT, folder=PROJECT))

    def slurm_id(self, name: str) -> str:
        """The id of a job's newest attempt in Slurm, as 25 or 25_3; empty as long as it is not known."""
        job, ids, found = self.job(name), dict[str, str](), None
        for event in self.events():
            if isinstance(event, BatchSubmitted):
                ids[event.batch] = event.id
            elif isinstance(event, AttemptBatched) and event.job == job.id:
                found = event
        if found is None or found.batch not in ids:
            return ""
        return ids[found.batch] + ("" if found.index is None else f"_{found.index}")

    def attempt(self, name: str) -> Attempt:
        """The newest attempt of a job."""
        job = self.job(name)
        with self.reader() as reader:
            found = reader.lookups.attempt((job.id, job.attempt))
        assert found is not None
        return found

    def outcome(self, name: str) -> Outcome:
        """How the newest attempt of a job ended."""
        phase = self.attempt(name).phase
        assert isinstance(phase, Ended), phase
        return phase.outcome

    def waits_for(self, reason: str) -> bool:
        """Whether the queue was ever seen to have a batch that waits for this, in Slurm's word."""
        return any(isinstance(event, BatchWaits) and event.reason == reason for event in self.events())

    def explained(self, name: str) -> str:
        """What `explain` says of a job, on one line."""
        return " ".join(self.run("explain", name).out.split())

    def until_done(self, within_s: float = 100.0) -> None:
        """Wait until all jobs have ended, which may take a while: it is looked at ten times a second."""

        def done() -> bool:
            wait_s(0.1)
            return self.unfinished() == 0

        until(done, "all jobs end", within_s)

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
