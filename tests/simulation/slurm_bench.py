"""A simulated cluster on its own, for tests of the model: calm, and asked as the product asks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Final, TypeVar

import trio

from holdfast.actors.slurm import attempt_folders, sacct, scontrol, script, squeue
from holdfast.actors.targets.messages import Order
from holdfast.events.spec import JobSpec, SlurmSpec

from .clocks import WallClock
from .determinism import Steps, run
from .scripts import PROGRAM
from .slurm_cluster import CLUSTER, SimulatedCluster
from .slurm_commands import Ended
from .verdict import Verdict

T = TypeVar("T")

PLACE: Final = script.Place(f"/elsewhere/{CLUSTER}", f"/elsewhere/{CLUSTER}/.holdfast")


class Bench:
    """A cluster, and what is to be asked of it."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self.cluster = SimulatedCluster(CLUSTER, Random("bench"), WallClock(), self.verdict)
        self.cluster.nodes.slow_s = 0.01
        self.cluster.controller.completing_us = 0

    async def run(self, argv: Sequence[str], stdin: bytes = b"") -> Ended:
        """Run a command on the login node."""
        return await self.cluster.commands.run(argv, stdin)

    async def submit(self, *words: str, attempt: int = 1) -> Ended:
        """Submit a batch for that many jobs, from 1 on, that do what these words say."""
        text = batch(*words, attempt=attempt)
        return await self.run(script.sbatch_argv(text), text.encode())

    async def queue(self) -> list[squeue.Row]:
        """What squeue says, as the product reads it."""
        return squeue.parse(await self._answer(squeue.argv("1000")))

    async def accounts(self, *ids: str) -> list[sacct.Account]:
        """What sacct says."""
        (argv,) = sacct.argv(ids)
        return sacct.parse(await self._answer(argv))

    async def details(self) -> list[sacct.Account]:
        """What `scontrol show job` says."""
        return scontrol.parse_jobs(await self._answer(scontrol.JOBS))

    async def folders(self, *works: str) -> dict[str, attempt_folders.AttemptFolder]:
        """What stands in attempts' folders."""
        argv = attempt_folders.read_argv(PLACE.folder)
        return attempt_folders.read_answer(await self._answer(argv, attempt_folders.read_stdin(works)), works)

    async def _answer(self, argv: Sequence[str], stdin: bytes = b"") -> bytes:
        ended = await self.run(argv, stdin)
        assert ended.exit_code == 0, ended
        return ended.stdout.encode()


def batch(*words: str, attempt: int = 1, place: script.Place = PLACE, program: str = PROGRAM) -> str:
    """The script of a batch, of jobs from 1 on that run the program with these words."""
    orders = [
        Order(job, attempt, f"home.{job}.{attempt}", JobSpec(run=(program, word), name="work", cwd=""))
        for job, word in enumerate(words, 1)
    ]
    return script.render(orders[0].token, orders, (("partition", "main"),), SlurmSpec(), place)


def on_bench(scenario: Callable[[Bench], Awaitable[T]]) -> T:
    """Run the scenario with a cluster, on virtual time."""

    async def main() -> T:
        async with _bench() as bench:
            result = await scenario(bench)
            assert bench.verdict.broken is None, bench.verdict.broken
            return result

    return run(main, 1, Steps())


@asynccontextmanager
async def _bench() -> AsyncGenerator[Bench]:
    bench = Bench()
    async with trio.open_nursery() as nursery:
        await nursery.start(bench.cluster.run)
        await bench.run(attempt_folders.prepare_argv(PLACE.folder))
        yield bench
        nursery.cancel_scope.cancel()
