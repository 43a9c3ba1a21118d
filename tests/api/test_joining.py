"""A home that has a supervisor already is joined; when that one leaves, whoever joined takes its place."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

import holdfast
from holdfast import joining
from holdfast.client import supervisor_lives
from holdfast.noticeboard import Noticeboard
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from tests.system.place import until

Loop = Callable[[Callable[[], Awaitable[None]]], None]


@contextmanager
def serving(home: Path) -> Generator[subprocess.Popen[bytes]]:
    """A supervisor of its own process on the home."""
    child = subprocess.Popen(
        [sys.executable, "-m", "holdfast", "--home", str(home), "serve"], stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: supervisor_lives(Home(home)) or child.poll() is not None, "the supervisor answers")
        assert child.poll() is None
        yield child
    finally:
        child.kill()
        child.wait()


def test_a_home_with_a_supervisor_is_joined(home: Path, loop: Loop) -> None:
    async def main() -> None:
        with serving(home) as server:
            async with holdfast.open(home) as hf:
                assert (await hf.status()).pid == server.pid
                assert (await (await hf.submit("exit 4")).wait()).exit_code == 4
                sweep = await hf.submit_many(holdfast.Job(run=["true"]) for _ in range(30))
                assert {record.state for record in await sweep.wait()} == {"succeeded"}
                with pytest.raises(holdfast.BadInput, match="there is no job 99"):
                    await hf.cancel(99)
            assert server.poll() is None, "who joined leaves the supervisor alone"

    loop(main)


def test_two_in_one_program_share_a_home(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as first, holdfast.open(home) as second:
            job = await second.submit("true")
            assert (await first.job(job.id).wait()).succeeded
            assert (await job.wait()).succeeded

    loop(main)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_who_joined_takes_the_place_of_a_supervisor_that_leaves(
    home: Path, loop: Loop, tmp_path: Path, number: signal.Signals
) -> None:
    async def main() -> None:
        with serving(home) as server:
            async with holdfast.open(home) as hf:
                running = await hf.submit("while ! test -e go; do sleep 0.01; done", cwd=tmp_path)
                while running.record().state != "running":  # noqa: ASYNC110 - there is no event of a view
                    await anyio.sleep(0.01)
                async with anyio.create_task_group() as group:

                    async def wait() -> None:
                        assert (await running.wait()).succeeded

                    group.start_soon(wait)
                    server.send_signal(number)
                    server.wait()
                    await hf.submit("true", key="later")
                    (tmp_path / "go").touch()
                assert (await (await hf.submit("true", key="later")).wait()).succeeded
                assert (await hf.status()).pid != server.pid
                assert running.record().attempt == 1

    loop(main)


def test_p5_what_ends_before_the_log_is_followed_is_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = joining._follow

    async def late(reader: Reader, seen: int, board: Noticeboard) -> None:
        while not board.waiting:  # noqa: ASYNC110 - there is no event of it
            await anyio.sleep(0.01)
        (tmp_path / "go").touch()
        while reader.unfinished():  # noqa: ASYNC110 - there is no event of a view
            await anyio.sleep(0.01)
        await follow(reader, seen, board)

    monkeypatch.setattr(joining, "_follow", late)
    with holdfast.open_sync(home), holdfast.open_sync(home) as joined:
        job = joined.submit("while ! test -e go; do sleep 0.01; done", cwd=tmp_path)
        assert job.wait(timeout=10).succeeded
