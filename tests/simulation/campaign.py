"""Many seeds, on all processors; and the shortest run that still fails, for one that did."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Generator

import msgspec

from tests.tree import ROOT

from .commands import moments
from .defects import planted
from .simulation import Result, Simulation
from .slurm_defects import SLURM_DEFECTS


def run_seed(seed: int, commands: int | None = None, defect: str | None = None, *, slurm: bool = False) -> Result:
    """One run, perhaps of the first `commands` only, perhaps with a defect planted in the product.

    `slurm`: with a cluster and no other machine, as runs with a defect of how clusters are used always are; those with
    another defect have no cluster.
    """
    of_slurm = slurm or defect in SLURM_DEFECTS
    simulation = Simulation(seed, commands, slurm=None if defect is None and not slurm else of_slurm)
    try:
        with planted(defect, simulation.clock):
            return simulation.run()
    except Exception:  # noqa: BLE001 - whatever comes out of a run is a finding
        story = tuple(simulation.verdict.story)
        raised = traceback.format_exc()
        return Result(seed, len(simulation.moments), f"the run itself failed: {raised}", story=story)


def run_seeds(seeds: range, processes: int, defect: str | None = None, *, slurm: bool = False) -> Generator[Result]:
    """All these runs, in order, on so many processes, which end when the generator is closed."""
    workers = [_worker(seeds[place::processes], defect, slurm=slurm) for place in range(min(processes, len(seeds)))]
    try:
        for place, seed in enumerate(seeds):
            worker = workers[place % processes]
            assert worker.stdout is not None, "it was asked for"
            line = worker.stdout.readline()
            if not line.endswith(b"\n"):
                raise RuntimeError(f"the process that runs seed {seed} has ended (exit code {worker.wait()})")
            result = msgspec.json.decode(line, type=Result)
            assert result.seed == seed, f"asked for seed {seed}, got {result.seed}"
            yield result
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _worker(seeds: range, defect: str | None, *, slurm: bool) -> subprocess.Popen[bytes]:
    """A process that runs these and prints a line of JSON for each."""
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.simulation",
        "--json",
        "--processes=1",
        f"--seed={seeds.start}",
    ]
    command += [f"--seeds={len(seeds)}", f"--step={seeds.step}", *([f"--defect={defect}"] if defect else [])]
    command += ["--slurm"] if slurm else []
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def shrink(seed: int, defect: str | None = None, *, slurm: bool = False) -> Result:
    """The same seed with as few of its commands as still make it fail, the first ones; the whole run if it must be."""
    for commands in range(len(moments(seed))):
        result = run_seed(seed, commands, defect, slurm=slurm)
        if result.broken is not None:
            return result
    return run_seed(seed, None, defect, slurm=slurm)


def processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
