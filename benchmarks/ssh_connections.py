"""What other machines cost beside their jobs: the way to the first job there, and what a connection takes at rest.

The first part is from the start of `holdfast run` until a job on the host is at work, by the time that OpenSSH's client
takes to the same: on a host that has nothing of Holdfast, on one where the runner's file is and no runner, and on one
where it runs. The second is a `holdfast serve` with 50 hosts connected and nothing to do: its memory by host, and the
share of a core that it takes for its own pings and for keep-alives. Every host is a real sshd of its own on loopback.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.load_samples import busy_s, resident_bytes
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from benchmarks.serving import HOLDFAST, serving, until
from benchmarks.ssh_lab import HOST, PATIENCE_S, end_runners, hosts, job, targets
from holdfast import FlowSpec, Submit
from holdfast.client import send
from holdfast.events.facts import AttemptEnded
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from tests.hosts.lab import Lab
from tests.hosts.sshd import Host
from tests.tools import need

HOSTS: Final[dict[Scale, int]] = {"full": 50, "quick": 5}
REST_S: Final[dict[Scale, float]] = {"full": 20, "quick": 5}
ROUNDS: Final = 3
BARE: Final = "ssh HOST, the first command"
FLOW: Final = """\
[targets.{name}]
host = "{name}"
capacity = {{ cpus = 1 }}
workdir = "{workdir}"

[jobs.first]
run = "date +%s%N > {note}"
target = "{target}"
"""


class Way:
    """The ways to a first job on a host."""

    def __init__(self, folder: Path, lab: Lab, host: Host) -> None:
        self._folder, self._lab, self._host = folder, lab, host
        self._workdir, self._note = host.home / "holdfast", folder / "note"
        self._numbers = count()

    def ssh(self) -> float:
        """Milliseconds until a command of OpenSSH's client is at work."""
        command = [need("ssh", "it is part of openssh-client"), "-F", str(self._lab.config), HOST]
        return self._until_noted([*command, f"date +%s%N > {self._note}"])

    def fresh(self, target: str = HOST) -> float:
        """The same of `holdfast run` on a new home, and a host that has nothing of Holdfast."""
        shutil.rmtree(self._workdir, ignore_errors=True)
        home = self._home()
        took = self._run(home, target)
        end_runners(home)
        return took

    def placed(self) -> float:
        """On a new home, and a host that has the runner's file from another."""
        first = self._home()
        self._run(first)
        end_runners(first)
        home = self._home()
        took = self._run(home)
        end_runners(home)
        return took

    def running(self) -> float:
        """On a home whose runner is there and runs."""
        home = self._home()
        self._run(home)
        took = self._run(home)
        end_runners(home)
        return took

    def _home(self) -> Home:
        return Home(self._folder / f"home-{next(self._numbers)}")

    def _run(self, home: Home, target: str = HOST) -> float:
        text = FLOW.format(name=HOST, workdir=self._workdir, note=self._note, target=target)
        flow = self._folder / "first.toml"
        flow.write_text(text)
        return self._until_noted([*HOLDFAST, str(home.path), "run", "--again", str(flow)])

    def _until_noted(self, command: Sequence[str]) -> float:
        began = time.time_ns()
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
        return (int(self._note.read_text()) - began) / 1e6


def first_jobs(folder: Path, lab: Lab, host: Host) -> list[Measurement]:
    """Every way to the first job, in turn."""
    way = Way(folder, lab, host)
    case = partial(Case, unit="ms", better="lower", loose=True)
    return interleaved(
        [
            case(name=BARE, run=way.ssh),
            case(name="holdfast run, first job on this machine", run=partial(way.fresh, "local"), limit=BARE),
            case(name="holdfast run, first job on a fresh host", run=way.fresh, limit=BARE),
            case(name="... where the runner's file is", run=way.placed, limit=BARE),
            case(name="... where the runner runs", run=way.running, limit=BARE),
        ],
        ROUNDS,
    )


def at_rest(folder: Path, machines: dict[str, Host], rest_s: float) -> list[Measurement]:
    """What a supervisor takes with one host connected, and with all."""
    home = Home(folder / "home")
    one = dict(list(machines.items())[:1])
    try:
        with serving(home, 1) as pid:
            _connect(home, one)
            before = resident_bytes(pid)
            alone = _busy(pid, rest_s)
            _connect(home, machines)
            after = resident_bytes(pid)
            busy = _busy(pid, rest_s)
    finally:
        end_runners(home)
    return resting(len(machines), (before, after), (alone, busy))


def resting(hosts: int, resident: tuple[float, float], shares: tuple[float, float]) -> list[Measurement]:
    """The measurements of a rest with one host connected, and then with so many: resident bytes, shares of a core."""
    a_host = (resident[1] - resident[0]) / 1e3 / (hosts - 1)
    percent = [100 * share for share in shares]
    figure = partial(Measurement, better="lower", loose=True)
    return [
        figure(name=f"resident, each of {hosts} hosts but the first", unit="kB", samples=(a_host,)),
        figure(name="at rest, 1 host", unit="% of a core", samples=(percent[0],)),
        figure(name=f"at rest, {hosts} hosts", unit="% of a core", samples=(percent[1],)),
    ]


def _connect(home: Home, machines: dict[str, Host]) -> None:
    """Have a job run on each, and wait for all."""
    with Reader(home) as reader:
        before = _ended(reader)
    jobs = tuple(job(name, "/bin/true") for name in machines)
    send(home, Submit(FlowSpec(jobs, targets=targets(machines, 1))))
    with Reader(home) as reader:
        until(lambda: _ended(reader) == before + len(machines), "every host has run its job")
    time.sleep(1)  # until what follows the last end is done


def _ended(reader: Reader) -> int:
    return sum(isinstance(event, AttemptEnded) for _, event in reader.events())


def _busy(pid: int, seconds: float) -> float:
    before, began = busy_s(pid), time.monotonic()
    time.sleep(seconds)
    return (busy_s(pid) - before) / (time.monotonic() - began)


def measure(scale: Scale) -> Sequence[Measurement]:
    """The first jobs; then the rest, in one round, as memory is no matter of speed."""
    names = (HOST, *(f"host{number}" for number in range(1, HOSTS[scale])))
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        with hosts(folder, *names) as (lab, started):
            found = first_jobs(folder, lab, started[0])
            return [*found, *at_rest(folder, dict(zip(names, started, strict=True)), REST_S[scale])]


BENCHMARK: Final = Benchmark(
    "ssh-connections", "The way to a host's first job, and what a connection takes at rest.", measure, quick=False
)
