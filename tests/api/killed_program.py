"""The program that `test_kills` kills: commands, calls, and calls that take steps, each with a key of its own.

It says `ready`, and then what it was told, once it was told, a line each: `job KEY ID`, `step KEY RESULT`,
`end KEY STATE RESULT`. What runs leaves its token in the file `marks`.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import anyio

import holdfast
from holdfast.events.spec import Call
from tests.system.marks import MARK

STEPS: Final = 4


def _say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # one write: a kill may cut it off, and nothing else


async def main(home: str, folder: Path, count: int) -> None:
    """Submit `count` of each kind, or find those that were submitted before, and wait for all."""
    marks = os.open(folder / "marks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with holdfast.open(home, slots=4) as hf:

        @hf.function("once")
        def once(attempt: holdfast.Attempt) -> str:
            os.write(marks, f"{attempt.token}\n".encode())
            return attempt.token

        @hf.function("order", retries=10_000, retry_on=["failed", "lost"], retry_delay=timedelta(0))
        async def order(number: int, attempt: holdfast.Attempt) -> int:
            os.write(marks, f"{attempt.token}\n".encode())
            for part in range(STEPS):
                key = f"{number}.{part}"
                async with hf.step("part", key=key) as step:
                    if step.fresh:
                        _say("doing", key)
                        await anyio.sleep(0.02)
                        step.result = attempt.token
                _say("step", key, step.result_as(str))
            return STEPS

        async def see_to(key: str, run: str | Call) -> None:
            job = await hf.submit(run, name=key, key=key, cwd=None if isinstance(run, Call) else folder)
            _say("job", key, job.id)
            record = await job.wait()
            _say("end", key, record.state, record.result)

        _say("ready")
        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(see_to, f"command{number}", MARK)
                group.start_soon(see_to, f"once{number}", holdfast.call("once"))
                group.start_soon(see_to, f"order{number}", holdfast.call("order", number=number))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), backend=sys.argv[4])
