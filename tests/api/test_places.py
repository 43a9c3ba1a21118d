"""Calls that wait for calls: where no place is left for those, one is told so, and the others go on."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import trio

import holdfast
import holdfast.testing
from tests.system.place import until

Loop = Callable[[Callable[[], Awaitable[None]]], None]


def test_plain_functions_that_wait_for_others_in_all_threads_are_told_and_no_more_than_must(home: Path) -> None:
    with holdfast.open_sync(home, threads=2) as hf:
        both = threading.Barrier(2)

        @hf.function("leaf")
        def leaf(number: int) -> int:
            return number

        @hf.function("outer")
        def outer(number: int) -> int:
            both.wait(60)
            return hf.submit(leaf.call(number)).result(int)

        records = hf.submit_many(holdfast.Job(run=outer.call(number)) for number in range(2)).wait(timeout=60)
        assert sorted(record.state for record in records) == ["failed", "succeeded"]
        (reason,) = (record.reason for record in records if not record.succeeded)
        assert "all threads (`threads=2`) are taken by calls that wait" in (reason or "")
        assert "submit what comes next as jobs with `after`" in (reason or "")


def test_async_functions_nested_deeper_than_there_are_places_are_told(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home, calls=3) as hf:

            @hf.function("nested")
            async def nested(depth: int) -> int:
                if depth == 0:
                    return 0
                return 1 + await (await hf.submit(holdfast.call("nested", depth=depth - 1))).result(int)

            assert await (await hf.submit(nested.call(2))).result(int) == 2
            with pytest.raises(holdfast.JobFailed, match=r"all places for calls \(`calls=3`\)"):
                await (await hf.submit(nested.call(3))).result(int)

    loop(main)


def test_places_are_counted_as_the_target_offers_them_now(home: Path) -> None:
    with holdfast.open_sync(home, calls=9) as hf:
        hf.function("inner")(lambda: 1)

        @hf.function("outer")
        def outer() -> int:
            return hf.submit(holdfast.call("inner")).result(int)

        hf.offer("functions", {"calls": 1})
        assert "(`calls=1`)" in (hf.submit(outer.call()).wait(timeout=60).reason or "")
        hf.offer("functions", {"calls": 2})
        assert hf.submit(outer.call()).result(int, timeout=60) == 1


def test_calls_that_wait_for_a_thread_keep_their_places_from_async_ones_and_that_is_told(home: Path) -> None:
    with holdfast.open_sync(home, threads=1, calls=2) as hf:
        ready = threading.Event()

        @hf.function("leaf")
        async def leaf() -> int:
            await trio.lowlevel.checkpoint()
            return 1

        @hf.function("outer")
        def outer() -> int:
            ready.wait(60)
            return hf.submit(leaf.call()).result(int)

        outers = hf.submit_many(holdfast.Job(run=outer.call()) for _ in range(2))
        until(lambda: outers[1].record().state == "launching", "it has a place, and no thread")
        ready.set()
        assert [record.state for record in outers.wait(timeout=60)] == ["failed", "succeeded"]


async def test_calls_that_wait_for_commands_in_all_places_wait_for_as_long_as_those_take(
    autojump_clock: trio.testing.MockClock,
) -> None:
    del autojump_clock

    async def sleep(command: holdfast.testing.Command) -> int:
        del command
        await trio.sleep(100)
        return 0

    async with holdfast.testing.open(sleep, calls=1) as hf:

        @hf.function("outer")
        async def outer() -> int:
            return (await (await hf.submit("sleep")).wait()).exit_code or 0

        assert await (await hf.submit(outer.call())).result(int) == 0


def test_an_async_wait_that_ends_by_itself_is_left_to_and_one_in_a_program_that_does_is_not(
    home: Path, loop: Loop
) -> None:
    async def main() -> None:
        with anyio.fail_after(60):
            async with holdfast.open(home, calls=1) as hf:

                @hf.function("leaf")
                async def leaf() -> None:
                    await anyio.lowlevel.checkpoint()

                @hf.function("outer")
                async def outer(*, patient: bool) -> bool:
                    job = await hf.submit(leaf.call())
                    with anyio.move_on_after(None if patient else 0.6) as scope:
                        await job.wait()
                    return scope.cancelled_caught

                assert await (await hf.submit(outer.call(patient=False))).result(bool)
                with pytest.raises(holdfast.JobFailed, match="all places"):
                    await (await hf.submit(outer.call(patient=True))).result(bool)

    loop(main)


def test_a_wait_that_ends_by_itself_is_left_to(home: Path) -> None:
    with holdfast.open_sync(home, calls=1) as hf:
        hf.function("leaf")(lambda: None)

        @hf.function("outer")
        def outer() -> str:
            try:
                hf.submit(holdfast.call("leaf")).wait(timeout=0.6)
            except TimeoutError as error:
                return str(error)
            return ""

        said = hf.submit(outer.call()).result(str, timeout=60)
        assert said == "not all of the jobs have ended within 0.6 s; they go on: wait for them again"
