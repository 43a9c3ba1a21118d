"""What an allocation of a simulated cluster runs: the real runner's `Core`, bounded as in a real allocation.

It is given back, ended early, killed or lost by the same acts of the controller as any job is; a runner that is killed
alone is started again by its script. What it wrote stays in the shared folder, where the supervisor reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Final
from unittest.mock import patch

import msgspec
import trio

from holdfast.actors import runner
from holdfast.actors.connections.bootstrap import PYTHONS
from holdfast.actors.slurm import settling
from holdfast.actors.slurm.allocations import LAUNCHER
from holdfast.actors.slurm.shellwords import quote
from holdfast.events.allocations import name_of

from . import slurm_scripts
from .determinism import now_us
from .host import SimulatedHost
from .machine import Machine, Process
from .runner_process import Mischief, RunnerProcess
from .slurm_cluster import CLUSTER, SimulatedCluster
from .slurm_commands import Commands, Ended
from .slurm_jobs import Submission
from .slurm_nodes import Nodes, Run

SEGMENTS_EACH: Final = 1_000_000
STARTS_AGAIN: Final = 5
_FOREVER_US: Final = 10**15
_US: Final = 1_000_000
_WORDS: Final = quote(LAUNCHER.replace("@PYTHONS@", " ".join(PYTHONS)))


class NodeHost(SimulatedHost):
    """See `runner.Host`; its journal can be closed."""

    def close_journal(self) -> None:
        self.append(msgspec.json.encode({"closed": self.wall_us()}).decode() + "\n")


class BoundedProcess(RunnerProcess):
    """See `runner.BoundedServer`. `until_us`: true time at which it ends what runs."""

    def __init__(self, machine: Machine, random: Random, until_us: int, idle_us: int) -> None:
        super().__init__(machine, random, Mischief())
        self.host = NodeHost(machine, self.host.pid)
        self.leaving = self.killed = False
        self._until_us, self._idle_us = until_us, idle_us
        self._all_told = False
        self._last_words_at: int | None = None

    def kill(self) -> None:
        """As SIGKILL does."""
        self.killed = True
        super().kill()

    def leave(self) -> None:
        """As SIGTERM does."""
        self.leaving = True
        self.thaw()

    async def _serve(self) -> None:
        host = self.host
        assert isinstance(host, NodeHost), "it was made so"
        core = self.core = runner.Core(host, runner.recall(host.read_journal()), bounded=True)
        busy_us = now_us()
        while True:
            for ended in host.reap():
                core.child_ended(*ended)
            if any(run.adopted for run in core.leaders.values()):
                core.check_adopted()
            messages = core.turn()
            host.step()
            self._send(messages)
            self._idle_since_us = now_us()  # nobody's absence is a reason to leave
            busy_us = busy_us if core.idle() else now_us()
            self.leaving = self.leaving or now_us() - busy_us >= self._idle_us
            if self._is_over(core):
                host.close_journal()
                return
            with trio.move_on_at(self._due_us(core, busy_us) / _US):
                await self._wait(core)
            while self._arrived:
                self._take(core, *self._arrived.popleft())

    def _is_over(self, core: runner.Core) -> bool:
        if self.leaving and not core.ending:
            core.end(signal_all=False)
        if now_us() >= self._until_us and not self._all_told:
            self._all_told = True
            core.end(signal_all=True)
        if not core.ending or core.running:
            return False
        if self._last_words_at is None:
            self._last_words_at = now_us() + runner.LAST_WORDS_US
            return False
        heard = not core.lines and (not core.ended or self._current is None)
        return heard or now_us() >= self._last_words_at

    def _due_us(self, core: runner.Core, busy_us: int) -> int:
        if self._last_words_at is not None:
            return self._last_words_at
        if core.ending and not core.running:
            return now_us()
        dues = [] if self._all_told else [self._until_us]
        return min([*dues, busy_us + self._idle_us] if not core.ending else [*dues, _FOREVER_US])


class Allocations:
    """Those of one cluster: a machine each, by number. `watch` is called with every process that starts in one."""

    def __init__(self, cluster: SimulatedCluster, random: Random, watch: Callable[[Process], object]) -> None:
        self.machines: dict[int, Machine] = {}
        self._cluster = cluster
        self._random = random
        self._watch = watch
        self._nursery: trio.Nursery | None = None

    @contextmanager
    def installed(self, nursery: trio.Nursery) -> Generator[None]:
        """Let the cluster's nodes run allocations, and its login node read what they wrote."""
        self._nursery = nursery
        ended, shell = Nodes._ended, Commands._shell

        def read_script(script: str, options: dict[str, str]) -> Submission:
            return slurm_scripts.read_script(script.replace(_WORDS, "launcher"), options)

        async def run_command(nodes: Nodes, run: Run) -> int:
            return await (self._host(run) if run.order.token.endswith(".0") else ended(nodes, run))

        def answer(commands: Commands, words: Sequence[str], stdin: bytes) -> Ended:
            match words:
                case (_, _, settling._READ, _, _, number, first, count):
                    machine = self.machines.get(int(number))
                    content = b"" if machine is None else machine.journal[int(first) - 1 :][: int(count)]
                    return Ended(0, content.decode("ascii"))
                case (_, _, settling._SIZES, _, _, *names):
                    return Ended(0, "".join(f"{self._size(name)}\n" for name in names))
                case _:
                    return shell(commands, words, stdin)

        with ExitStack() as stack:
            stack.enter_context(patch(f"{Commands.__module__}.read_script", read_script))
            stack.enter_context(patch.object(Nodes, "_ended", run_command))
            stack.enter_context(patch.object(Commands, "_shell", answer))
            yield

    def _size(self, name: str) -> int:
        segment, _, kind = name.partition(".")
        machine = self.machines.get(int(segment) // SEGMENTS_EACH)
        return machine.sizes.get(int(segment), 0) if machine is not None and kind == "out" else 0

    async def _host(self, run: Run) -> int:
        """The launcher, for as long as its script lives; `$?` of it."""
        number, usable_s, idle_s = map(int, run.order.argv[-3:])
        nodes, random = self._cluster.nodes, self._random
        assert number not in self.machines, "the fence lets each allocation begin once"
        machine = Machine(random, nodes.clocks[run.node], nodes.machine.verdict, name_of(CLUSTER, number))
        machine.ever, machine.watch = nodes.machine.ever, self._watch
        machine.next_segment = number * SEGMENTS_EACH + 1
        self.machines[number] = machine
        until_us, tries = now_us() + usable_s * _US, 0
        while tries <= STARTS_AGAIN and not (run.told_to_end or run.is_killed()):
            tries += 1
            process = machine.runner = BoundedProcess(machine, random, until_us, idle_s * _US)
            if await self._see_out(run, machine, process):
                break
        for left in machine.running():
            machine.kill(left)
        return 143 if run.told_to_end else 0

    async def _see_out(self, run: Run, machine: Machine, process: BoundedProcess) -> bool:
        """Wait until a runner has ended, or is to; whether it ended by itself."""

        async def live() -> None:
            await process.run()
            run.wake()

        assert self._nursery is not None, "allocations run where they are installed"
        self._nursery.start_soon(live)
        while machine.runner is process:
            await run.until(_FOREVER_US)
            if run.is_killed():
                process.kill()
            elif run.told_to_end and not process.leaving:
                # Slurm tells all of its processes at once.
                for each in machine.running():
                    machine.terminate(each.pid)
                process.leave()
        await trio.lowlevel.checkpoint()
        return not process.killed
