"""Holdfast, function jobs of this program: from the first submission until the end of the last is in the log.

VARIANT: `callers`, 100 at once that submit a call each, wait for its end, and go on; or `together`, all submitted as
one, up to 100 called at once. Every submission, launch and end is committed and synced before anything acts on it.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Final

import trio

import holdfast

CONCURRENCY: Final = 100


async def main(variant: str, count: int) -> None:
    """Call a function once, then so many times."""
    async with holdfast.open("home", calls=CONCURRENCY) as hf:

        @hf.function("nothing")
        async def nothing(number: int) -> None:
            del number

        async def caller(first: int) -> None:
            for number in range(first, count, CONCURRENCY):
                await hf.wait(await hf.submit(nothing.call(number=number)))

        await hf.wait(await hf.submit(nothing.call(number=-1)))
        began = time.perf_counter()
        if variant == "together":
            await hf.wait(
                await hf.submit_many(holdfast.Job(run=nothing.call(number=number)) for number in range(count))
            )
        else:
            async with trio.open_nursery() as nursery:
                for first in range(CONCURRENCY):
                    nursery.start_soon(caller, first)
        took = time.perf_counter() - began
        assert {hf.record(job).state for job in range(1, count + 2)} == {"succeeded"}
    print(json.dumps({"seconds": took}))


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]))
