"""persist-queue's queue with acknowledgements on SQLite: from the first item put until the last is acknowledged.

It calls nothing: an item is taken and acknowledged by one of two threads. VARIANT: `thread`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from importlib import import_module
from typing import Final

WORKERS: Final = 2
SYNCHRONOUS_FULL: Final = (2,)


def main(variant: str, count: int) -> None:
    """Put all, then take and acknowledge all."""
    del variant
    persistqueue = import_module("persistqueue")
    queue = persistqueue.SQLiteAckQueue("queue", multithreading=True)
    assert queue._putter.execute("pragma synchronous").fetchone() == SYNCHRONOUS_FULL  # noqa: SLF001 - no other way

    def take_all() -> None:
        while True:
            try:
                item = queue.get(block=False)
            except persistqueue.Empty:
                return
            queue.ack(item)

    queue.put(-1)
    queue.ack(queue.get())
    before = queue.acked_count()
    began = time.perf_counter()
    for number in range(count):
        queue.put(number)
    threads = [threading.Thread(target=take_all) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    assert queue.acked_count() - before == count
    print(json.dumps({"seconds": took}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
