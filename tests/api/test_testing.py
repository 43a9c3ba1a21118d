"""`holdfast.testing`: tests of programs that use Holdfast, on virtual time and without processes."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest
import trio
from trio.testing import MockClock

import holdfast
import holdfast.testing

pytest_plugins = ["pytester"]


async def test_commands_are_a_function_of_the_test_and_take_no_time(autojump_clock: MockClock) -> None:
    del autojump_clock
    ran: list[object] = []

    async def simulate(command: holdfast.testing.Command) -> int:
        ran.append(command.run)
        await trio.sleep(3600)
        return 0

    async with holdfast.testing.open(simulate, slots=2) as hf:
        began = trio.current_time()
        cases = await hf.submit_many(holdfast.Job(run=["simulate", str(case)]) for case in range(10))
        report = await hf.submit("report", after=cases)
        assert (await report.wait()).succeeded
        assert trio.current_time() - began == pytest.approx(6 * 3600, abs=5)
        assert len(ran) == 11
        assert ran[-1] == "report"


async def test_retries_and_their_delays_pass_in_virtual_time(autojump_clock: MockClock) -> None:
    del autojump_clock
    tries: list[float] = []

    def fail_twice(command: holdfast.testing.Command) -> int:
        tries.append(trio.current_time())
        return 0 if command.attempt == 3 else 1

    async with holdfast.testing.open(fail_twice) as hf:
        job = await hf.submit("work", retries=2, retry_delay=timedelta(hours=1), retry_delay_max=timedelta(hours=9))
        record = await job.wait()
        assert (record.state, record.attempt) == ("succeeded", 3)
        assert tries[-1] - tries[0] > 60


@pytest.mark.parametrize("odd", [None, True, "0"])
async def test_what_is_no_exit_code_fails_the_test_in_words(odd: int, autojump_clock: MockClock) -> None:
    del autojump_clock
    with pytest.raises(holdfast.BadInput, match=r"commands gave .* for 'work'; have it give an exit code: 0 where"):
        async with holdfast.testing.open(lambda _: odd) as hf:
            await (await hf.submit("work")).wait()


async def test_time_outs_and_cancellations_end_commands(autojump_clock: MockClock) -> None:
    del autojump_clock

    async def hang(command: holdfast.testing.Command) -> int:
        del command
        await trio.sleep(float("inf"))
        return 0

    async with holdfast.testing.open(hang) as hf:
        timed = await hf.submit("hang", timeout=timedelta(minutes=5))
        assert (await timed.wait()).reason == "timed out"
        cancelled = await hf.submit("hang")
        with trio.move_on_after(60):
            await cancelled.wait()
        await hf.cancel(cancelled)
        assert (await cancelled.wait()).state == "cancelled"


async def test_functions_steps_and_events_work_as_ever(autojump_clock: MockClock) -> None:
    del autojump_clock
    async with holdfast.testing.open(lambda _: 0) as hf:

        @hf.function("add")
        async def add(first: int, second: int) -> int:
            await trio.sleep(100)
            return first + second

        @hf.function("half")
        def half(number: int) -> int:
            return number // 2

        assert await (await hf.submit(add.call(3, 4))).result(int) == 7
        assert await (await hf.submit(half.call(8))).result(int) == 4
        async with hf.step("once", key="1") as step:
            step.result = 1
        newest = (await hf.status()).seq
        seen = 0
        async for event in hf.events():
            seen += 1
            if event.seq == newest:
                break
        assert seen == newest


def test_another_loop_than_trios_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(holdfast.testing.WrongLoop, match="runs in asyncio: use pytest-trio"):
            async with holdfast.testing.open(lambda _: 0):
                raise AssertionError("it opened")

    anyio.run(main, backend="asyncio")


async def test_what_a_command_raises_fails_the_test() -> None:
    def broken(command: holdfast.testing.Command) -> int:
        raise ZeroDivisionError(command.run)

    with pytest.raises(ZeroDivisionError):
        async with holdfast.testing.open(broken) as hf:
            await (await hf.submit("work")).wait()


def test_the_fixture_gives_one_whose_commands_a_test_can_choose(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntrio_mode = true\n")
    pytester.makeconftest('pytest_plugins = ["holdfast.pytest_fixture"]')
    pytester.makepyfile(
        test_default="""
        async def test_it(hf):
            assert (await (await hf.submit("work")).wait()).succeeded
        """,
        test_chosen="""
        import pytest

        @pytest.fixture
        def holdfast_commands():
            return lambda command: 1 if command.attempt == 1 else 0

        async def test_it(hf, autojump_clock):
            record = await (await hf.submit("work", retries=1)).wait()
            assert (record.state, record.attempt) == ("succeeded", 2)
        """,
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
