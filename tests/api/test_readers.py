"""Readers of the log: however many, slow or restarted, each sees every event once, and nobody waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Final

import anyio
import pytest

import holdfast
from holdfast.desk import EVENTS_AT_ONCE
from holdfast.events.facts import JobSubmitted
from tests.system.marks import new_seed

Loop = Callable[[Callable[[], Awaitable[None]]], None]

READERS: Final = 24
LAST: Final = "last"


def _is_last(event: holdfast.Recorded) -> bool:
    return isinstance(event.event, JobSubmitted) and event.event.spec.name == LAST


async def _work(hf: holdfast.Holdfast, jobs: int) -> int:
    """Have some jobs run, and then one submitted that tells readers to end; the log's size then."""
    await (await hf.submit_many(holdfast.Job(run=["true"]) for _ in range(jobs))).wait()
    await hf.submit("true", name=LAST, hold=True)
    return (await hf.status()).seq


def test_readers_that_are_slow_or_restarted_see_every_event_once(home: Path, loop: Loop) -> None:
    seed = new_seed()
    seen: list[list[int]] = [[] for _ in range(READERS)]

    async def main() -> None:
        newest = 0
        async with holdfast.open(home, slots=2) as hf:

            async def read(reader: int) -> None:
                random = Random(f"{seed}/{reader}")
                slow_s, restarts = random.choice((0, 0.0005, 0.002)), random.choice((0, 0.05, 0.5))
                over = False
                while not over:
                    async for event in hf.events(after=seen[reader][-1] if seen[reader] else 0):
                        seen[reader].append(event.seq)
                        over = _is_last(event)
                        await anyio.sleep(slow_s * random.random())
                        if over or random.random() < restarts:
                            break

            with anyio.fail_after(60):
                async with anyio.create_task_group() as group:
                    for reader in range(READERS):
                        group.start_soon(read, reader)
                    newest = await _work(hf, 60)
            assert seen == [list(range(1, newest + 1))] * READERS

    loop(main)


def test_p5_p9_readers_that_stand_still_delay_no_commit_and_hold_a_bounded_number_of_events(
    home: Path, loop: Loop
) -> None:
    async def main() -> None:
        async with holdfast.open(home, slots=2) as hf:
            readers = [hf.events() for _ in range(READERS)]
            for reader in readers:
                await anext(reader)
            with anyio.fail_after(60):
                newest = await _work(hf, 200)
                assert newest > 2 * EVENTS_AT_ONCE
                for reader in readers:  # each has stood still at the first event meanwhile
                    assert (await anext(reader)).seq == 2
                    assert reader.held <= EVENTS_AT_ONCE

    loop(main)


def test_a_second_task_on_one_reader_is_told_to_take_its_own(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            reader = hf.events(after=1_000_000)  # which this log does not reach
            async with anyio.create_task_group() as group:
                group.start_soon(anext, reader)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(holdfast.BadInput, match=r"give each task its own: `hf.events"):
                    await anext(reader)
                group.cancel_scope.cancel()
            with anyio.move_on_after(0):  # the first has left, so that another may wait
                await anext(reader)

    loop(main)


def test_threads_read_side_by_side(home: Path) -> None:
    with holdfast.open_sync(home, slots=2) as hf, ThreadPoolExecutor(8) as pool:

        def read(_: int) -> list[int]:
            seen: list[int] = []
            for event in hf.events():
                seen.append(event.seq)
                if _is_last(event):
                    break
            return seen

        reading = [pool.submit(read, reader) for reader in range(8)]
        hf.submit_many(holdfast.Job(run=["true"]) for _ in range(20)).wait(timeout=60)
        hf.submit("true", name=LAST, hold=True)
        newest = hf.status().seq
        assert [each.result(60) for each in reading] == [list(range(1, newest + 1))] * 8
