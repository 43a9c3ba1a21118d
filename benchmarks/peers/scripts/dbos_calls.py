"""DBOS on SQLite: from the first workflow that is enqueued until the result of the last is known.

VARIANT: `queue`, with 100 at a time at most; or `direct`, each called in its turn, the least that DBOS does to be
durable.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Final

CONCURRENCY: Final = 100
POLL_S: Final = 0.01


def main(variant: str, count: int) -> None:
    """Launch DBOS, run one workflow, then all."""
    dbos = import_module("dbos").DBOS
    database = f"sqlite:///{Path.cwd()}/dbos.sqlite"
    settings = {"name": "bench", "system_database_url": database, "log_level": "ERROR", "run_admin_server": False}
    dbos(config=settings)
    workflow = dbos.workflow()(_same)
    dbos.launch()
    if variant == "direct":
        workflow(-1)
        began = time.perf_counter()
        results = [workflow(number) for number in range(count)]
    else:
        queue = dbos.register_queue("calls", worker_concurrency=CONCURRENCY, polling_interval_sec=POLL_S)
        queue.enqueue(workflow, -1).get_result()
        began = time.perf_counter()
        handles = [queue.enqueue(workflow, number) for number in range(count)]
        results = [handle.get_result(polling_interval_sec=POLL_S) for handle in handles]
    took = time.perf_counter() - began
    assert results == list(range(count))
    print(json.dumps({"seconds": took}), flush=True)
    dbos.destroy()


def _same(number: int) -> int:
    return number


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
