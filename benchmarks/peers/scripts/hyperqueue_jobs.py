"""HyperQueue, a server and a worker with two processors in this process: submission and run, once they are up.

Its library looks for the end once a second, so a last task, which needs both processors and all others before it or
else has the lowest priority, writes down when that was. VARIANT: `programs`.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Final

PROGRAM: Final = "/bin/true"
SLOTS: Final = 2


def main(variant: str, count: int) -> None:
    """Start the cluster, run one task, then all."""
    del variant
    graph: list[list[int]] = json.loads(Path("graph.json").read_text())
    assert len(graph) == count
    hyperqueue, cluster = import_module("hyperqueue"), import_module("hyperqueue.cluster")
    both = import_module("hyperqueue.ffi.protocol").ResourceRequest(cpus=SLOTS)
    with hyperqueue.LocalCluster(worker_config=cluster.WorkerConfig(cores=SLOTS)) as local:
        client = local.client()
        first = hyperqueue.Job()
        first.program([PROGRAM], stdout=None, stderr=None)
        client.wait_for_jobs([client.submit(first)])
        began = time.time()
        job = hyperqueue.Job()
        tasks: list[object] = []
        for needed in graph:
            tasks.append(job.program([PROGRAM], stdout=None, stderr=None, deps=[tasks[each] for each in needed]))
        last = [task for task, needed in zip(tasks, graph, strict=True) if needed][-count // 10 :]
        stamp = ["/bin/sh", "-c", f"date +%s.%N > {Path.cwd()}/end"]
        job.program(stamp, stdout=None, stderr=None, priority=-1, resources=both, deps=last)
        client.wait_for_jobs([client.submit(job)])
        print(json.dumps({"seconds": float(Path("end").read_text()) - began}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
