"""What a program gives that can't be right is refused at once, in words; what it is given is shown in few of them."""

from __future__ import annotations

import gc
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
import trio
import trio.testing

import holdfast
import holdfast.testing
from holdfast.events.facts import AttemptProgressed
from holdfast.store.home import Home
from holdfast.store.reader import Reader

Loop = Callable[[Callable[[], Awaitable[None]]], None]
Use = Callable[[holdfast.SyncHoldfast], object]

NOTHING = cast("int", None)

REFUSED: list[tuple[Use, str]] = [
    (lambda hf: hf.wait(NOTHING), "None is no job"),
    (lambda hf: hf.cancel(cast("int", 1.5)), "1.5 is no job"),
    (lambda hf: hf.hold(math.isnan(1)), "False is no job"),
    (lambda hf: hf.job(cast("int", "x")), "'x' is a name"),
    (lambda hf: hf.record(NOTHING), "None is no job"),
    (lambda hf: hf.output(cast("int", 1.5)), "1.5 is no job"),
    (lambda hf: hf.submit("true", after=cast("int", 1.5)), "1.5 is no job"),
    (lambda hf: hf.submit("true", inputs=[cast("str", 5)]), "jobs.1.inputs: 5 is no pair of paths"),
    (lambda hf: hf.submit("true", inputs=cast("list[str]", 5)), "jobs.1.inputs: 5 is no list"),
    (lambda hf: hf.submit("true", timeout=cast("str", 5)), 'timeout: 5 is of the wrong type .*; write "5s" or a time'),
    (lambda hf: hf.submit("true", key=""), "key: '' is no key"),
    (lambda hf: hf.offer("local", cast("dict[str, int]", 5)), "targets.local.capacity: 5 says no amounts"),
    (lambda hf: hf.offer("gpu1", {"cpus": 1}, workdir="~/w"), "targets.gpu1.host: .*give the host"),
    (lambda hf: hf.offer("gpu1", {"cpus": 1}, host="user@@h"), "can't be the name of a machine"),
    (lambda hf: hf.offer("gpu1", {"cpus": 1}, host="@h"), "can't be the name of a machine"),
    (lambda hf: hf.offer("gpu1", {"cpus": 1}, host="h", python="a b"), "python: 'a b' can't be an interpreter"),
    (lambda hf: hf.submit_many(cast("list[holdfast.Job]", holdfast.Job(run="true"))), "jobs: .* give a list of jobs"),
    (lambda hf: hf.submit_many(cast("list[holdfast.Job]", 5)), "jobs: 5 is not several jobs"),
    (
        lambda hf: hf.submit_many([holdfast.Job(run="true")], limits=cast("dict[str, holdfast.LimitSpec]", 5)),
        "limits: 5 is no mapping",
    ),
    (lambda hf: hf.submit("true", limits=["gpu"]), r"there is no limit 'gpu'; .*`hf.limit\('gpu', ...\)`"),
    (lambda hf: hf.limit("gpu", rate=cast("str", 5)), "limits.gpu.rate: 5 is no rate"),
    (lambda hf: hf.limit("gpu", concurrent=0), "limits.gpu.concurrent: 0 is out of bounds"),
    (lambda hf: hf.limit("a:b", concurrent=1), "no colon"),
    (lambda hf: hf.wait(timeout=-1), "timeout: -1 is no time to wait"),
    (lambda hf: hf.wait(timeout=cast("float", "1s")), "timeout: '1s' is no time to wait"),
    (lambda hf: hf.wait(timeout=math.nan), "timeout: nan is no time to wait"),
    (lambda hf: hf.step("a", key="\ud800").__enter__(), "not UTF-8"),
    (lambda hf: hf.step("a", key="").__enter__(), "step a: a step needs a name and a key"),
    (lambda hf: hf.submit(holdfast.call("f"), target="moon"), "jobs.1.target: a function is called in this program"),
    (lambda hf: hf.submit(holdfast.call("f"), cwd="/tmp"), "jobs.1.cwd: a function is called in this program"),
    (lambda hf: hf.submit(holdfast.call("f"), max_output_bytes=5), "jobs.1.max_output_bytes: a function"),
    (lambda hf: hf.submit(holdfast.call("f", x=math.nan)), "function f: an argument can't be recorded: .* nan"),
    (lambda hf: hf.submit(holdfast.call("f", x=[{"a": -math.inf}])), "an argument can't be recorded: .* -inf"),
    (lambda hf: hf.function(cast("str", len)), "can't be the name of a function; name it: @hf.function"),
    (lambda hf: hf.function(cast("str", 5)), "5 can't be the name of a function"),
    (lambda hf: hf.function(""), "'' can't be the name of a function"),
    (lambda hf: hf.function("\0"), "a NUL character"),
    (lambda hf: hf.function("f", retries=-1)(len), "function f.retries: -1 is out of bounds"),
    (lambda hf: hf.function("f", retries=cast("int", "3"))(len), "function f.retries: a value is of a wrong type"),
    (lambda hf: hf.function("f")(cast("Use", dict)), "function f: nobody can tell what it takes: no signature"),
    (lambda hf: hf.function("f")(cast("Use", None)), "function f: nobody can tell what it takes: None is not"),
    (lambda hf: hf.function("f", limits="gpu")(len), "function f.limits: 'gpu' is one string"),
    (
        lambda hf: hf.submit("true", name="a\nb"),
        r"jobs.1.name: the name 'a\\nb' holds the character U\+000A; use 1 to 200",
    ),
    (lambda hf: hf.submit("true", name="\udcff"), "jobs.1.name: .* a byte that is not UTF-8"),
    (lambda hf: hf.submit("true", key="k" * 201), "jobs.1.key: the key .* has 201 characters"),
    (lambda hf: hf.submit_many([holdfast.Job(run="true")], flow=" "), "flow: the name ' ' begins or ends with a blank"),
    (lambda hf: hf.limit("a\x1b", concurrent=1), r"limits: the name .* holds the character U\+001B"),
    (lambda hf: hf.offer("a\tb", host="h"), r"targets: the name .* holds the character U\+0009"),
    (lambda hf: hf.function("f", retry_on=["x"])(len), "nothing is retried on 'x'"),
]


def test_what_can_not_be_right_is_refused_and_changes_nothing(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        before = hf.status().seq
        for use, message in REFUSED:
            with pytest.raises(holdfast.BadInput, match=message):
                use(hf)
        assert hf.status().seq == before


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threads": 0}, "threads: 0 is out of bounds; give a whole number from 1 to"),
        ({"threads": -1}, "threads: -1"),
        ({"threads": 10**30}, "threads: 10+ is"),
        ({"calls": 0}, "calls: 0"),
        ({"calls": "x"}, "calls: 'x'"),
        ({"slots": "x"}, "slots: 'x'"),
        ({"slots": True}, "slots: True"),
        ({"home": 5}, "home: 5 is no folder"),
        ({"home": "a\0"}, "is no folder"),
        ({"home": ""}, "home: '' is no folder"),
    ],
)
def test_opening_with_what_can_not_be_right_is_refused_and_makes_nothing(
    tmp_path: Path, loop: Loop, options: dict[str, int], message: str
) -> None:
    home = cast("str", options.get("home", tmp_path / "home"))
    rest = {name: value for name, value in options.items() if name != "home"}
    with pytest.raises(holdfast.BadInput, match=message):
        holdfast.open_sync(home, **rest)

    async def main() -> None:
        with pytest.raises(holdfast.BadInput, match=message):
            async with holdfast.open(home, **rest):
                raise AssertionError("it opened")

    loop(main)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_a_program_leaves_the_block_as_it_is(home: Path, kind: type[BaseException], loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(kind, match="mine"):
            async with holdfast.open(home):
                raise kind("mine")

    loop(main)


def test_a_result_that_json_has_no_number_for_fails_in_words(home: Path) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("typed")
        def typed() -> float:
            return math.nan

        @hf.function("untyped")
        def untyped() -> object:
            return [None, math.inf]

        assert "its result can't be recorded: JSON has no number nan" in (hf.submit(typed.call()).wait().reason or "")
        assert "JSON has no number inf" in (hf.submit(holdfast.call("untyped")).wait().reason or "")
        assert untyped() == [None, math.inf]


def test_a_function_gets_its_attempt_where_it_may_do_without(home: Path) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("named")
        def named(first: int, attempt: holdfast.Attempt | None = None, *, last: int = 0) -> list[int]:
            return [first, last, 0 if attempt is None else attempt.number]

        @hf.function("told")
        def told(attempt: holdfast.Attempt, size: int) -> int:
            return size * attempt.number

        assert hf.submit(named.call(5, last=7)).result(list[int], timeout=60) == [5, 7, 1]
        assert named(5) == [5, 0, 0]
        given = cast("Callable[..., object]", told.call)
        assert hf.submit(cast("str", given(size=4))).result(int, timeout=60) == 4
        assert hf.submit(cast("str", given(4))).result(int, timeout=60) == 4
        with pytest.raises(holdfast.BadInput, match=r"function told: it does not take these arguments: .*'size'"):
            given()


def test_offers_of_some_needs_leave_the_others_as_they_are(home: Path) -> None:
    with holdfast.open_sync(home, slots=3) as hf:
        assert hf.offer("local", {"gpus": 2}).targets == ("local",)
        with Reader(Home(home)) as reader:
            (target,) = (each for each in reader.lookups.targets() if each.name == "local")
        assert (target.capacity["cpus"], target.capacity["gpus"]) == (3, 2)
        assert hf.submit("true", needs={"gpus": 1}).wait(timeout=60).succeeded


def test_a_limit_is_declared_and_changed(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            assert (await hf.limit("gpu", concurrent=2, rate="10/s", burst=5)).limits == ("gpu",)
            assert (await hf.limit("gpu", concurrent=2, rate="10/s", burst=5)).limits == ()
            assert (await (await hf.submit("true", limits=["gpu:a"])).wait()).succeeded
            assert (await hf.limit("gpu", concurrent=1)).limits == ("gpu",)

    loop(main)
    with holdfast.open_sync(home) as hf:
        assert hf.limit("gpu", concurrent=1).limits == ()


async def test_a_limit_that_is_declared_anew_remembers_who_started_last(
    autojump_clock: trio.testing.MockClock,
) -> None:
    del autojump_clock
    async with holdfast.testing.open(lambda _: 0) as hf:
        await hf.limit("api", rate="10/s")
        await (await hf.submit("first", limits=["api"])).wait()
        began = trio.current_time()
        await hf.limit("api", rate="1/min")
        await (await hf.submit("second", limits=["api"])).wait()
        assert 30 < trio.current_time() - began <= 60


def test_jobs_are_shown_compared_and_sliced(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        sweep = hf.submit_many(holdfast.Job(run="true", hold=True) for _ in range(7))
        assert sweep[1:3] == [hf.job(2), hf.job(3)]
        assert {hf.job(3), sweep[2]} == {hf.job(3)}
        assert hf.job(3) != hf.job(4)
        assert (repr(hf), repr(sweep[0]), repr(sweep)) == (f"<holdfast {home}>", "<job 1>", "<7 jobs, 1 to 7>")
        assert repr(hf.submit_many([holdfast.Job(run="true", hold=True)])) == "<jobs 8>"
        hf.cancel(sweep, 8)


def test_jobs_of_an_event_loop_are_shown_compared_and_sliced(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            sweep = await hf.submit_many(holdfast.Job(run="true", hold=True) for _ in range(3))
            assert sweep[1:] == [hf.job(2), hf.job(3)]
            assert {hf.job(3), sweep[2]} == {hf.job(3)}
            assert (repr(hf), repr(sweep[0]), repr(sweep)) == (f"<holdfast {home}>", "<job 1>", "<jobs 1, 2, 3>")

    loop(main)


def test_it_is_used_without_a_block_and_closed(home: Path) -> None:
    hf = holdfast.open_sync(home).__enter__()
    gc.collect()
    assert hf.submit("true").wait(timeout=60).succeeded
    assert hf.wait(timeout=math.inf) is None  # type: ignore[func-returns-value]
    hf.close()
    hf.close()
    with pytest.raises(holdfast.Closed):
        hf.submit("true")


def test_a_wait_without_a_block_says_what_has_not_ended(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        job = hf.submit("true", hold=True)
        with pytest.raises(TimeoutError, match=r"have ended within 0.01 s; they go on"):
            job.wait(timeout=0.01)


def test_the_last_word_of_a_function_that_ends_at_once_is_recorded(home: Path) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("fast")
        def fast(attempt: holdfast.Attempt) -> None:
            for part in range(5):
                attempt.progress(part / 4, f"{part} of 4")

        assert hf.submit(holdfast.call(fast.name)).wait(timeout=60).succeeded
        with Reader(Home(home)) as reader:
            events = [event for _, event in reader.events(0)]
        said = [event.progress.message for event in events if isinstance(event, AttemptProgressed)]
        assert said[-1] == "4 of 4"
