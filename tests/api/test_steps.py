"""Steps of a function: done once, recorded, and found again by every later attempt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import anyio
import msgspec
import pytest

import holdfast
from holdfast.events.facts import StepRecorded

Loop = Callable[[Callable[[], Awaitable[None]]], None]


class Receipt(msgspec.Struct):
    amount: int


def test_a_function_that_is_tried_again_goes_on_where_it_was(home: Path, loop: Loop) -> None:
    async def main() -> None:
        done: list[str] = []
        async with holdfast.open(home) as hf:

            @hf.function("order", retries=3, retry_delay=timedelta(0))
            async def order(number: int, attempt: holdfast.Attempt) -> int:
                async with hf.step("charge", key=str(number)) as charge:
                    if charge.fresh:
                        done.append("charge")
                        charge.result = Receipt(7)
                if attempt.number == 1:
                    raise ValueError("the parcel service does not answer")
                async with hf.step("ship", key=str(number)) as ship:
                    if ship.fresh:
                        done.append("ship")
                return charge.result_as(Receipt).amount

            job = await hf.submit(holdfast.call("order", number=4))
            assert await job.result(int) == 7
            steps = [each.event async for each in _until(hf, (await hf.status()).seq)]
            assert [each.job for each in steps if isinstance(each, StepRecorded)] == [job.id, job.id]
            assert done == ["charge", "ship"]
            await (await hf.submit(holdfast.call("order", number=4), retries=0)).wait()
            assert done == ["charge", "ship"]

    loop(main)


async def _until(hf: holdfast.Holdfast, seq: int) -> AsyncGenerator[holdfast.Recorded, None]:
    async for event in hf.events():
        yield event
        if event.seq >= seq:
            return


def test_a_step_that_fails_is_not_recorded(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        before = hf.status().seq
        with pytest.raises(ZeroDivisionError), hf.step("divide", key="1") as step:
            step.result = 1 // 0
        assert hf.status().seq == before
        with hf.step("divide", key="1") as step:
            assert step.fresh
            step.result = {"quotient": 4}
        with hf.step("divide", key="1") as step:
            assert not step.fresh
            assert step.result == {"quotient": 4}
            with pytest.raises(holdfast.BadInput, match="done before"):
                step.result = 5


def test_of_two_that_do_a_step_at_once_the_first_result_counts_for_both(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            results: list[object] = []

            async def do(value: int) -> None:
                async with hf.step("choose", key="k") as step:
                    assert step.fresh
                    step.result = value
                    await anyio.wait_all_tasks_blocked()
                results.append(step.result)

            async with anyio.create_task_group() as group:
                group.start_soon(do, 1)
                group.start_soon(do, 2)
            assert len(set(map(str, results))) == 1
            newest = (await hf.status()).seq
            events = [each.event async for each in _until(hf, newest)]
            assert sum(isinstance(event, StepRecorded) for event in events) == 1

    loop(main)


@pytest.mark.parametrize(
    "name, key, result, problem",
    [
        ("", "k", 1, "needs a name and a key"),
        ("s", "", 1, "needs a name and a key"),
        ("s", "k", "x" * 70_000, "write it to a file"),
        ("s", "k", object(), "can't be recorded"),
    ],
)
def test_what_can_not_be_recorded_is_refused(home: Path, name: str, key: str, result: object, problem: str) -> None:
    with holdfast.open_sync(home) as hf:
        before = hf.status().seq
        with pytest.raises(holdfast.BadInput, match=problem), hf.step(name, key=key) as step:
            step.result = result
        assert hf.status().seq == before
