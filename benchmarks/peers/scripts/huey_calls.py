"""huey on SQLite, synced: from the first task that is enqueued until the last result is recorded.

VARIANT: `thread` or `process`, of which two work. All is enqueued first: a consumer that works meanwhile makes both
wait for the database's lock, and takes longer in all.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from importlib import import_module
from typing import Final

WORKERS: Final = 2


def main(kind: str, count: int) -> None:
    """Enqueue, consume, and leave at once: the consumer's own way out takes seconds."""
    logging.disable(logging.INFO)
    queue = import_module("huey").SqliteHuey(filename="huey.db", fsync=True, results=True, store_none=True)
    task = queue.task()(_nothing)
    consumer = queue.create_consumer(
        workers=WORKERS, worker_type=kind, periodic=False, initial_delay=0.01, max_delay=0.05, check_worker_health=False
    )
    task(-1)()
    began = time.perf_counter()
    for number in range(count):
        task(number)
    consumer.start()
    while queue.result_count() < count:
        time.sleep(0.02)
    print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
    consumer.stop(graceful=False)
    os._exit(0)


def _nothing(number: int) -> None:
    del number


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
