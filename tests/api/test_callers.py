"""Ten thousand callers at once, many of whom go away at any moment: each submission is recorded whole or absent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Final

import anyio
import pytest

import holdfast
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from tests.system.marks import new_seed

Loop = Callable[[Callable[[], Awaitable[None]]], None]

CALLERS: Final = 10_000


@pytest.mark.slow
def test_p1_p7_of_ten_thousand_callers_cancelled_at_random_each_is_acknowledged_or_absent_and_none_half(
    home: Path, loop: Loop
) -> None:
    random = Random(new_seed())
    told: dict[int, list[int]] = {}

    async def main() -> None:
        async with holdfast.open(home) as hf:
            await hf.pause()

            async def call(caller: int, patience_s: float) -> None:
                jobs = [holdfast.Job(run=["true"], name=f"{caller}.first", key=f"{caller}")]
                if caller % 2:
                    jobs.append(holdfast.Job(run=["true"], name=f"{caller}.second", after=f"{caller}.first"))
                with anyio.move_on_after(patience_s):
                    told[caller] = list((await hf.submit_many(jobs)).ids)

            async with anyio.create_task_group() as group:
                for caller in range(CALLERS):
                    # Some wait as long as it takes, and some not at all, however fast the machine is.
                    patience_s = {0: 300.0, 5: 0.0}.get(caller % 10, random.uniform(0, 2))
                    group.start_soon(call, caller, patience_s)

    loop(main)
    recorded: defaultdict[int, list[int]] = defaultdict(list)
    with Reader(Home(home)) as reader:
        for line in reader.jobs():
            recorded[int(line.name.partition(".")[0])].append(line.id)
        assert list(reader.jobs()) == list(reader.replay())
    halves = [caller for caller, jobs in recorded.items() if len(jobs) != 1 + caller % 2]
    assert halves == []
    assert told == {caller: recorded[caller] for caller in told}
    assert 0 < len(told) < CALLERS, "nobody was cancelled, or everybody: nothing is shown"
