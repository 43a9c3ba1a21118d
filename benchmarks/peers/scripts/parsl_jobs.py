"""Parsl, its bash apps on two workers: submission and run, once the executor is up.

VARIANT: `htex`, its executor of processes, or `threads`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

WORKERS: Final = 2


class _Future(Protocol):
    def result(self) -> int: ...


def main(variant: str, count: int) -> None:
    """Start the executor, run one app, then all."""
    graph: list[list[int]] = json.loads(Path("graph.json").read_text())
    assert len(graph) == count
    logging.disable(logging.WARNING)
    parsl = import_module("parsl")
    config = parsl.Config(
        executors=[_executor(variant)], strategy="none", run_dir="runinfo", initialize_logging=False, usage_tracking=0
    )
    with parsl.load(config):
        run = parsl.bash_app(_command)
        run().result()
        began = time.perf_counter()
        futures: list[_Future] = []
        for needed in graph:
            futures.append(run(*(futures[each] for each in needed)))
        codes = [future.result() for future in futures]
        took = time.perf_counter() - began
    assert codes == [0] * count
    print(json.dumps({"seconds": took}))


def _executor(variant: str) -> object:
    executors = import_module("parsl.executors")
    if variant == "threads":
        return executors.ThreadPoolExecutor(max_threads=WORKERS)
    provider = import_module("parsl.providers").LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1)
    return executors.HighThroughputExecutor(
        address="127.0.0.1", max_workers_per_node=WORKERS, cores_per_worker=1, encrypted=False, provider=provider
    )


def _command(*needed: int) -> str:
    del needed
    return "/bin/true"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
