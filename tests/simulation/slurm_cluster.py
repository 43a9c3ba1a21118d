"""A simulated cluster: login node, controller, accounting, nodes and the file system that they share.

It is beneath the seam of `LoginSite`: the runner of its login node starts these commands as it starts real ones, so
what is said to Slurm, and what is made of its answers, is the product's own code.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import trio

from holdfast.actors import runner
from tests.actors.stepping import pause

from .clocks import WallClock
from .machine import Machine
from .slurm_accounting import Accounting
from .slurm_commands import Commands, Ended
from .slurm_controller import Controller
from .slurm_files import LOGIN, SharedFiles
from .slurm_nodes import Nodes
from .verdict import Verdict

CLUSTER: Final = "cluster"
_TERMINATED: Final = 15


class SimulatedCluster:
    """One cluster, with nothing in its queue yet. `machine` keeps the record of all that its nodes ever ran."""

    def __init__(self, name: str, random: Random, clock: WallClock, verdict: Verdict) -> None:
        """`clock`: of its controller."""

        def part(what: str) -> Random:
            return Random(f"{name}/{what}/{random.random()}")

        self.name = name
        self.machine = Machine(part("machine"), clock, verdict, name)
        self.files = SharedFiles(part("files"))
        # Whoever connects finds it there: the relay makes it.
        self.files.make_folder(f"/elsewhere/{name}/.holdfast", LOGIN)
        self.accounting = Accounting(part("accounting"))
        self.nodes = Nodes(name, self.machine, self.files, part("nodes"))
        self.controller = Controller(part("controller"), clock, self.nodes, self.accounting, verdict)
        self.commands = Commands(self.controller, self.accounting, self.files, part("commands"))
        self._clients: set[trio.CancelScope] = set()
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Be there until cancelled."""
        async with trio.open_nursery() as self._nursery:
            self.nodes.serve(self._nursery)
            self._nursery.start_soon(self.controller.serve)
            task_status.started()

    def execute(self, command: runner.Command, done: Callable[[runner.Command], object]) -> None:
        """Start a command on the login node, for a runner there; it goes on if the runner dies."""
        assert self._nursery is not None, "a command is run on a cluster that is not there"
        self._nursery.start_soon(self._execute, command, done)

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something to it after a while."""
        assert self._nursery is not None, "something is done to a cluster that is not there"
        self._nursery.start_soon(_act_later, seconds, act)

    def reboot_login(self) -> None:
        """All commands on the login node are gone; what they asked for may have been done, or be done yet."""
        for scope in list(self._clients):
            scope.cancel()

    async def _execute(self, command: runner.Command, done: Callable[[runner.Command], object]) -> None:
        ended: Ended | None = None
        with trio.CancelScope() as scope:
            self._clients.add(scope)
            with trio.move_on_after(command.timeout_us / 1_000_000):
                ended = await self.commands.run(command.argv, command.stdin)
            self._clients.discard(scope)
        if scope.cancelled_caught:
            return
        command.timed_out = ended is None
        if ended is not None:
            command.status = ended.exit_code << 8 if ended.exit_code >= 0 else -ended.exit_code
            command.printed[0].extend(ended.stdout.encode())
            command.printed[1].extend(ended.stderr.encode())
        else:
            command.status = _TERMINATED
        done(command)


async def _act_later(seconds: float, act: Callable[[], object]) -> None:
    await pause(seconds)
    act()
