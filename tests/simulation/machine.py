"""The machine that jobs run on: processes by script, boots, and what a runner's death leaves behind.

It keeps its own record of everything that ever ran, which the promises are checked against.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final

import trio

from holdfast.actors.runner import Command
from holdfast.events.spec import LOCAL

from .clocks import WallClock
from .determinism import now_us
from .scripts import Script
from .verdict import Verdict

if TYPE_CHECKING:
    from .runner_process import RunnerProcess

FIRST_PID: Final = 300
FIRST_RUNNER_PID: Final = 1000
PIDS: Final = 60  # few, so that the numbers of ended processes are given again


Execute = Callable[[Command, Callable[[Command], object]], object]


def _no_commands(command: Command, done: Callable[[Command], object]) -> None:
    del done
    message = f"nobody should have {command.argv} run there"
    raise AssertionError(message)


class Process:
    """A process that an attempt became. It exists until `end_us`, and then until somebody has waited for it."""

    def __init__(
        self, machine: Machine, pid: int, token: str, script: Script, segment: int, needs: dict[str, int]
    ) -> None:
        self.machine = machine
        self.pid = pid
        self.token = token
        self.job, self.attempt = (int(number) for number in token.split(".")[1:])
        self.script = script
        self.segment = segment
        self.needs = needs
        self.spawned_us = now_us()
        self.start = self.spawned_us // 10_000
        self.end_us = self.spawned_us + script.duration_us
        self.status = script.status
        self.orphan = False
        self.reaped = False
        self.disowned = False
        """Nobody can know of it any more: its runner's journal was lost while it ran."""

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return now_us() < self.end_us


class Machine:
    """One machine with at most one runner on it, and the journal and output that the runner leaves on the disk."""

    def __init__(self, random: Random, clock: WallClock, verdict: Verdict, name: str = LOCAL) -> None:
        """`name`: of its target."""
        self.name = name
        self.random = random
        self.clock = clock
        self.verdict = verdict
        self.processes: dict[int, Process] = {}
        self.ever: dict[str, Process] = {}
        self.refused: set[str] = set()
        """Tokens whose program did not exist."""
        self.watch: Callable[[Process], object] = lambda _: None
        self.execute: Execute = _no_commands
        """Has a command run for the supervisor; calls back once it has ended."""
        self.rebooted: Callable[[], object] = lambda: None
        self.boots = 1
        self.booted_us = 0
        self.journals = 0
        self.journal = b""
        self.next_segment = 1
        self.sizes: dict[int, int] = {}
        self.full_until_us = 0
        self.steps_left: int | None = None
        self.journal_cut = False
        """Whether all or the end of the journal was lost once: what it noted last may be missing."""
        self.forgot_us: list[int] = []
        """When a runner died, or more than that: attempts of before may be lost."""
        self.runner_started_us: dict[int, int] = {}
        """When the newest runner of each process number started."""
        self.runner: RunnerProcess | None = None
        self._next_pid = FIRST_PID
        self._next_runner_pid = FIRST_RUNNER_PID
        self._changed = trio.Event()

    @property
    def boot(self) -> str:
        """The name of this boot."""
        return f"{self.name}-boot-{self.boots}"

    def monotonic_us(self) -> int:
        """Microseconds since a moment before the boot."""
        return now_us() - self.booted_us + 1_000_000

    def give_pid(self) -> int:
        """A process number that is free just now."""
        while True:
            self._next_pid = FIRST_PID + (self._next_pid - FIRST_PID + 1) % PIDS
            taken = self.processes.get(self._next_pid)
            if taken is None or (not taken.running and (taken.reaped or taken.orphan)):
                return self._next_pid

    def give_runner_pid(self) -> int:
        """A process number that no other runner has had."""
        self._next_runner_pid += 1
        return self._next_runner_pid

    def start(self, token: str, script: Script, segment: int, needs: dict[str, int]) -> Process:
        """Start a process."""
        process = Process(self, self.give_pid(), token, script, segment, needs)
        self.verdict.tell(f"spawned {token} on {self.name} as {process.pid} ({script.word()})")
        if token in self.ever:
            self.verdict.fail(f"P2: {token} was launched twice")
        self.ever[token] = self.processes[process.pid] = process
        self.watch(process)
        return process

    def terminate(self, pid: int) -> None:
        """Send SIGTERM."""
        process = self.processes.get(pid)
        if process is not None and process.running:
            process.end_us, process.status = process.script.on_terminate(now_us(), process.end_us)

    def kill(self, process: Process) -> None:
        """Send SIGKILL."""
        if process.running:
            process.end_us, process.status = now_us(), 9

    def running(self) -> list[Process]:
        """All processes that run just now."""
        return [process for process in self.processes.values() if process.running]

    def runner_died(self) -> None:
        """What the runner had as children goes on without it."""
        self.runner = None
        self.steps_left = None
        self.forgot_us.append(now_us())
        for process in self.processes.values():
            process.orphan = True

    def runner_left(self) -> None:
        """It had nothing to do any more. If its journal never found room on the disk, its name is forgotten with it."""
        self.verdict.tell(f"the runner of {self.name} leaves")
        self.runner = None
        if not self.journal:
            self.forgot_us.append(now_us())

    def lose_journal(self) -> None:
        """Somebody removed the journal of a runner that is dead: nobody can know any more what runs."""
        self.verdict.tell(f"the journal of the runner of {self.name} is lost")
        self.journal = b""
        self.journal_cut = True
        self.forgot_us.append(now_us())
        for process in self.running():
            process.disowned = True

    def reboot(self, kept_bytes: int) -> None:
        """All processes die; of the journal, which nobody syncs, `kept_bytes` are still there."""
        self.verdict.tell(
            f"the machine {self.name} is restarted; {kept_bytes} of {len(self.journal)} bytes of the journal are left"
        )
        for process in self.running():
            self.kill(process)
        if self.runner is not None:
            self.runner.kill()
        self.rebooted()
        self.processes.clear()
        self.journal_cut = self.journal_cut or kept_bytes < len(self.journal)
        self.journal = self.journal[:kept_bytes]
        self.boots += 1
        self.booted_us = now_us()
        self.forgot_us.append(now_us())
