"""`/bin/true` through the runner alone: jobs a second beside a bare posix_spawn loop, and the runner's processor time.

The driver keeps a queue of launches ahead of the slots and acknowledges every end, as a supervisor does, but decides
and records nothing. The runner's part is all there: claims, journal, ranges of output, reports. The bare loop has as
many in flight and the same redirections. The budget: 100 us of the runner's processor time a job with several in
flight; the bare loop's own time is printed beside it, as most of it is the system's work of making a process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.bare_spawn import PROGRAM, bare_loop
from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from holdfast.store.unix_path import short_address

# Slots, and launches queued ahead of them, as many as a supervisor sends.
CASES: Final[dict[Scale, tuple[tuple[int, int], ...]]] = {"full": ((2, 32), (8, 64)), "quick": ((8, 64),)}
JOBS: Final[dict[Scale, int]] = {"full": 3_000, "quick": 800}
BUDGET_US: Final = 100
_RUNNER: Final = Path(__file__).parent.parent / "actors" / "runner.py"


class _Ended(msgspec.Struct):
    token: str
    state: str


class _Message(msgspec.Struct):
    type: str
    attempts: list[_Ended] = []


_decoder: Final = msgspec.json.Decoder(_Message)


class Driver:
    """A runner in a folder of its own, and the connection to it."""

    def __init__(self, home: Path) -> None:
        """Start a runner and say hello; raises OSError where it doesn't answer."""
        self.runner = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_RUNNER), str(home)], stdin=subprocess.DEVNULL, start_new_session=True
        )
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 10
        with short_address(home / "runner.sock") as address:
            while self._socket.connect_ex(address) != 0:
                assert time.monotonic() < deadline, "the runner opens its socket within seconds"
                time.sleep(0.01)
        self._stream = self._socket.makefile("rb")
        self._send({"type": "hello", "protocol": 1, "environ": dict(os.environ)})
        self._receive()
        self._count = 0

    def close(self) -> None:
        """End the runner."""
        self._stream.close()
        self._socket.close()
        self.runner.terminate()
        self.runner.wait()

    def _send(self, *messages: object) -> None:
        bodies = [msgspec.json.encode(message) for message in messages]
        self._socket.sendall(b"".join(len(body).to_bytes(4, "big") + body for body in bodies))

    def _receive(self) -> _Message:
        return _decoder.decode(self._stream.read(int.from_bytes(self._stream.read(4), "big")))

    def _launch(self, number: int) -> dict[str, object]:
        attempts: list[dict[str, object]] = []
        for _ in range(number):
            self._count += 1
            job = str(self._count)
            attempts.append(
                {
                    "token": f"benchmark.{job}.1",
                    "argv": [PROGRAM],
                    "cwd": "/",
                    "env": {"HOLDFAST_JOB": job, "HOLDFAST_ATTEMPT": "1"},
                    "needs": {"cpus": 1},
                    "rates": [],
                    "timeout_us": None,
                    "grace_us": 5_000_000,
                    "max_output_bytes": 1 << 30,
                }
            )
        return {"type": "launch", "attempts": attempts}

    def run(self, slots: int, ahead: int, jobs: int) -> None:
        """Run so many jobs in `slots` slots with `ahead` launches in the queue."""
        self._send({"type": "capacity", "capacity": {"cpus": slots}})
        launched = slots + ahead
        self._send(self._launch(launched))
        ended = 0
        while ended < jobs:
            tokens = [each.token for each in self._receive().attempts if each.state == "ended"]
            ended += len(tokens)
            more = min(len(tokens), jobs - launched)
            launched += more
            self._send({"type": "acknowledge", "tokens": tokens}, self._launch(more))


@contextlib.contextmanager
def driver() -> Generator[Driver]:
    """A runner for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        made = Driver(Path(folder))
        try:
            yield made
        finally:
            made.close()


def processor_us(pid: int) -> float:
    """Return the processor time of a process, without its children; Linux, elsewhere 0."""
    try:
        return int((Path("/proc") / str(pid) / "schedstat").read_text().split()[0]) / 1000
    except OSError:
        return 0.0


def through_runner(slots: int, ahead: int, jobs: int, used_us: list[float]) -> float:
    """Jobs a second through the runner; its processor time a job, in us, is added to `used_us`."""
    with driver() as runner:
        pid = runner.runner.pid
        before_us, began = processor_us(pid), time.perf_counter()
        runner.run(slots, ahead, jobs)
        passed_s = time.perf_counter() - began
        used_us.append((processor_us(pid) - before_us) / jobs)
    return jobs / passed_s


def through_bare_loop(slots: int, jobs: int, used_us: list[float]) -> float:
    """Jobs a second of a bare loop; its processor time a job, in us, is added to `used_us`."""
    with tempfile.NamedTemporaryFile() as output:
        rate, each_us = bare_loop(slots, jobs, output.name)
    used_us.append(each_us)
    return rate


def measure(scale: Scale) -> Sequence[Measurement]:
    """Jobs a second, and the processor time of both parents."""
    return [each for slots, ahead in CASES[scale] for each in _measure(slots, ahead, JOBS[scale])]


def _measure(slots: int, ahead: int, jobs: int) -> list[Measurement]:
    bare, bare_us, runner_us = f"bare loop, {slots} slots", list[float](), list[float]()
    rates = interleaved(
        [
            Case(name=bare, unit="jobs/s", run=partial(through_bare_loop, slots, jobs, bare_us)),
            Case(
                name=f"{slots} slots, {ahead} ahead",
                unit="jobs/s",
                run=partial(through_runner, slots, ahead, jobs, runner_us),
                limit=bare,
            ),
        ]
    )
    floor = Measurement(name=f"{bare}: processor", unit="us a job", better="lower", samples=tuple(bare_us))
    used = Measurement(
        name=f"{slots} slots: processor",
        unit="us a job",
        better="lower",
        samples=tuple(runner_us),
        limit=floor.name,
        budget=BUDGET_US,
        budget_on="median",
    )
    return [*rates, floor, used]


BENCHMARK: Final = Benchmark(
    "runner_spawn", "`/bin/true` through the runner alone, by a bare posix_spawn loop.", measure
)
