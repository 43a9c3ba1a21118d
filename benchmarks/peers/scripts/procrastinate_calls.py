"""procrastinate on PostgreSQL: from the first job that is deferred until the last is recorded as succeeded.

The server is that of PGHOST. One worker, 100 jobs at a time. VARIANT: `batch` defers all at once, `each` one by one.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from functools import partial
from importlib import import_module
from typing import Final

CONCURRENCY: Final = 100


def main(variant: str, count: int) -> None:
    """Defer and work off one job, then all."""
    logging.disable(logging.WARNING)
    procrastinate = import_module("procrastinate")
    app = procrastinate.App(connector=procrastinate.PsycopgConnector())
    task = app.task(name="nothing")(_nothing)
    work_off = partial(app.run_worker, wait=False, install_signal_handlers=False, listen_notify=False)
    with app.open():
        app.schema_manager.apply_schema()
        task.defer(number=-1)
    work_off()
    with app.open():
        began = time.perf_counter()
        if variant == "batch":
            task.batch_defer(*({"number": number} for number in range(count)))
        else:
            for number in range(count):
                task.defer(number=number)
    work_off(concurrency=CONCURRENCY)
    took = time.perf_counter() - began
    with app.open():
        found = app.connector.get_sync_connector().execute_query_one(
            "select count(*) as jobs from procrastinate_jobs where status = 'succeeded'"
        )
    assert found["jobs"] == count + 1, found
    print(json.dumps({"seconds": took}))


async def _nothing(number: int) -> None:
    del number


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
