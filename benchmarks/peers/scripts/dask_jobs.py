"""Dask distributed, two workers with a thread each: submission and run of subprocesses, once the cluster is up.

VARIANT: `processes`, of which the workers are.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Final

WORKERS: Final = 2


def main(variant: str, count: int) -> None:
    """Start the cluster, run one task, then all."""
    del variant
    graph: list[list[int]] = json.loads(Path("graph.json").read_text())
    assert len(graph) == count
    distributed = import_module("distributed")
    with (
        distributed.LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=str(Path.cwd()),
            silence_logs=logging.ERROR,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.submit(_run, pure=False).result()
        began = time.perf_counter()
        if any(graph):
            futures: list[object] = []
            for needed in graph:
                futures.append(client.submit(_run, *(futures[each] for each in needed), pure=False))
        else:
            futures = client.map(_run, range(count), pure=False, batch_size=count)
        codes = client.gather(futures)
        took = time.perf_counter() - began
    assert codes == [0] * count
    print(json.dumps({"seconds": took}))


def _run(*needed: int) -> int:
    del needed
    return subprocess.run(["/bin/true"], check=False).returncode


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
