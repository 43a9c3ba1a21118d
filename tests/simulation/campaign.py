"""Many seeds, on all processors; and the shortest run that still fails, for one that did."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from .commands import moments
from .defects import planted
from .simulation import Result, Simulation

CHUNK: Final = 20


def run_seed(seed: int, commands: int | None = None, defect: str | None = None) -> Result:
    """One run, perhaps of the first `commands` only, perhaps with a defect planted in the product."""
    simulation = Simulation(seed, commands)
    try:
        with planted(defect, simulation.clock):
            return simulation.run()
    except Exception:  # noqa: BLE001 - whatever comes out of a run is a finding
        story = tuple(simulation.verdict.story)
        raised = traceback.format_exc()
        return Result(seed, len(simulation.moments), f"the run itself failed: {raised}", story=story)


def run_seeds(seeds: Sequence[int], processes: int, defect: str | None = None) -> Iterator[Result]:
    """All these runs, in order, on so many processes."""
    one = partial(run_seed, defect=defect)
    if processes == 1:
        yield from map(one, seeds)
        return
    # Not forked: what this process has done before must not matter.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(one, seeds, chunksize=CHUNK)


def shrink(seed: int, defect: str | None = None) -> Result:
    """The same seed with as few of its commands as still make it fail, the first ones; the whole run if it must be."""
    for commands in range(len(moments(seed))):
        result = run_seed(seed, commands, defect)
        if result.broken is not None:
            return result
    return run_seed(seed, None, defect)


def processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
