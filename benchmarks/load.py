"""A supervisor under load: 100,000 jobs wait, 1,000 run, and 50 clients ask, submit, list and follow at once.

Everything is real: `holdfast serve` on a fresh home, processes that run,
`holdfast log --follow` beside it. The clients (`benchmarks.load_clients`) run on the same machine, so what they meet
includes the time that they themselves take. Bounds: every request is answered, every event reaches every follower, a
status comes within 50 ms in 99 of 100 cases, those who never read are cut off, memory stays flat once the load is on.
Afterwards one client hands over 100,000 jobs in one flow, and cancels all there are in one request; how long that
takes, and how long the others wait meanwhile, is told and not bounded.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Final, Literal

import msgspec

from benchmarks.benchmark import Benchmark
from benchmarks.load_clients import JOBS_A_FLOW, Report, Reports
from benchmarks.load_samples import Samples, draw
from benchmarks.results import Measurement, Scale
from benchmarks.serving import HOLDFAST, PATIENCE_S, serving, until
from benchmarks.tables import number
from holdfast.client import ask, send
from holdfast.events.messages import AskStatus, Cancel, Status, Submit, Submitted
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.home import Home
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader
from holdfast.store.statements import run, transaction

WAITING: Final = 100_000
RUNNING: Final = 1_000
SECONDS: Final = 30.0
ASKING: Final = {"status": 20, "submit": 10, "deaf": 4}
LISTING: Final = {"jobs": 6}
FOLLOWING: Final = 10
STATUS_P99_MS: Final = 50.0
GROWTH_MIB: Final = 32.0
"""Beyond what the jobs take that are submitted meanwhile."""
JOB_BYTES: Final = 500
_BARE_COMMITS: Final = 200
BARE_COMMIT: Final = "a bare commit of one row"
_CALM_AFTER: Final = 1 / 3
_PICTURE: Final = Path(__file__).parent.parent / "docs" / "pictures" / "load.svg"


_Better = Literal["higher", "lower"]


class Outcome:
    """What was found out, told at once, as the whole takes minutes."""

    def __init__(self) -> None:
        self.found: list[Measurement] = []

    def tell(
        self,
        name: str,
        unit: str,
        amount: float,
        budget: float | None = None,
        better: _Better = "lower",
        limit: str | None = None,
    ) -> None:
        """Remember a figure; the budget is on it."""
        self.found.append(
            Measurement(
                name=name, unit=unit, better=better, samples=(amount,), limit=limit, budget=budget, budget_on="median"
            )
        )
        print(f"{name}: {number(amount)} {unit}", flush=True)


def status(home: Home) -> Status:
    """How things stand."""
    answer = ask(home, AskStatus())
    assert isinstance(answer, Status), "a question about the status is answered by it"
    return answer


def fill(home: Home) -> None:
    """Have RUNNING jobs run, of 5 to 65 s, and WAITING jobs wait: half of them for room, half for another job."""
    running = [
        JobSpec(run=("/bin/sleep", f"{5 + number * 60 / RUNNING}"), name=f"r{number}") for number in range(RUNNING)
    ]
    send(home, Submit(FlowSpec(tuple(running), "running")))
    half = WAITING // 2
    ready = [JobSpec(run=("/bin/sleep", "30"), name=f"j{number}", priority=-1) for number in range(half)]
    after = [
        JobSpec(run=("/bin/sleep", "30"), name=f"a{number}", after=(f"j{number}",), priority=-1)
        for number in range(half)
    ]
    send(home, Submit(FlowSpec((*ready, *after), "waiting")))
    until(lambda: status(home).counts.get("running", 0) >= RUNNING, f"{RUNNING} jobs run")


def bare_commit_ms(folder: Path) -> float:
    """How long a commit of one job takes without any supervisor, the median."""
    home = Home(folder / "bare")
    send(home, Submit(FlowSpec((JobSpec(run=("true",)),))))
    took: list[float] = []
    store = open_store(home.log, 0, "benchmark")
    for _ in range(_BARE_COMMITS):
        began = time.perf_counter()
        with transaction(store.writing):
            run(store.writing, "insert into meta values ('bare', 1) on conflict do update set value = value + 1")
        took.append((time.perf_counter() - began) * 1e3)
    store.close()
    return median(took)


def _clients(home: Home, seconds: float, roles: dict[str, int]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "benchmarks.load_clients", str(home.path), str(seconds)]
    return subprocess.Popen([*words, *(f"{role}={count}" for role, count in roles.items())], stdout=subprocess.PIPE)


def _reports(clients: Sequence[subprocess.Popen[bytes]]) -> Reports:
    found: Reports = {}
    for each in clients:
        found |= msgspec.json.decode(each.communicate(timeout=PATIENCE_S)[0], type=Reports)
    return found


class Followers:
    """`holdfast log --follow` several times, each into a file of its own."""

    def __init__(self, home: Home, count: int) -> None:
        """Follow from here on."""
        with Reader(home) as reader:
            self._after = reader.seq
        self._home = home
        self._files = [home.path.with_name(f"follower{number}") for number in range(count)]
        words = [*HOLDFAST, str(home.path), "log", "--follow", "--json", "--after", str(self._after)]
        self._children = [subprocess.Popen(words, stdout=file.open("wb")) for file in self._files]

    def lost(self) -> int:
        """Wait until all have what the log has now, and end them; returns how many events did not reach somebody."""
        with Reader(self._home) as reader:
            upto = reader.seq
        deadline = time.monotonic() + 5
        while self._missing(upto) and time.monotonic() < deadline:
            time.sleep(0.2)
        for child in self._children:
            child.send_signal(signal.SIGINT)
            child.wait(PATIENCE_S)
        return self._missing(upto)

    def _missing(self, upto: int) -> int:
        wanted = set(range(self._after + 1, upto + 1))
        return sum(len(wanted - set(self._heard(file))) for file in self._files)

    @staticmethod
    def _heard(file: Path) -> Generator[int]:
        for line in file.read_bytes().split(b"\n")[:-1]:
            yield msgspec.json.decode(line)["seq"]


def under_load(home: Home, samples: Samples, outcome: Outcome, folder: Path) -> None:
    """All clients at once, and what came of it."""
    outcome.tell(BARE_COMMIT, "ms", bare_commit_ms(folder))
    before = status(home).counts
    followers = Followers(home, FOLLOWING)
    began_s = samples.mark("clients come")
    busy = samples.busy_s()
    clients = [_clients(home, SECONDS, ASKING), _clients(home, SECONDS, LISTING)]
    reports = _reports(clients)
    ended_s = samples.mark("clients leave")
    busy = [after - earlier for earlier, after in zip(busy, samples.busy_s(), strict=True)]
    lost = followers.lost()
    outcome.tell("jobs that wait at the start", "jobs", before.get("ready", 0) + before.get("waiting", 0))
    outcome.tell("jobs that run at the start", "jobs", before.get("running", 0))
    for role, report in reports.items():
        if role != "deaf":
            _tell_role(role, report, outcome)
    outcome.tell("clients that never read: cut off", "times", reports["deaf"].cut_off, ASKING["deaf"], "higher")
    outcome.tell(f"events that a follower of {FOLLOWING} missed", "events", lost, 0)
    flows = reports["submit"].answered
    with Reader(home) as reader:
        recorded = sum(1 for _ in reader.jobs("flow glob 'small*'")) // JOBS_A_FLOW
    outcome.tell("flows acknowledged", "flows", flows)
    outcome.tell("flows acknowledged and not recorded, or the other way", "flows", abs(flows - recorded), 0)
    for name, used_s in zip(samples.names, busy, strict=True):
        outcome.tell(f"processor time of the {name}", "s", used_s)
    _tell_memory(samples, began_s, ended_s, flows * JOBS_A_FLOW, outcome)


def _tell_role(role: str, report: Report, outcome: Outcome) -> None:
    cut = quantiles(report.took_ms, n=100)
    outcome.tell(f"{role}: p50", "ms", cut[49], limit=BARE_COMMIT)
    outcome.tell(f"{role}: p90", "ms", cut[89], limit=BARE_COMMIT)
    outcome.tell(f"{role}: p99", "ms", cut[98], STATUS_P99_MS if role == "status" else None, limit=BARE_COMMIT)
    outcome.tell(f"{role}: longest", "ms", max(report.took_ms), limit=BARE_COMMIT)
    outcome.tell(f"{role}: sent", "requests", report.sent)
    outcome.tell(f"{role}: not answered", "requests", report.sent - report.answered + len(report.refused), 0)


def _tell_memory(samples: Samples, began_s: float, ended_s: float, new_jobs: int, outcome: Outcome) -> None:
    settled_s = began_s + (ended_s - began_s) * _CALM_AFTER
    allowed = GROWTH_MIB + new_jobs * JOB_BYTES / 2**20
    for name in samples.names:
        first, last = samples.between(name, settled_s, ended_s)
        outcome.tell(f"memory of the {name} after a third", "MiB", first)
        outcome.tell(f"memory of the {name}: growth from there to the end", "MiB", last - first, round(allowed, 1))


def one_huge_request(home: Home, samples: Samples, outcome: Outcome) -> None:
    """What one client that submits and cancels 100,000 jobs at once does to others."""
    jobs = [JobSpec(run=("/bin/true",), name=f"h{number}", priority=-2) for number in range(WAITING)]
    asking = _clients(home, 12.0, {"status": 10})
    time.sleep(2)
    samples.mark("100,000 jobs")
    began = time.perf_counter()
    answer = send(home, Submit(FlowSpec(tuple(jobs), "huge")))
    submitted_s = time.perf_counter() - began
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    report = _reports([asking])["status"]
    outcome.tell("100,000 jobs in one request", "s", submitted_s)
    outcome.tell("... longest wait of others for a status: submission", "ms", max(report.took_ms))
    with Reader(home) as reader:
        unfinished = tuple(line.id for line in reader.jobs("activity > 0"))
    asking = _clients(home, 14.0, {"status": 10})
    time.sleep(2)
    samples.mark("all cancelled")
    began = time.perf_counter()
    send(home, Cancel(unfinished))
    cancelled_s = time.perf_counter() - began
    report = _reports([asking])["status"]
    outcome.tell("all jobs cancelled in one request", "s", cancelled_s)
    outcome.tell("... longest wait of others for a status: cancellation", "ms", max(report.took_ms))
    until(lambda: not status(home).counts, "everything has ended")


def measure(scale: Scale) -> Sequence[Measurement]:
    """One round of it, which takes two minutes; also draws the memory."""
    assert scale == "full", "there is no quick load"
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        home = Home(folder / "home")
        with serving(home, RUNNING) as pid, Samples({"supervisor": pid}) as samples:
            fill(home)
            samples.follow("runner", status_of_runner(home))
            under_load(home, samples, outcome, folder)
            one_huge_request(home, samples, outcome)
        draw(samples, _PICTURE)
    return outcome.found


def status_of_runner(home: Home) -> int:
    """The runner's pid."""
    with Reader(home) as reader:
        target = reader.lookups.target("local")
    assert target is not None, "the target is configured"
    assert target.pid is not None, "its runner runs"
    return target.pid


BENCHMARK: Final = Benchmark(
    "load",
    "A supervisor with 100,000 jobs and 50 clients: answers, memory, the largest requests.",
    measure,
    quick=False,
)
