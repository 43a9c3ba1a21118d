"""A place whose jobs run on hosts of the lab: what a person has in ~/.ssh, and the marks that jobs leave over there."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from holdfast.client import ask
from holdfast.events.hosts import HostState, name_of
from holdfast.events.messages import Dial
from tests.system.marks import MARK
from tests.system.place import ENDED, Finished, Place, Started, until

from .lab import Lab
from .sshd import Host

IMPATIENT: Final = (sys.executable, "-m", "tests.hosts.impatient")
WAITING: Final = f"{MARK}; until [ -e go ]; do sleep 0.02; done"  # a job that runs until the test touches `go` there
PROJECT: Final = Path(__file__).parents[2]


def target(name: str, *lines: str, host: str = "", cpus: int = 4) -> str:
    """The table of a target, whose host is of the same name unless given."""
    table = [f"[targets.{name}]", 'kind = "ssh"', f'host = "{host or name}"', f"capacity = {{ cpus = {cpus} }}", *lines]
    return "\n".join(table) + "\n"


def jobs(target_name: str, names: Iterable[str], command: str = MARK, more: str = "") -> str:
    """Jobs that run `command` on a target."""
    table = f'target = "{target_name}"\nrun = "{command}"\n{more}\n'
    return "".join(f"[jobs.{name}]\n{table}" for name in names)


def numbered(letter: str, count: int) -> list[str]:
    """Names of jobs."""
    return [f"{letter}{number}" for number in range(count)]


class Elsewhere(Place):
    """A place with a way to the hosts of a lab."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        super().__init__(folder)
        self.lab = lab
        self.person = folder / "person"
        (self.person / ".ssh").mkdir(parents=True)
        self.config = self.person / ".ssh" / "config"
        self.config.symlink_to(lab.config)
        self.environment.update(HOME=str(self.person), SSH_AUTH_SOCK="")

    def serve_impatiently(self) -> Started:
        """A supervisor to which a second of silence is long."""
        return self.serving(self.start(str(self.home.path), command=IMPATIENT, folder=PROJECT))

    def finish_in_a_hurry(self, run: Started, *hosts: str, within_s: float = 600.0) -> Finished:
        """Wait for the end of `run`; hosts that are down are tried at once, as `hosts check` does, and not later."""

        def ended() -> bool:
            down = tuple(host for host in hosts if self.host_state(host) == "down")
            if down:
                ask(self.home, Dial(down))
            return not run.running

        until(ended, f"it ends\n{run.err}", within_s)
        return run.finish()

    def explained(self, name: str) -> str:
        """What `explain` says of a job, on one line."""
        return " ".join(self.run("explain", name).out.split())

    def host_state(self, name: str) -> str:
        """How a host stands, as `hosts` says it."""
        state = self._host(name)
        return "" if state is None else name_of(state)

    def _host(self, name: str) -> HostState | None:
        with self.reader() as reader:
            found = reader.lookups.target(name)
        return None if found is None else found.host

    def until_host(self, name: str, *states: str) -> None:
        """Wait until a host stands so."""
        until(lambda: self.host_state(name) in states, f"{name} is {' or '.join(states)}")


def marks_on(*hosts: Host) -> list[str]:
    """The tokens whose attempts ran on these hosts, as often as they did."""
    found: list[str] = []
    for host in hosts:
        path = host.home / "holdfast" / "marks"
        found += path.read_text().split() if path.exists() else []
    return found


def check_ran_once(place: Place, *hosts: Host, lost_allowed: bool = False) -> Counter[str]:
    """Every job that succeeded ran once by its own mark, none twice; one that is lost says so.

    Returns how many jobs ended in which state.
    """
    found = marks_on(*hosts)
    assert [token for token, times in Counter(found).items() if times > 1] == []
    times = Counter(int(token.split(".")[1]) for token in found)
    all_jobs = place.jobs()
    for job in all_jobs:
        assert job.state in ENDED, job
        if job.state == "succeeded":
            assert times[job.id] == 1, job
        else:
            assert lost_allowed, job
            assert job.state == "lost", job
            assert times[job.id] <= 1, job
    return Counter(job.state for job in all_jobs)
