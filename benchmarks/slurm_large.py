"""10,000 jobs handed to a cluster at once: the calls that takes, the time to plan and submit them, memory, and others.

None of them begins: the partition is closed, as what their scripts take would hide what is asked. The supervisor is a
process of its own, and clients ask it for its status all the while; memory is resident, beyond what it takes with one
job. Then it is started anew, and finds them all in the queue.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.benchmark import Benchmark
from benchmarks.load import Outcome
from benchmarks.load_clients import Report, Reports
from benchmarks.load_samples import busy_s, resident_bytes
from benchmarks.results import Measurement, Scale
from benchmarks.serving import PATIENCE_S, serving, until
from benchmarks.slurm_lab import PROGRAM, TARGET, clusters, counted, end_runners, job, target
from holdfast.client import send
from holdfast.events import facts
from holdfast.events.messages import Submit, Submitted
from holdfast.events.spec import FlowSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from tests.slurm.cluster import Cluster

JOBS: Final[dict[Scale, int]] = {"full": 10_000, "quick": 1_000}
CALLS_MOST: Final = 20
STATUS_P99_MS: Final = 50.0
JOB_BYTES: Final = 2_000
ASKING_S: Final[dict[Scale, int]] = {"full": 15, "quick": 6}
_CLIENTS: Final = "status=5"  # a hundred questions a second
_CLOSED: Final = ("scontrol", "update", "PartitionName=main")
_BEFORE_S: Final = 1.0
_SETTLE_S: Final = 3.0
_P99: Final = 99


@contextmanager
def asking(home: Home, seconds: int) -> Generator[Report]:
    """Clients that ask for the status for so long; what they met is there at the end of the context."""
    words = [sys.executable, "-m", "benchmarks.load_clients", str(home.path), str(seconds), _CLIENTS]
    report = Report()
    with subprocess.Popen(words, stdout=subprocess.PIPE) as clients:
        try:
            time.sleep(_BEFORE_S)
            yield report
            said = clients.communicate(timeout=seconds + PATIENCE_S)[0]
        finally:
            if clients.poll() is None:
                clients.send_signal(signal.SIGKILL)
    found = msgspec.json.decode(said, type=Reports)["status"]
    report.sent, report.answered, report.took_ms = found.sent, found.answered, sorted(found.took_ms)


def until_submitted(home: Home, jobs: int) -> float:
    """Wait until the cluster has so many attempts more than one; seconds from the first plan to the last answer."""
    until(lambda: _submitted(home)[0] > jobs, f"{jobs} attempts are submitted")
    return _submitted(home)[1]


def _submitted(home: Home) -> tuple[int, float]:
    with Reader(home) as reader:
        log = list(reader.events())
    sizes = {event.batch: event.size for _, event in log if isinstance(event, facts.BatchPlanned)}
    answered = [event.batch for _, event in log if isinstance(event, facts.BatchSubmitted)]
    times = [stored.time for stored, event in log if isinstance(event, facts.BatchSubmitted)]
    launched = [stored.time for stored, event in log if isinstance(event, facts.AttemptLaunched)]
    return sum(sizes[each] for each in answered), (times[-1] - launched[-1]) / 1e6 if times else 0.0


def begin(home: Home, workdir: Path) -> None:
    """Have one job run, so that the cluster is known and reached."""
    answer = send(home, Submit(FlowSpec((job(),), targets={TARGET: target(workdir)})))
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    until(lambda: _unfinished(home) == 0, "the first job has ended")


def _unfinished(home: Home) -> int:
    with Reader(home) as reader:
        return sum(amount for state, amount in reader.counts().items() if state not in {"succeeded", "failed"})


def submit(home: Home, pid: int, cluster: Cluster, scale: Scale, outcome: Outcome) -> None:
    """Submit all of them at once, and tell what that took."""
    jobs = JOBS[scale]
    before, alone, busy_before_s = counted(cluster), resident_bytes(pid), busy_s(pid)
    with asking(home, ASKING_S[scale]) as report:
        send(home, Submit(FlowSpec(tuple(job(PROGRAM, str(number)) for number in range(jobs)))))
        took_s = until_submitted(home, jobs)
        used_s = busy_s(pid) - busy_before_s
        called = counted(cluster) - before
    outcome.tell(f"calls of sbatch for {jobs:,} jobs", "calls", called["sbatch"], CALLS_MOST)
    outcome.tell("from their launch to the last answer of sbatch", "s", took_s)
    outcome.tell("... processor time of the supervisor, its answers to others among it", "s", used_s)
    tell_waits("while they are planned and wait", report, outcome)
    grown = (resident_bytes(pid) - alone) / jobs
    outcome.tell("memory of the supervisor", "bytes a job", grown)


def tell_waits(when: str, report: Report, outcome: Outcome) -> None:
    """How long others waited for an answer."""
    took_ms = report.took_ms
    outcome.tell(f"status {when}: p50", "ms", took_ms[len(took_ms) // 2])
    outcome.tell(f"status {when}: p99", "ms", took_ms[len(took_ms) * _P99 // 100], STATUS_P99_MS)
    outcome.tell(f"status {when}: longest", "ms", took_ms[-1])
    outcome.tell(f"status {when}: not answered", "requests", report.sent - report.answered, 0)


def take_up(home: Home, pid: int, scale: Scale, outcome: Outcome) -> None:
    """Tell what a supervisor that starts anew meets and takes, with all of them in the cluster's queue."""
    before = busy_s(pid)
    with asking(home, ASKING_S[scale]) as report:
        pass
    outcome.tell("started anew: processor time with all in the queue", "% of a core", used(pid, before, scale))
    outcome.tell("started anew: memory of the supervisor", "MiB", resident_bytes(pid) / 2**20)
    tell_waits("of one that was started anew", report, outcome)


def used(pid: int, before_s: float, scale: Scale) -> float:
    """Of a core, in percent."""
    return 100 * (busy_s(pid) - before_s) / (ASKING_S[scale] + _BEFORE_S)


def measure(scale: Scale) -> Sequence[Measurement]:
    """One round of it."""
    outcome = Outcome()
    with clusters() as made, made.start() as (cluster, folder):
        home = Home(folder / "home")
        try:
            with serving(home, 2) as pid:
                begin(home, folder / "workdir")
                ran = cluster.run(*_CLOSED, "State=DOWN")
                assert ran.returncode == 0, ran.stderr
                time.sleep(_SETTLE_S)
                submit(home, pid, cluster, scale, outcome)
            with serving(home, 2) as pid:
                take_up(home, pid, scale, outcome)
        finally:
            end_runners(folder)
    return outcome.found


BENCHMARK: Final = Benchmark(
    "slurm-large",
    "10,000 jobs handed to a cluster at once: calls, time, memory, and answers to others.",
    measure,
    kept=False,
)
