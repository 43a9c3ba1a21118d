"""Other machines for benchmarks: real sshd processes on loopback, and a supervisor that reaches them over SSH.

Hosts share this machine's processors with the supervisor, so what both ends take counts. They run commands as sshd does
by default, without the shell that the tests' hosts put before each; $HOME is still a folder of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

from holdfast import FlowSpec, JobSpec, Submit
from holdfast.events.draft import Draft
from holdfast.events.facts import TargetAttached
from holdfast.events.messages import Submitted
from holdfast.events.spec import LOCAL, SshSpec, TargetSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.supervisor import Supervisor, open_supervisor
from tests.hosts.lab import Lab
from tests.hosts.sshd import Host
from tests.tools import need

HOST: Final = "alpha"
# sshd counts a session for some time after its end, so that 10, as there are by default, are too few for 8 at once.
PLAIN: Final[Mapping[str, str | int]] = {"ForceCommand": "none", "LogLevel": "INFO", "MaxSessions": 100}
PATIENCE_S: Final = 30.0


@contextmanager
def hosts(folder: Path, *names: str) -> Generator[tuple[Lab, list[Host]]]:
    """Hosts, and `~/.ssh/config` that names them, for as long as the context lasts."""
    before = os.environ["HOME"]
    with Lab(folder / "lab") as lab:
        started = [lab.host(name, **PLAIN) for name in names]
        (folder / ".ssh").mkdir()
        (folder / ".ssh" / "config").symlink_to(lab.config)
        os.environ["HOME"] = str(folder)
        try:
            yield lab, started
        finally:
            os.environ["HOME"] = before


def targets(machines: Mapping[str, Host], cpus: int) -> dict[str, TargetSpec]:
    """A target for each machine, with room for so many jobs."""
    return {
        name: TargetSpec({"cpus": cpus}, SshSpec(name, str(host.home / "holdfast"))) for name, host in machines.items()
    }


def ignore(draft: Draft, start: int) -> None:
    """Of commits, hear nothing."""
    del draft, start


@asynccontextmanager
async def supervising(
    folder: Path, host: Host, slots: int, on_commit: Callable[[Draft, int], None] = ignore
) -> AsyncGenerator[Supervisor]:
    """A supervisor on a new home; both its targets, the local one and the host, have run a job already."""
    home = Home(folder / "home")
    try:
        async with open_supervisor(home, slots=slots, on_commit=on_commit) as supervisor:
            first = tuple(job(target, "/bin/true") for target in (LOCAL, host.name))
            spec = FlowSpec(first, targets=targets({host.name: host}, slots))
            await supervisor.finished(jobs_of(await supervisor.request(Submit(spec))))
            yield supervisor
    finally:
        end_runners(home)


def job(target: str, *words: str) -> JobSpec:
    """A job there."""
    return JobSpec(run=words, target=target, cwd="/" if target == LOCAL else "")


def jobs_of(answer: object) -> Sequence[int]:
    """The ids of the jobs that a submission made."""
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    return answer.jobs


def end_runners(home: Home) -> None:
    """End every runner of the home, by the pids that the log has: the hosts are this machine."""
    with Reader(home) as reader:
        pids = {event.pid for _, event in reader.events() if isinstance(event, TargetAttached)}
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


@contextmanager
def control_master(lab: Lab, folder: Path) -> Generator[list[str]]:
    """OpenSSH's client with a master connection; the words to which a command is added."""
    words = [need("ssh", "it is part of openssh-client"), "-F", str(lab.config), "-o", f"ControlPath={folder}/master"]
    master = subprocess.Popen([*words, "-M", "-N", HOST], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run([*words, "-O", "check", HOST], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, "the master connection does not stand"
            time.sleep(0.02)
        yield [*words, "-T", HOST]
    finally:
        # Not by SIGTERM, which now and then comes just before the client's poll(2) and is then not heeded.
        master.kill()
        master.wait()
