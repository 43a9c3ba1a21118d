"""What can't be right is refused with an error of its own that names the remedy."""

from __future__ import annotations

import copy
import math
import os
import pickle
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, cast

import anyio
import anyio.to_thread
import pytest
import trio

import holdfast
from holdfast.events.facts import CancelRequested, JobPrioritised, JobSubmitted, TargetAttached
from holdfast.events.messages import Submitted
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock
from holdfast.store.reader import Reader

Loop = Callable[[Callable[[], Awaitable[None]]], None]


def test_a_closed_one_says_so(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            job = await hf.submit("true")
        for use in (lambda: hf.submit("true"), job.wait, lambda: anext(hf.events())):
            with pytest.raises(holdfast.Closed, match="open it again"):
                await use()
        with pytest.raises(holdfast.Closed):
            job.record()
        with pytest.raises(holdfast.Closed):
            hf.function("late")(len)

    loop(main)


def test_those_who_wait_when_it_closes_hear_so(home: Path, loop: Loop) -> None:
    async def main() -> None:
        heard: list[str] = []
        async with anyio.create_task_group() as group, holdfast.open(home) as hf:
            job = await hf.submit("true", hold=True)
            seq = (await hf.status()).seq

            async def wait(use: Callable[[], Awaitable[object]]) -> None:
                try:
                    await use()
                except holdfast.Closed as error:
                    heard.append(str(error))

            group.start_soon(wait, job.wait)
            group.start_soon(wait, lambda: anext(hf.events(after=seq + 10)))
            await anyio.wait_all_tasks_blocked()
        assert len(heard) == 2

    loop(main)


Use = Callable[[holdfast.Holdfast], Awaitable[object]]

ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)


def numbered(timeout: str) -> list[holdfast.Job]:
    return [holdfast.Job(run="true"), holdfast.Job(run="true"), holdfast.Job(run="true", timeout=timeout)]


REFUSED: list[tuple[Use, str]] = [
    (lambda hf: hf.submit([]), "there is no command"),
    (lambda hf: hf.submit(["sleep", cast("str", 4)]), "4 is no string"),
    (lambda hf: hf.submit("true", limits="gpu"), "give a list of strings"),
    (lambda hf: hf.submit("true", timeout=cast("timedelta", 4)), "wrong type"),
    (lambda hf: hf.submit("true", target="moon"), "there is no target 'moon'"),
    (lambda hf: hf.submit("true", needs={"gpus": 1}), "gpus"),
    (lambda hf: hf.submit("true", after=99), "99"),
    (lambda hf: hf.submit("true", after="name"), "name"),
    (lambda hf: hf.submit(holdfast.Job(run="true"), name="x"), "a Job says all of itself"),
    (lambda hf: hf.submit("true", needs={"cpus": cast("int", 1.5)}), "wrong type"),
    (lambda hf: hf.submit("true", needs={"cpus": True}), "wrong type"),
    (lambda hf: hf.submit("true", retries=cast("int", 1.5)), "wrong type"),
    (lambda hf: hf.submit("true", hold=cast("bool", "no")), "wrong type"),
    (lambda hf: hf.submit("true", name=cast("str", 5)), "wrong type"),
    (lambda hf: hf.submit("true", env={"A": cast("str", 1)}), "wrong type"),
    (lambda hf: hf.submit("true \ud800"), "can't be recorded"),
    (lambda hf: hf.prioritise(1, priority=cast("int", "9")), "wrong type"),
    (lambda hf: hf.job(10**30).wait(), "there is no job"),
    (lambda hf: hf.submit_many([]), "there are no jobs"),
    (lambda hf: hf.cancel("name"), "'name' is a name"),
    (lambda hf: hf.wait(99), "there is no job 99"),
    (lambda hf: hf.pause("moon"), "there is no target 'moon'"),
    (lambda hf: hf.submit("true", needs={"cpus": "lots"}), "jobs.1.needs.cpus: 'lots' is no size"),
    (lambda hf: hf.submit("true", timeout="5"), "jobs.1.timeout: the duration '5' has a number without a unit"),
    (lambda hf: hf.submit("true", needs={"cpus": 2**70}), r"jobs.1.needs.cpus: \d+ is out of bounds; give a whole"),
    (lambda hf: hf.submit("true", timeout=timedelta.max), r"jobs.1.timeout: \d+ is out of bounds; give a whole number"),
    (lambda hf: hf.submit("true", retries=10**5000), r"jobs.1.retries: a value .* can't be recorded"),
    (lambda hf: hf.submit(holdfast.call("f", loop=ENDLESS)), "function f: an argument can't be recorded"),
    (lambda hf: hf.job(2**70).wait(), "there is no job"),
    (lambda hf: hf.output(2**70), "there is no job"),
    (lambda hf: anext(hf.events(after=-1)), "give a whole number"),
    (lambda hf: anext(hf.events(after=cast("int", "1"))), "give a whole number"),
    (lambda hf: hf.submit_many([cast("holdfast.Job", "true")]), "'true' is no job; give a"),
    (lambda hf: hf.output(99), "there is no job 99"),
    (
        lambda hf: hf.submit(cast("str", b"true")),
        r"jobs.1.run: b'true' is no list; give a list of strings \(no shell\)",
    ),
    (lambda hf: hf.submit(cast("str", 3)), "jobs.1.run: 3 is no list; give a list of strings"),
    (lambda hf: hf.submit(["cat", cast("str", Path("x"))]), r"is no string; .* str\(path\), not a Path"),
    (lambda hf: hf.submit("true", after=cast("int", b"ab")), "jobs.1: b'ab' is no job"),
    (lambda hf: hf.submit("true", timeout=cast("str", math.isnan(1))), 'False is of the wrong type .*; write "90s"'),
    (lambda hf: hf.submit("true", timeout=cast("str", 2.5)), 'write "2.5s" or a timedelta'),
    (
        lambda hf: hf.submit("true", env={"A": cast("str", 1)}),
        r"jobs.1.env: a value .* `int`; see `help\(holdfast.Job\)`",
    ),
    (lambda hf: hf.submit_many(numbered("soon")), "jobs.3.timeout: 'soon' is no duration"),
    (lambda hf: hf.submit_many(numbered("0s")), "jobs.3.timeout: 0 is out of bounds"),
    (lambda hf: hf.limit("a", concurrent=cast("int", 1.5)), r"limits.concurrent: .* see `help\(holdfast.Holdfast\)`"),
]


@pytest.mark.parametrize("use, message", REFUSED)
def test_bad_input_is_refused_whole(home: Path, loop: Loop, use: Use, message: str) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            before = (await hf.status()).seq
            with pytest.raises(holdfast.BadInput, match=message):
                await use(hf)
            with Reader(Home(home)) as reader:  # the runner may just have come
                assert [event for _, event in reader.events(before) if not isinstance(event, TargetAttached)] == []

    loop(main)


def test_an_unknown_option_is_refused(home: Path) -> None:
    with holdfast.open_sync(home) as hf, pytest.raises(TypeError, match="colour"):
        hf.submit("true", colour="red")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_any_loop_of_the_program_may_use_it_not_only_the_one_that_opened_it(home: Path, loop: Loop) -> None:
    async def elsewhere(hf: holdfast.Holdfast) -> list[int]:
        job = await hf.submit("true")
        assert (await job.wait()).succeeded
        return [(await anext(hf.events())).seq, (await hf.status()).pid]

    async def main() -> None:
        async with holdfast.open(home) as hf:

            def use_it_in_a_loop_of_its_own(backend: str) -> list[int]:
                return anyio.run(elsewhere, hf, backend=backend)

            for backend in ("trio", "asyncio"):
                seen = await anyio.to_thread.run_sync(use_it_in_a_loop_of_its_own, backend)
                assert seen == [1, os.getpid()]

    loop(main)


async def test_a_second_supervisor_is_refused_and_told_who_holds_the_home(home: Path) -> None:
    async with holdfast.open_supervisor(home):
        with pytest.raises(holdfast.HomeLocked, match=rf"is in use by .*{os.getpid()}"):
            async with holdfast.open_supervisor(home):
                raise AssertionError("it opened")


MISTYPED: list[holdfast.Cancel | holdfast.Prioritise | holdfast.Submit] = [
    holdfast.Cancel(cast("tuple[int]", ("1",))),
    holdfast.Cancel(cast("tuple[int]", 1)),
    holdfast.Prioritise((1,), cast("int", "9")),
    holdfast.Submit(holdfast.FlowSpec((holdfast.JobSpec(run="true", needs={"cpus": cast("int", 1.5)}),))),
    holdfast.Submit(holdfast.FlowSpec((holdfast.JobSpec(run="true", retries=cast("int", "3")),))),
    holdfast.Submit(cast("holdfast.FlowSpec", None)),
    cast("holdfast.Cancel", None),
]


async def test_p7_a_command_with_a_value_of_a_wrong_type_is_not_recorded_by_whichever_way(home: Path) -> None:
    """Once, needs that were no whole number were: such a home could not be opened any more."""
    holdfast.send(str(home), holdfast.Submit(holdfast.FlowSpec((holdfast.JobSpec(run="true", hold=True),))))
    for command in MISTYPED:
        with pytest.raises(holdfast.BadInput, match="is of a wrong type, or can't be recorded: Expected"):
            holdfast.send(home, command)
    with Reader(Home(home)) as reader:
        before = reader.seq
    async with holdfast.open_supervisor(home) as supervisor:
        for command in MISTYPED:
            with pytest.raises(holdfast.BadInput, match="is of a wrong type, or can't be recorded: Expected"):
                await supervisor.request(command)
    with Reader(Home(home)) as reader:
        events = [event for _, event in reader.events(before)]
        assert not any(isinstance(event, JobSubmitted | CancelRequested | JobPrioritised) for event in events)


@pytest.mark.parametrize("slots", [1.5, "3", True, 0, 2**60])
async def test_p7_a_supervisor_with_slots_that_are_no_number_of_them_is_refused(home: Path, slots: int) -> None:
    """Once, what was no whole number was recorded: such a home could not be opened any more."""
    with pytest.raises(holdfast.BadInput, match=r"slots: .* is out of bounds; give a whole number from 1"):
        async with holdfast.open_supervisor(home, slots=slots):
            raise AssertionError("it opened")
    assert not await trio.Path(home).exists()


async def test_a_supervisor_asked_for_the_end_of_what_is_no_job_says_so(home: Path) -> None:
    async with holdfast.open_supervisor(home) as supervisor:
        submitted = await supervisor.request(
            holdfast.Submit(holdfast.FlowSpec((holdfast.JobSpec(run="true", hold=True),)))
        )
        assert submitted == Submitted((1,))
        for given, problem in (
            ("1", "'1' is a name"),
            (1.0, "1.0 is no job"),
            (True, "True is no job"),
            (2**70, "there is no job"),
            (-1, "there is no job -1"),
            (2, "there is no job 2"),
        ):
            with trio.fail_after(60), pytest.raises(holdfast.BadInput, match=problem):
                await supervisor.finished((cast("int", given),))


def test_a_supervisor_outside_of_trio_is_refused_with_the_way_to_do_it(home: Path) -> None:
    async def main() -> None:
        async with holdfast.open_supervisor(home):
            raise AssertionError("it opened")

    with pytest.raises(holdfast.BadInput, match=r"this program runs in asyncio; open the home with `holdfast.open`"):
        anyio.run(main, backend="asyncio")
    assert not home.exists()


def test_a_damaged_log_is_refused_at_opening(home: Path, loop: Loop) -> None:
    home.mkdir(mode=0o700)
    (home / "log.db").write_bytes(b"no log" * 1000)

    async def main() -> None:
        with pytest.raises(holdfast.Unavailable, match=r"no SQLite database|damaged"):
            async with holdfast.open(home):
                raise AssertionError("it opened")

    loop(main)


def test_a_home_that_somebody_holds_without_answering_is_refused(
    home: Path, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.engine.PATIENCE_S", 0.1)
    place = Home(home)
    place.create()

    async def main() -> None:
        with HomeLock(place), pytest.raises(holdfast.HomeLocked, match="is in use by"):
            async with holdfast.open(home):
                raise AssertionError("it opened")

    loop(main)


class InTheChild(Exception):
    pass


def _leave_by_an_error() -> NoReturn:
    signal.alarm(30)
    raise InTheChild


def test_a_forked_child_leaves_the_block_at_once_and_its_parent_goes_on(home: Path) -> None:
    try:
        with holdfast.open_sync(home) as hf:
            child = os.fork()
            if child == 0:
                _leave_by_an_error()
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 7
            assert hf.submit("true").wait(timeout=60).succeeded
    except InTheChild:
        os._exit(7)


def test_a_forked_child_is_told_to_open_it_anew(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        job = hf.submit("true", hold=True)
        job.record()  # so that there is a connection to the log, which a child must not use and not close
        pid = os.fork()
        if pid == 0:
            told = 0
            try:
                for use in (hf.status, job.record, lambda: next(hf.events())):
                    with suppress(holdfast.Forked):
                        use()
                        break
                    told += 1
                hf.close()
            finally:
                os._exit(told)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 3
        assert hf.submit("true").wait(timeout=60).succeeded


def test_what_hangs_on_an_open_home_is_neither_pickled_nor_copied(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        jobs = hf.submit_many([holdfast.Job(run="true", hold=True)])
        for found in (hf, jobs, jobs[0]):
            for use in (pickle.dumps, copy.deepcopy):
                with pytest.raises(holdfast.BadInput, match=r"pass on the home's folder and the job's id"):
                    use(found)
        assert pickle.loads(pickle.dumps(jobs[0].record())) == jobs[0].record()  # noqa: S301 - it is our own


def test_those_whose_requests_are_on_their_way_when_it_closes_hear_so(home: Path, loop: Loop) -> None:
    async def main() -> None:
        heard = 0

        async def submit(hf: holdfast.Holdfast) -> None:
            nonlocal heard
            with suppress(holdfast.HoldfastError):
                await hf.submit(["true"], hold=True)
            heard += 1

        for _ in range(5):
            with anyio.fail_after(60):
                async with anyio.create_task_group() as group, holdfast.open(home) as hf:
                    for _ in range(1_000):
                        group.start_soon(submit, hf)
                    await anyio.sleep(0.01)
        assert heard == 5_000

    loop(main)


def test_an_async_function_under_open_sync_that_would_wait_for_itself_is_told_so(home: Path) -> None:
    with holdfast.open_sync(home) as hf:

        @hf.function("nested")
        async def nested() -> int:
            return hf.submit("true").id

        reason = hf.submit(nested.call()).wait(timeout=60).reason or ""
        assert "make it a plain `def`" in reason

        @hf.function("close")
        async def close() -> None:
            hf.close()

        assert (hf.submit(close.call()).wait(timeout=60).reason or "") == reason
        assert hf.submit("true").wait(timeout=60).succeeded
