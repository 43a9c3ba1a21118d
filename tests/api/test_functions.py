"""Functions as jobs: called in the program that supervises, recorded like any other attempt."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import anyio
import anyio.lowlevel
import msgspec
import pytest
import sniffio

import holdfast
from holdfast.events.facts import AttemptProgressed
from tests.system.place import until

Loop = Callable[[Callable[[], Awaitable[None]]], None]


class Size(msgspec.Struct):
    width: int
    height: int


def test_an_async_function_is_called_in_the_programs_own_loop(home: Path, loop: Loop) -> None:
    async def main() -> None:
        mine = sniffio.current_async_library()
        async with holdfast.open(home) as hf:

            @hf.function("library")
            async def library(*, shout: bool) -> str:
                await anyio.lowlevel.checkpoint()
                name = sniffio.current_async_library()
                return name.upper() if shout else name

            job = await hf.submit(holdfast.call("library", shout=True))
            assert await job.result(str) == mine.upper()
            assert await (await hf.submit(library.call(shout=False))).result(str) == mine
            assert await library(shout=False) == mine

    loop(main)


def test_any_other_function_is_called_in_a_thread(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:

            @hf.function("turn")
            def turn(size: Size, times: int = 1) -> Size:
                assert threading.current_thread() is not threading.main_thread()
                return Size(size.height, size.width) if times % 2 else size

            job = await hf.submit(turn.call(Size(3, 4)))
            assert await job.result(Size) == Size(4, 3)
            record = job.record()
            assert (record.state, record.target, record.result) == ("succeeded", "functions", '{"width":4,"height":3}')

    loop(main)


def test_plain_code_registers_functions_too(home: Path) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("double")
        def double(number: int) -> int:
            return 2 * number

        @hf.function("later")
        async def later(number: int) -> int:
            await anyio.sleep(0.001)
            return number + 1

        assert hf.submit(double.call(4)).result(int, timeout=60) == 8
        assert hf.submit(holdfast.call("later", number=4)).result(int, timeout=60) == 5


def test_a_function_that_raises_fails_its_job_and_is_tried_again(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            seen: list[tuple[int, str]] = []

            @hf.function("flaky", retries=2, retry_delay=timedelta(milliseconds=1))
            def flaky(attempt: holdfast.Attempt) -> int:
                seen.append((attempt.number, attempt.token))
                if attempt.number < 3:
                    raise ValueError("not yet")
                return attempt.job

            job = await hf.submit(holdfast.call("flaky"))
            assert await job.result(int) == job.id
            assert [number for number, _ in seen] == [1, 2, 3]
            assert len({token for _, token in seen}) == 3
            failed = await hf.submit(holdfast.call("flaky"), retries=0)
            with pytest.raises(holdfast.JobFailed, match="ValueError: not yet"):
                await failed.result(int)
            assert failed.record().reason == "ValueError: not yet"

    loop(main)


def test_calls_at_once_never_pass_their_bound(home: Path, loop: Loop) -> None:
    async def main() -> None:
        now = most = 0
        async with holdfast.open(home, calls=7) as hf:

            @hf.function("count")
            async def count() -> None:
                nonlocal now, most
                now += 1
                most = max(most, now)
                await anyio.sleep(0.002)
                now -= 1

            await (await hf.submit_many(holdfast.Job(run=holdfast.call("count")) for _ in range(100))).wait()
            assert most == 7

    loop(main)


def test_limits_hold_for_calls(home: Path, loop: Loop) -> None:
    async def main() -> None:
        starts: list[float] = []
        async with holdfast.open(home) as hf:

            @hf.function("api", limits=["api"])
            async def api() -> None:
                starts.append(time.monotonic())

            jobs = [holdfast.Job(run=holdfast.call("api"), limits=["api"]) for _ in range(10)]
            rate = holdfast.LimitSpec(interval_us=20_000)
            await (await hf.submit_many(jobs, limits={"api": rate})).wait()
            gaps = [later - earlier for earlier, later in pairwise(starts)]
            # A call that is late itself comes closer to the next one; all of them together can't be early.
            assert sum(gaps) > 9 * 0.02 - 0.03
            assert min(gaps) > 0.002

    loop(main)


def test_progress_is_recorded(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            go = anyio.Event()

            @hf.function("slow")
            async def slow(attempt: holdfast.Attempt) -> None:
                attempt.progress(0.5, "half")
                await go.wait()
                with pytest.raises(holdfast.BadInput, match="no fraction"):
                    attempt.progress(2.0)

            job = await hf.submit(holdfast.call("slow"))
            async for event in hf.events():
                if isinstance(event.event, AttemptProgressed):
                    assert event.event.job == job.id
                    assert (event.event.progress.fraction, event.event.progress.message) == (0.5, "half")
                    break
            assert job.record().state == "running"
            go.set()
            assert (await job.wait()).succeeded

    loop(main)


def test_an_async_function_that_is_cancelled_cleans_up_first(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            started, cleaned = anyio.Event(), anyio.Event()

            @hf.function("endless")
            async def endless() -> None:
                started.set()
                try:
                    await anyio.sleep_forever()
                finally:
                    cleaned.set()

            job = await hf.submit(holdfast.call("endless"))
            await started.wait()
            await hf.cancel(job)
            assert (await job.wait()).state == "cancelled"
            assert cleaned.is_set()

    loop(main)


def test_a_plain_function_that_is_cancelled_looks_and_stops(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        started = threading.Event()

        @hf.function("endless")
        def endless(attempt: holdfast.Attempt) -> None:
            started.set()
            while True:
                attempt.check()
                select.select([], [], [], 0.001)

        job = hf.submit(holdfast.call("endless"))
        assert started.wait(60)
        hf.cancel(job)
        assert job.wait(timeout=60).state == "cancelled"
        timed = hf.submit(holdfast.call("endless"), timeout=timedelta(milliseconds=20))
        assert timed.wait(timeout=60).reason == "timed out"


def test_a_function_whose_time_is_up_is_cancelled(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:

            @hf.function("endless", timeout=timedelta(milliseconds=20))
            async def endless() -> None:
                await anyio.sleep_forever()

            record = await (await hf.submit(endless.call())).wait()
            assert (record.state, record.reason) == ("failed", "timed out")

    loop(main)


def test_a_call_waits_for_its_function_and_gives_up_in_the_end(
    home: Path, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            job = await hf.submit(holdfast.call("late"))
            with anyio.move_on_after(0.1):
                await job.wait()
            hf.function("late")(lambda: None)
            assert (await job.wait()).succeeded
            monkeypatch.setattr("holdfast.actors.targets.calling.UNKNOWN_S", 0.05)
            never = await (await hf.submit(holdfast.call("never"))).wait()
            assert never.state == "failed"
            assert "no function 'never' is registered" in (never.reason or "")

    loop(main)


@pytest.mark.parametrize(
    "arguments, message",
    [({"width": "a"}, "does not take these"), ({}, "does not take these"), ({"width": 1, "depth": 2}, "depth")],
)
def test_arguments_are_checked_before_anything_is_recorded(
    home: Path, arguments: dict[str, object], message: str
) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("resize")
        def resize(width: int) -> int:
            return width

        with pytest.raises(holdfast.BadInput, match=message):
            hf.submit(holdfast.call("resize", **arguments))
        assert hf.status().counts == {}


def test_what_can_not_be_recorded_is_refused_or_fails_with_the_remedy(home: Path) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("big")
        def big(size: int) -> str:
            return "x" * size

        @hf.function("odd")
        def odd() -> object:
            return threading.current_thread()

        @hf.function("liar")
        def liar() -> int:
            return "text"  # type: ignore[return-value] # pyright: ignore[reportReturnType]

        assert "write it to a file" in (hf.submit(big.call(70_000)).wait(timeout=60).reason or "")
        assert "can't be recorded" in (hf.submit(odd.call()).wait(timeout=60).reason or "")
        assert "can't be recorded" in (hf.submit(liar.call()).wait(timeout=60).reason or "")
        with pytest.raises(holdfast.BadInput, match="write them to a file"):
            hf.submit(holdfast.call("huge", text="x" * 70_000))
        with pytest.raises(holdfast.BadInput, match="can't be recorded"):
            holdfast.call("big", size=threading.current_thread())
        with pytest.raises(holdfast.BadInput, match="already"):
            hf.function("big")(big.function)
        with pytest.raises(holdfast.BadInput, match="by name"):
            hf.function("many")(print)
        with pytest.raises(holdfast.BadInput, match="no command and no environment"):
            hf.submit(big.call(1), env={"A": "b"})


def test_a_thousand_calls_end_each_once(home: Path, loop: Loop) -> None:
    async def main() -> None:
        called: list[int] = []
        async with holdfast.open(home) as hf:

            @hf.function("note")
            async def note(number: int) -> int:
                called.append(number)
                return number

            sweep = await hf.submit_many(holdfast.Job(run=note.call(number)) for number in range(1_000))
            records = await sweep.wait()
            assert sorted(called) == list(range(1_000))
            assert [record.result_as(int) for record in records] == list(range(1_000))

    loop(main)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class Unopened(ExceptionGroup[Exception]):
    @property
    def exceptions(self) -> NoReturn:
        raise RuntimeError


@pytest.mark.parametrize(
    "error, words",
    [
        (ValueError("not text: \ud800"), "ValueError: not text: ?"),
        (Unspeakable(), "Unspeakable: it can't be put into words"),
        (ExceptionGroup("some", [KeyError("a")]), "KeyError: 'a'"),
        (Unopened("some", [KeyError("a")]), "Unopened: it can't be put into words"),
        (SystemExit(3), "SystemExit: 3"),
        (holdfast.CallStopped(), "this call is to stop"),  # and nobody had cancelled it
    ],
)
def test_whatever_a_function_raises_fails_its_job_and_nothing_else(
    home: Path, error: BaseException, words: str
) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("broken")
        def broken(attempt: holdfast.Attempt) -> None:
            attempt.progress(message="\ud800")
            raise error

        @hf.function("sound")
        def sound() -> int:
            return 1

        record = hf.submit(holdfast.call("broken")).wait(timeout=60)
        assert record.state == "failed"
        assert words in (record.reason or "")
        assert hf.submit(sound.call()).result(int, timeout=60) == 1


def test_a_function_that_cancels_itself_ends_its_own_attempt_alone(home: Path) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            go = anyio.Event()

            @hf.function("other")
            async def other() -> int:
                await go.wait()
                return 1

            @hf.function("odd")
            async def odd() -> None:
                raise anyio.get_cancelled_exc_class()

            waits = await hf.submit(other.call())
            assert (await (await hf.submit(odd.call())).wait()).state == "failed"
            go.set()
            assert await waits.result(int) == 1
            assert await (await hf.submit(other.call())).result(int) == 1

    anyio.run(main, backend="asyncio")


def test_a_call_that_was_cancelled_while_it_waited_for_a_thread_is_not_made(
    home: Path,
) -> None:
    with holdfast.open_sync(home, threads=1) as hf:
        go, called = threading.Event(), threading.Event()
        hf.function("first")(go.wait)

        @hf.function("second")
        def second() -> None:
            called.set()

        first = hf.submit(holdfast.call("first"))
        later = hf.submit(second.call())
        until(lambda: later.record().state == "launching", "it waits for a thread")
        hf.cancel(later)
        assert later.wait(timeout=60).state == "cancelled"
        go.set()
        assert first.wait(timeout=60).succeeded
        assert not called.is_set()
