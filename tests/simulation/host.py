"""The real runner's seam to its machine, over the simulated one. A runner can be killed at every call of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence

from holdfast.actors import runner

from .determinism import now_us
from .machine import Machine
from .scripts import script_of


class Killed(BaseException):
    """The runner was killed with SIGKILL at this very moment."""


class SimulatedHost(runner.Host):
    """See `runner.Host`. One object for one runner process; what stays when it dies is in the machine."""

    block_bytes = 1

    def __init__(self, machine: Machine, pid: int) -> None:
        self.machine = machine
        self.boot = machine.boot
        self.pid = pid
        self.free: list[int] = []
        self.spent: set[int] = set()

    def step(self) -> None:
        """A moment at which the runner may be killed."""
        machine = self.machine
        if machine.steps_left is not None:
            machine.steps_left -= 1
            if machine.steps_left < 0:
                raise Killed

    def wall_us(self) -> int:
        return self.machine.clock.now()

    def monotonic_us(self) -> int:
        return self.machine.monotonic_us()

    def name_journal(self) -> str:
        self.machine.journals += 1
        return f"{self.machine.name}-journal-{self.machine.journals}"

    def read_journal(self) -> bytes:
        return self.machine.journal

    def append(self, lines: str) -> None:
        self.step()
        self._refuse_if_full()
        content, whole = self.machine.journal, lines.encode("ascii")
        torn = content + whole[: self.machine.random.randrange(len(whole) + 1)]
        self.machine.journal = torn
        self.step()
        self.machine.journal = content + whole
        self.step()

    def rewrite(self, lines: str) -> None:
        self.step()
        self._refuse_if_full()
        self.machine.journal = lines.encode("ascii")
        self.step()

    def _refuse_if_full(self) -> None:
        if now_us() < self.machine.full_until_us:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def lease(self) -> int:
        self.step()
        if not self.free:
            self._refuse_if_full()
            self.free.append(self.machine.next_segment)
            self.machine.next_segment += 1
        return self.free.pop()

    def reopen(self, segment: int) -> None:
        self.spent.add(segment)

    def sizes(self, segment: int) -> tuple[int, int]:
        return self.machine.sizes.get(segment, 0), 0

    def release(self, segment: int, pid: int | None) -> None:
        del pid
        if segment in self.spent:
            self.spent.discard(segment)
        else:
            self.free.append(segment)

    def punch(self, segment: int, stream: int, start: int, end: int) -> bool:
        del segment, stream, start, end
        return True

    def spawn(self, order: runner.Order, segment: int) -> int:
        self.step()
        script = script_of(order.argv, int(order.token.rpartition(".")[2]))
        if script is None:
            self.machine.refused.add(order.token)
            raise runner.NotStarted("there is no such program")
        process = self.machine.start(order.token, script, segment, dict(order.needs))
        self.machine.sizes[segment] = self.machine.sizes.get(segment, 0) + 10
        self.step()
        return process.pid

    def reap(self) -> Iterator[tuple[int, int, int, int]]:
        for process in list(self.machine.processes.values()):
            if not process.running and not process.orphan and not process.reaped:
                process.reaped = True
                yield process.pid, process.status, 1_000, 4_096

    def terminate(self, pid: int) -> None:
        self.step()
        self.machine.terminate(pid)

    def kill(self, runs: Sequence[runner.Run]) -> None:
        self.step()
        tokens = {run.token for run in runs}
        for process in self.machine.running():
            if process.token in tokens:
                self.machine.kill(process)

    def process_start(self, pid: int) -> int | None:
        process = self.machine.processes.get(pid)
        return process.start if process is not None and process.running else None

    def find(self, runs: Sequence[runner.Run]) -> dict[str, int]:
        found: dict[str, int] = {}
        for run in runs:
            if run.process_start is None:
                process = self.machine.ever.get(run.token)
                if process is not None and process.running and process.pid in self.machine.processes:
                    found[run.token] = process.pid
            elif run.pid is not None and self.process_start(run.pid) == run.process_start:
                found[run.token] = run.pid
        return found
