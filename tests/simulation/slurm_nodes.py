"""The nodes of a simulated cluster: what runs there, whoever knows of it, and what it does in the shared file system.

A batch script is not run by a shell but by what it means: it claims its attempt, runs the command, and writes down how
that ended. It goes on while the controller is away, and tells it of its end once it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import trio

from holdfast.actors.slurm.script import NOT_CLAIMED, NOT_DUE, NOT_STARTED, SECOND_COPY
from tests.actors.stepping import pause

from .clocks import WallClock
from .determinism import now_us
from .machine import Machine, Process
from .scripts import script_of
from .slurm_files import SharedFiles
from .slurm_jobs import Order, Task

NODES: Final = ("n1", "n2")
KILL_WAIT_S: Final = 2.0
TOLD_EVERY_S: Final = 0.7
NO_SUCH_PROGRAM: Final = 127
LOOKS: Final = 5
_KILLED, _TERMINATED = 9, 15
_US: Final = 1_000_000


class Run:
    """A batch script on a node: of job `id`, started again `restart` times. `number` tells it from all others."""

    def __init__(self, number: int, task: Task, node: str) -> None:
        self.number = number
        self.id, self.array, self.index, self.restart = task.id, task.array, task.index, task.restarts
        self.order: Order = task.order
        self.folder = task.submission.folder
        self.node = node
        self.process: Process | None = None
        self.told_to_end = False
        self.killed = False
        self.over = False
        self.disowned = False
        """Whether the controller took it for ended, or forgot it, while it ran."""
        self.exit_code, self.signal = 0, 0
        self.began_us = 0
        self._changed = trio.Event()

    async def until(self, when_us: int) -> None:
        """Wait for that moment, or until something happens to it."""
        with trio.move_on_at(when_us / _US):
            await self._changed.wait()

    def is_killed(self) -> bool:
        """Whether all its processes were killed."""
        return self.killed

    def wake(self) -> None:
        """Something has happened to it."""
        self._changed.set()
        self._changed = trio.Event()


class Nodes:
    """Starts scripts and ends them. `tell(run)` is called until it says that the controller has heard of the end."""

    def __init__(self, name: str, machine: Machine, files: SharedFiles, random: Random) -> None:
        """`machine`: keeps the record of all commands that were ever run; `name`: of the target."""
        self.name = name
        self.machine = machine
        self.files = files
        self.clocks = {node: WallClock() for node in NODES}
        self.runs: dict[int, Run] = {}
        self.begun: set[str] = set()
        """Tokens of which a script was ever started."""
        self.seconds = 0
        """How many second copies there were."""
        self.slow_s = 0.2
        self.loses_scripts = 0.0
        """How often (0 to 1) what ends a script for lack of memory ends all of it, and not only its command."""
        self.tell: Callable[[Run], bool] = lambda _: True
        self._random = random
        self._nursery: trio.Nursery | None = None

    def serve(self, nursery: trio.Nursery) -> None:
        """Let scripts run in the nursery."""
        self._nursery = nursery

    def start(self, task: Task, node: str) -> Run:
        """Start what the task is for."""
        assert self._nursery is not None, "nodes are used before they serve"
        run = Run(len(self.runs) + 1, task, node)
        self.runs[run.number] = run
        self.begun.add(run.order.token)
        self._nursery.start_soon(self._live, run)
        return run

    def terminate(self, run: Run) -> None:
        """Tell all processes of the job to end; what has not soon is killed."""
        if run.over or run.told_to_end:
            return
        run.told_to_end = True
        if run.process is not None:
            self.machine.terminate(run.process.pid)
        run.wake()
        assert self._nursery is not None, "nodes are used before they serve"
        self._nursery.start_soon(self._kill_later, run)

    def kill(self, run: Run) -> None:
        """Kill all processes of the job."""
        if not run.over:
            run.killed = True
            if run.process is not None:
                self.machine.kill(run.process)
            run.wake()

    def kill_command(self, run: Run) -> None:
        """Kill the command and not the script, as for want of memory as a rule."""
        if self._random.random() < self.loses_scripts or run.process is None:
            self.kill(run)
        else:
            self.machine.kill(run.process)
            run.wake()

    def disown(self, run: Run) -> None:
        """Nobody can know of it any more but by what it leaves behind."""
        run.disowned = True
        if run.process is not None and run.process.running:
            run.process.disowned = True

    @property
    def busy(self) -> list[Run]:
        """What runs."""
        return [run for run in self.runs.values() if not run.over]

    async def _kill_later(self, run: Run) -> None:
        await pause(KILL_WAIT_S)
        self.kill(run)

    async def _live(self, run: Run) -> None:
        """The life of one script, and then word of its end."""
        await self._pass(run, self._random.random() * self.slow_s)
        due, code = await self._is_due(run), None
        if not (run.is_killed() or run.told_to_end):
            code = await self._claim(run) if due else NOT_DUE
        if run.is_killed() or code is None:
            run.signal = _KILLED if run.is_killed() else _TERMINATED
        else:
            run.exit_code = code
        run.over = True
        while not self.tell(run):
            await pause(TOLD_EVERY_S * (0.5 + self._random.random()))

    async def _pass(self, run: Run, seconds: float) -> None:
        """Let time pass that nothing but a signal cuts short."""
        due_us = now_us() + int(seconds * _US)
        while now_us() < due_us and not run.is_killed():
            await run.until(due_us)

    async def _is_due(self, run: Run) -> bool:
        """Whether all that it is to run after says itself that it has ended so; it is looked for some times."""
        for work, kind in run.order.after:
            for _ in range(LOOKS - 1):
                if self._has_ended(run, work, kind):
                    break
                await self._pass(run, 1.0)
            if not self._has_ended(run, work, kind):
                self.machine.verdict.tell(f"{run.order.token}: job {run.id} is not due, {work} has not ended so")
                return False
        return True

    def _has_ended(self, run: Run, work: str, kind: str) -> bool:
        content = self.files.read(f"{run.folder}/attempts/{work}", run.node) or b""
        # It is whole when its last line is.
        is_whole = content.count(b"\nended ") == 1 and content.endswith(b"\n")
        return is_whole and (kind == "after_any" or b"\nstatus 0\n" in content)

    async def _claim(self, run: Run) -> int | None:
        claim = f"{run.folder}/attempts/{run.order.folder}"
        try:
            made = self.files.create(claim, self._claim_of(run), run.node)
        except OSError:
            return NOT_CLAIMED
        try:
            if made:
                return await self._command(run, claim)
            self.seconds += 1
            self.machine.verdict.tell(f"{run.order.token}: a second copy, job {run.id}, ends")
            self.files.write(f"{run.folder}/seconds/{run.order.folder}/{run.id}.{run.restart}", b"", run.node)
        except OSError:
            return NOT_STARTED if made else SECOND_COPY
        return SECOND_COPY

    def _claim_of(self, run: Run) -> bytes:
        array, task = ("", "") if run.index is None else (run.array, run.index)
        lines = (f"slurm {run.id}", f"array {array}", f"task {task}", f"restart {run.restart}", f"host {run.node}")
        return "\n".join((*lines, "pid 4711", f"plan {run.order.plan}", f"time {self._now_s(run)}", "")).encode()

    def _now_s(self, run: Run) -> str:
        at = self.clocks[run.node].now()
        return f"{at // _US}.{at % _US:06}000"

    async def _command(self, run: Run, claim: str) -> int | None:
        """Run the command and write down how it ended; None if the script itself did not live to its end."""
        await self._pass(run, self._random.random() * 0.01)
        if run.is_killed():
            return None
        if run.told_to_end:
            self.files.append(claim, b"refused it was told to end before its command was started\n", run.node)
            return NOT_STARTED
        began = self._now_s(run)
        output = f"{run.folder}/output/{run.order.folder}"
        self.files.write(f"{output}.out", b"", run.node)
        self.files.write(f"{output}.err", b"", run.node)
        status = await self._ended(run)
        if run.is_killed():
            return None
        content = f"status {status}\nbegan {began}\nended {self._now_s(run)}\n"
        try:
            self.files.write(f"{output}.out", b"ten bytes\n", run.node)
            self.files.append(claim, content.encode(), run.node)
        except OSError:
            self.machine.verdict.tell(f"{run.order.token}: how it ended can't be written down")
        await self._pass(run, self._random.random() * 0.01)
        return None if run.is_killed() else status

    async def _ended(self, run: Run) -> int:
        """Run the command to its end; `$?` of a shell."""
        script = script_of(run.order.argv, int(run.order.token.rpartition(".")[2]))
        if script is None:
            self.machine.refused.add(run.order.token)
            return NO_SUCH_PROGRAM
        process = run.process = self.machine.start(run.order.token, script, 0, {"cpus": 1})
        process.disowned = run.disowned
        while process.running:
            await run.until(process.end_us)
        process.reaped = True
        signal = process.status & 0x7F
        return 128 + signal if signal else process.status >> 8
