"""`/bin/true` jobs a second on another machine, 8 in flight, by those of asyncssh and of OpenSSH's client.

The other machine is a real sshd on loopback, so both ends share this machine. Both limits have one connection, and on
it a channel for each command, OpenSSH's client (ControlMaster) with a process for each as well; they record nothing.
Holdfast has one channel, to its runner, for all jobs, and records each. The ratio to its own local target says what SSH
adds to that. `+50 ms` is over a link that delays so long in each direction, by fewer jobs, as there each waits.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import trio

from benchmarks.bare_asyncssh import PROGRAM, jobs_a_second
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from benchmarks.slow_link import slow_link
from benchmarks.ssh_lab import HOST, control_master, hosts, job, jobs_of, supervising
from holdfast import FlowSpec, Submit
from holdfast.events.spec import LOCAL
from tests.hosts.lab import Lab
from tests.hosts.sshd import Host

AT_ONCE: Final = 8
JOBS: Final[dict[Scale, int]] = {"full": 2_000, "quick": 400}
ROUNDS: Final = 3
FAR_MS: Final = 50
BARE: Final = "asyncssh, one connection"
MASTER: Final = "ssh, ControlMaster"
HERE: Final = "holdfast, local target"
BY_BARE, BY_MASTER, BY_LOCAL = 1.5, 4, 0.8


def through_master(lab: Lab, jobs: int) -> float:
    """Jobs a second by a process of OpenSSH's client each, over one master connection."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder, control_master(lab, Path(folder)) as words:
        command = [*words, PROGRAM]
        clients: set[int] = set()
        began = time.perf_counter()
        for _ in range(jobs):
            if len(clients) == AT_ONCE:
                _one_ends(clients)
            clients.add(_client(command))
        while clients:
            _one_ends(clients)
        return jobs / (time.perf_counter() - began)


def _client(command: list[str]) -> int:
    silent = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    return os.posix_spawn(command[0], command, os.environ, file_actions=silent)


def _one_ends(clients: set[int]) -> None:
    pid, status = os.wait()
    assert pid in clients, "the master connection ended, or the host"
    assert os.waitstatus_to_exitcode(status) == 0, "a command failed"
    clients.remove(pid)


def through_holdfast(host: Host, target: str, jobs: int) -> float:
    """Jobs a second from the answer to the submission until the last end is committed."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        return trio.run(_through_holdfast, Path(folder), host, target, jobs)


async def _through_holdfast(folder: Path, host: Host, target: str, jobs: int) -> float:
    async with supervising(folder, host, AT_ONCE) as supervisor:
        submitted = await supervisor.request(Submit(FlowSpec((job(target, PROGRAM),) * jobs)))
        began = time.perf_counter()
        await supervisor.finished(jobs_of(submitted))
        return jobs / (time.perf_counter() - began)


def measure(scale: Scale) -> Sequence[Measurement]:
    """Both limits, the local target and the host in turn; then the same host far away."""
    jobs = JOBS[scale]
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder, hosts(Path(folder), HOST) as (lab, started):
        (host,) = started
        rate = partial(Case, unit="jobs/s")
        bare, ours = partial(jobs_a_second, lab.config, HOST, AT_ONCE), partial(through_holdfast, host, HOST)
        measured = interleaved(
            [
                rate(name=BARE, run=partial(bare, jobs)),
                rate(name=MASTER, run=partial(through_master, lab, jobs // 4)),
                rate(name=HERE, run=partial(through_holdfast, host, LOCAL, jobs)),
                rate(name="holdfast, over SSH", run=partial(ours, jobs), limit=HERE, budget=BY_LOCAL),
            ],
            ROUNDS,
        )
        measured += also_by({BARE: BY_BARE, MASTER: BY_MASTER}, measured[-1])
        with slow_link(host.port, FAR_MS) as port:
            lab.route(host, port)
            far = f"{BARE}, +{FAR_MS} ms"
            cases = [
                rate(name=far, run=partial(bare, jobs // 20)),
                rate(name=f"holdfast, over SSH, +{FAR_MS} ms", run=partial(ours, jobs // 2), limit=far, budget=BY_BARE),
            ]
            return [*measured, *interleaved(cases, ROUNDS)]


def also_by(limits: dict[str, float], found: Measurement) -> list[Measurement]:
    """The same samples once more for each other limit, with its budget."""
    return [
        Measurement(
            name=f"{found.name}, by {limit}",
            unit=found.unit,
            better=found.better,
            samples=found.samples,
            limit=limit,
            budget=budget,
        )
        for limit, budget in limits.items()
    ]


BENCHMARK: Final = Benchmark(
    "ssh-rate", "`/bin/true` on another machine, by asyncssh and by OpenSSH's client.", measure, quick=False
)
