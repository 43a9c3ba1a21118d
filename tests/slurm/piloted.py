"""A place whose jobs run in allocations of a cluster, and the marks that they leave."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from holdfast.events import facts
from holdfast.events.records import Allocation, Retired
from tests.system.marks import MARK
from tests.system.place import ENDED, Place, Started, until
from tests.system.processes import carrying, kill

from . import impatient
from .cluster import Cluster
from .local_disks import forget

WAITING: Final = f"{MARK}; until [ -e go ]; do sleep 0.05; done"  # until the test touches `go` in the workdir
NAME: Final = "pilots"
_IMPATIENT: Final = (sys.executable, "-m", impatient.__name__)
_PROJECT: Final = Path(__file__).parents[2]


class Piloted(Place):
    """A place with a cluster that is reached from here, and a folder that its nodes share."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder)
        self.cluster = cluster
        self.workdir = folder / "shared"
        self.environment.update(cluster.environ)

    def target(self, pilot: Mapping[str, str | int | None], *lines: str) -> str:
        """The table of the target; `pilot`: what differs from one allocation of 4 cpus that stays for an hour."""
        values = {"time": "20m", "max": 1, "cpus": 4, "idle": "1h", **pilot}
        given = [(key, value) for key, value in values.items() if value is not None]
        text = ", ".join(f"{key} = {value!r}".replace("'", '"') for key, value in given)
        table = [f"[targets.{NAME}]", 'kind = "slurm"', f'workdir = "{self.workdir}"', 'poll = "1s"']
        return "\n".join([*table, f"pilot = {{ {text} }}", *lines]) + "\n"

    def jobs_of(self, names: Iterable[str], command: str = MARK, more: str = "") -> str:
        """Jobs that run `command` there."""
        return "".join(f'[jobs.{name}]\ntarget = "{NAME}"\nrun = "{command}"\n{more}\n' for name in names)

    def serve_impatiently(self) -> Started:
        """A supervisor to which a few seconds of silence are long."""
        return self.serving(self.start(str(self.home.path), command=_IMPATIENT, folder=_PROJECT))

    def submit_flow(self, text: str) -> None:
        """Hand a flow to the supervisor that serves."""
        flow = self.flow(text)
        before = len(self.jobs())
        run = self.start("run", flow)
        until(lambda: len(self.jobs()) > before or not run.running, "the flow is submitted")
        assert len(self.jobs()) > before, run.err
        run.kill()

    def close(self) -> None:
        """See `Place`; its allocations end as well, and the runner beside Slurm's commands."""
        self.cluster.cancel_all()
        super().close()
        for pid, where in list(carrying(f"{self.workdir}/.holdfast".encode())):
            if where == "cmdline":
                kill(pid)
        forget(self.workdir)

    def go(self) -> None:
        """Let the jobs end that wait for it."""
        (self.workdir / "go").touch()

    def marks(self) -> list[str]:
        """The tokens whose attempts ran, as often as they did."""
        path = self.workdir / "marks"
        return path.read_text().split() if path.exists() else []

    def allocations(self) -> list[Allocation]:
        """Those that are not retired, by number."""
        with self.reader() as reader:
            found = [each.allocation for each in reader.lookups.targets() if each.allocation is not None]
        found = [each for each in found if not isinstance(each.state, Retired)]
        return sorted(found, key=lambda each: each.number)

    def asked_for(self) -> int:
        """How many allocations were ever asked for."""
        return sum(isinstance(event, facts.AllocationRequested) for event in self.events())

    def ids(self) -> list[str]:
        """The numbers that Slurm gave its allocations, of all that ever ran."""
        return [event.id for event in self.events() if isinstance(event, facts.AllocationGranted)]

    def until_marked(self, count: int) -> None:
        """Wait until so many attempts have begun."""
        until(lambda: len(self.marks()) >= count, f"{count} attempts have begun")

    def until_unfinished(self, count: int, within_s: float = 120.0) -> None:
        """Wait until no more jobs than that are unfinished."""
        until(lambda: self.unfinished() <= count, f"at most {count} jobs are unfinished", within_s)

    def check_ran_once(self) -> Counter[str]:
        """No attempt ran twice, and of each job that succeeded its last one did; returns how many jobs ended how."""
        found = self.marks()
        assert [token for token, times in Counter(found).items() if times > 1] == []
        jobs = self.jobs()
        for job in jobs:
            assert job.state in ENDED, job
            if job.state == "succeeded":
                assert sum(token.endswith(f".{job.id}.{job.attempt}") for token in found) == 1, job
        return Counter(job.state for job in jobs)


def numbered(letter: str, count: int) -> list[str]:
    """Names of jobs."""
    return [f"{letter}{number}" for number in range(count)]
