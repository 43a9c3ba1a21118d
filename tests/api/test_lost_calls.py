"""Calls and the end of their program: what was under way is lost, what waited waits for the next."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

import holdfast
from tests.system.place import until

Loop = Callable[[Callable[[], Awaitable[None]]], None]


def test_leaving_ends_calls_as_lost_and_what_waited_is_called_by_the_next_program(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home, calls=1) as hf:
            started = anyio.Event()

            @hf.function("work")
            async def work() -> None:
                started.set()
                await anyio.sleep_forever()

            first = await hf.submit(work.call())
            second = await hf.submit(work.call())
            again = await hf.submit(work.call(), retries=1, retry_on=["lost"], retry_delay=timedelta(0))
            await started.wait()
        async with holdfast.open(home) as hf:
            hf.function("work")(lambda: None)
            lost = await hf.job(first.id).wait()
            assert (lost.state, lost.attempt) == ("lost", 1)
            assert "left" in (lost.reason or "")
            assert (await hf.job(second.id).wait()).succeeded
            assert (await hf.job(again.id).wait()).succeeded

    loop(main)


PROGRAM = """
import sys, time, holdfast
with holdfast.open_sync(sys.argv[1]) as hf:
    @hf.function("hang")
    def hang() -> None:
        print("started", flush=True)
        time.sleep(60)
    hf.submit(holdfast.call("hang"))
    hf.submit(holdfast.call("hang"), retries=1, retry_on=["lost"])
    time.sleep(60)
"""


def test_p2_a_call_in_a_program_that_was_killed_is_lost_and_made_again_only_where_its_policy_says_so(
    home: Path,
) -> None:
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, str(home)], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert [program.stdout.readline() for _ in range(2)] == ["started\n"] * 2
    program.kill()
    program.communicate()
    with holdfast.open_sync(home) as hf:
        called: list[int] = []

        @hf.function("hang")
        def hang(attempt: holdfast.Attempt) -> None:
            called.append(attempt.job)

        assert hf.job(1).wait(timeout=60).state == "lost"
        assert hf.job(2).wait(timeout=60).succeeded
        assert called == [2]


def test_the_command_line_settles_what_a_program_left_and_leaves_waiting_calls_alone(home: Path) -> None:
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, str(home)], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "started\n"
    program.kill()
    program.communicate()
    command = [sys.executable, "-m", "holdfast", "--home", str(home)]
    serve = subprocess.Popen([*command, "serve"], stderr=subprocess.DEVNULL)
    try:
        until(
            lambda: " lost " in subprocess.run([*command, "jobs"], capture_output=True, text=True, check=True).stdout,
            "the call is lost",
        )
        refused = subprocess.run([*command, "submit", "--", "true"], capture_output=True, text=True, check=False)
        assert refused.returncode == 0
        with holdfast.open_sync(home) as hf, pytest.raises(holdfast.BadInput, match="calls"):
            hf.submit(holdfast.call("hang"))
    finally:
        serve.terminate()
        serve.wait()


def test_run_says_that_calls_wait_for_their_program(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.submit(holdfast.call("work"), hold=True)
        hf.submit("true", hold=True)
        hf.release(1, 2)
        hf.pause()
    command = [sys.executable, "-m", "holdfast", "--home", str(home)]
    subprocess.run([*command, "resume"], check=True, capture_output=True)
    run = subprocess.run([*command, "run"], capture_output=True, text=True, timeout=60, check=False)
    assert "1 job calls a function: start the program" in run.stderr
    assert run.returncode == 1
