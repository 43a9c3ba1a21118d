"""What calls take from their functions, and what becomes of those whose function is missing or does not end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import anyio
import pytest

import holdfast
from holdfast.store.home import Home
from holdfast.store.reader import Reader

Loop = Callable[[Callable[[], Awaitable[None]]], None]


def test_a_job_that_wraps_a_call_is_as_its_function_says_but_for_what_it_says_itself(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.submit_many([holdfast.Job(run="true")], limits={"gpu": holdfast.LimitSpec(concurrent=1)})

        @hf.function("work", limits=["gpu"], retries=3, timeout="1h30m")
        def work() -> None:
            pass

        as_it_is = holdfast.Job(run=work.call(), hold=True)
        otherwise = holdfast.Job(run=work.call(), hold=True, retries=0, limits=[], timeout=None)
        jobs = [hf.submit(as_it_is).id, *hf.submit_many([as_it_is, otherwise]).ids]
        with Reader(Home(home)) as reader:
            specs = reader.lookups.specs(jobs)
        said = [(specs[job].limits, specs[job].retries, specs[job].timeout_us) for job in jobs]
        assert said == [(("gpu",), 3, 5_400_000_000)] * 2 + [((), 0, None)]


def test_arguments_are_checked_also_where_a_job_wraps_the_call(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.function("half")(half)
        with pytest.raises(holdfast.BadInput, match="does not take these"):
            hf.submit_many([holdfast.Job(run=holdfast.call("half", number="x"))])


def half(number: int) -> int | None:
    return None if number % 2 else number // 2


def test_a_result_is_asked_for_by_any_type(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.function("half")(half)
        found: int | None = hf.submit(holdfast.call("half", number=8)).result(int | None, timeout=60)
        nothing: int | None = hf.submit(holdfast.call("half", number=9)).result(int | None, timeout=60)
        assert (found, nothing) == (4, None)
        with pytest.raises(holdfast.BadInput, match="no kind of result"):
            hf.job(1).result(cast("type[int]", 7))


def two_kinds_of_list(size: list[int] | tuple[str, ...]) -> None:
    del size


def nowhere(size: int) -> None:
    del size


def no_type() -> None:
    pass


nowhere.__annotations__["size"] = "Nowhere"
no_type.__annotations__["return"] = 5


@pytest.mark.parametrize("function", [two_kinds_of_list, nowhere, no_type])
def test_a_function_with_types_that_can_not_be_recorded_is_refused_by_name(
    home: Path, function: Callable[..., object]
) -> None:
    with holdfast.open_sync(home) as hf:
        with pytest.raises(holdfast.BadInput, match="function odd: the types that it names can't be used"):
            hf.function("odd")(function)
        hf.function("odd")(half)


def test_an_option_that_a_function_does_not_have_is_refused_at_registration(home: Path) -> None:
    with holdfast.open_sync(home) as hf, pytest.raises(holdfast.BadInput, match="function half: 'needs' is nothing"):
        hf.function("half", needs={"cpus": 2})(half)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_a_parameter_keeps_its_default_of_whatever_type(home: Path) -> None:
    shared = [1, 2]
    with holdfast.open_sync(home) as hf:

        @hf.function("total")
        def total(numbers: list[int] = shared, by_name: dict[str, int] = {"a": 3}) -> int:  # noqa: B006 - they are read
            assert numbers is shared or len(numbers) == 1
            return sum(numbers) + by_name["a"]

        assert hf.submit(total.call()).result(int, timeout=60) == 6
        assert hf.submit(total.call([4])).result(int, timeout=60) == 7


def test_a_result_that_can_not_be_recorded_fails_the_call_and_says_why(home: Path) -> None:
    endless: list[object] = []
    endless.append(endless)
    with holdfast.open_sync(home) as hf:
        hf.function("endless")(lambda: endless)
        reason = hf.submit(holdfast.call("endless")).wait(60).reason or ""
        assert "function endless: its result can't be recorded" in reason
        with pytest.raises(holdfast.BadInput, match="its result can't be recorded"), hf.step("big", key="1") as step:
            step.result = endless


def test_a_step_with_nothing_to_keep_is_recorded_as_done(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        for fresh in (True, False):
            with hf.step("tidy", key="1") as step:
                assert (step.fresh, step.result) == (fresh, None)


def test_calls_of_functions_that_nobody_has_take_the_places_of_others_only_for_a_while(
    home: Path, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them together, that is: a while after the last function was registered, each fails at once."""
    monkeypatch.setattr("holdfast.actors.targets.calling.UNKNOWN_S", 1.0)

    async def main() -> None:
        async with holdfast.open(home, calls=2) as hf:
            hf.function("half")(half)
            unknown = await hf.submit_many(holdfast.Job(run=holdfast.call("nobody", number=n)) for n in range(20))
            known = await hf.submit(holdfast.call("half", number=8))
            with anyio.fail_after(5):  # ten times a second, two by two, it was
                assert await known.result(int | None) == 4
            for record in await unknown.wait():
                assert "no function 'nobody' is registered" in (record.reason or "")

    loop(main)


def test_leaving_says_which_calls_it_waits_for(
    home: Path, loop: Loop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("holdfast.hosting.LEAVE_S", 0.05)

    async def main() -> None:
        async with holdfast.open(home) as hf:
            started = anyio.Event()

            @hf.function("stubborn")
            async def stubborn() -> None:
                with anyio.CancelScope(shield=True):
                    started.set()
                    await anyio.sleep(0.3)

            job = await hf.submit(stubborn.call())
            await started.wait()
        assert f".{job.id}.1 were told to stop and go on" in caplog.text
        async with holdfast.open(home) as hf:
            assert (await hf.job(job.id).wait()).state == "lost"

    with caplog.at_level(logging.WARNING, "holdfast"):
        loop(main)


def test_amounts_and_durations_are_given_as_text_as_in_flows(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        job = hf.submit("true", needs={"memory": "1MB"}, timeout="2h", grace="5s", retry_delay="500ms", hold=True)
        same = hf.submit("true", needs={"memory": 1_000_000}, timeout=timedelta(hours=2), hold=True)
        with Reader(Home(home)) as reader:
            specs = reader.lookups.specs([job.id, same.id])
        assert specs[job.id].needs == specs[same.id].needs == {"cpus": 1, "memory": 1_000_000}
        assert specs[job.id].timeout_us == specs[same.id].timeout_us == 7_200_000_000
        assert (specs[job.id].grace_us, specs[job.id].retry_delay_us) == (5_000_000, 500_000)


def test_a_call_that_waits_for_a_thread_has_not_started_and_keeps_nobody_from_it(home: Path) -> None:
    with holdfast.open_sync(home, threads=1) as hf:
        go = threading.Event()
        hf.function("wait")(go.wait)

        @hf.function("other")
        async def other() -> int:
            return 7

        first = hf.submit(holdfast.call("wait"))
        later = hf.submit(holdfast.call("wait"), timeout="5s")
        assert hf.submit(other.call()).result(int, timeout=60) == 7
        assert later.record().state == "launching"
        go.set()
        ended, began = first.wait(timeout=60).ended_at, later.wait(timeout=60).started_at
        assert ended is not None
        assert began is not None
        assert began >= ended
