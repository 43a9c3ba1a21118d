"""Runners that do not answer, or do not know the question: a clear word after a bounded time, on virtual time."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from holdfast.actors.connections.dialling import RemoteLine
from holdfast.actors.slurm.login import LoginSite, overrides
from holdfast.actors.slurm.site import NotRun, Unclear
from holdfast.actors.targets.conversation import Line
from holdfast.actors.targets.executions import AT_ONCE, MARGIN_S
from holdfast.actors.targets.link import LinkBroken, frame

from .reaching import Told

WELCOME: Final[dict[str, object]] = {
    "type": "welcome",
    "protocol": 1,
    "pid": 7,
    "boot": "b",
    "journal": "j",
    "receipt": "",
    "attempts": [],
}


class Runner:
    """Hears, and answers pings; more only if it is told to."""

    def __init__(self, *, executes: bool) -> None:
        self.ours, self._its = memory_stream_pair()
        self._executes = executes
        self.heard: list[dict[str, object]] = []

    async def say(self, **message: object) -> None:
        await self._its.send_all(frame(message))

    async def run(self) -> None:
        buffer = bytearray()
        async for data in self._its:
            buffer += data
            while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[:4], "big")):
                message = json.loads(buffer[4:end])
                del buffer[:end]
                if message["type"] == "hello":
                    await self.say(**WELCOME, **({"executes": True} if self._executes else {}))
                elif message["type"] == "ping":
                    await self.say(type="pong", id=message["id"])
                else:
                    self.heard.append(message)

    async def leave(self) -> None:
        await self._its.send_eof()


async def with_runner(runner: Runner, test: Callable[[LoginSite], Awaitable[None]]) -> None:
    told = Told()
    site = LoginSite(told.conversation, "/shared", "/shared/.holdfast/x")
    line = RemoteLine(runner.ours, {"PATH": "/bin", "SQUEUE_STATES": "R"}, "/shared", "/shared/.holdfast/x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runner.run)
        nursery.start_soon(_hold, told, line)
        await told.until_connected()
        await test(site)
        nursery.cancel_scope.cancel()


async def _hold(told: Told, line: Line) -> None:
    try:
        await told.conversation.hold(line)
    except* LinkBroken:
        pass


async def test_a_runner_of_an_older_version_is_asked_nothing_and_the_remedy_is_said(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    runner = Runner(executes=False)

    async def check(site: LoginSite) -> None:
        with pytest.raises(NotRun, match=r"process 7\) is of an older Holdfast, which runs no commands; wait until"):
            await site.run(["squeue"])
        await trio.sleep(1)
        assert runner.heard == []

    await with_runner(runner, check)


async def test_an_answer_that_never_comes_is_unclear_after_the_time_and_a_margin(autojump_clock: MockClock) -> None:
    del autojump_clock

    async def check(site: LoginSite) -> None:
        begun = trio.current_time()
        with pytest.raises(Unclear, match="whether 'sbatch' at cluster has run is not known: nothing was heard of it"):
            await site.run(["sbatch"], timeout_s=45)
        assert trio.current_time() - begun == pytest.approx(45 + MARGIN_S)

    await with_runner(Runner(executes=True), check)


async def test_what_was_asked_is_said_exactly(autojump_clock: MockClock) -> None:
    del autojump_clock
    runner = Runner(executes=True)

    async def check(site: LoginSite) -> None:
        with pytest.raises(Unclear):
            await site.run(["sbatch", "--parsable"], stdin=b"#!", timeout_s=1.5)
        assert runner.heard == [
            {
                "type": "execute", "id": 1, "argv": ["sbatch", "--parsable"], "stdin": "IyE=", "cwd": "/shared",
                "without": ["SQUEUE_STATES"], "timeout_us": 1_500_000, "max_output_bytes": 16 << 20,
            }
        ]  # fmt: skip

    await with_runner(runner, check)


async def test_the_end_of_the_connection_answers_all_at_once_and_what_was_never_sent_was_not_run(
    autojump_clock: MockClock,
) -> None:
    del autojump_clock
    runner = Runner(executes=True)
    came: list[str] = []

    async def ask(site: LoginSite) -> None:
        try:
            await site.run(["sbatch"])
        except (NotRun, Unclear) as error:
            came.append(type(error).__name__)

    async def check(site: LoginSite) -> None:
        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE + 3):
                nursery.start_soon(ask, site)
            await trio.sleep(1)
            assert len(runner.heard) == AT_ONCE
            await runner.leave()
        assert trio.current_time() - begun == pytest.approx(1)
        assert sorted(came) == ["NotRun"] * 3 + ["Unclear"] * AT_ONCE

    await with_runner(runner, check)


async def test_a_late_answer_to_who_has_gone_disturbs_nobody(autojump_clock: MockClock) -> None:
    del autojump_clock
    runner = Runner(executes=True)

    async def answer() -> None:
        await trio.sleep(1)
        await runner.say(type="printed", id=2, stream=0, base64="bWk=")
        await runner.say(type="printed", id=2, stream=0, base64="bmU=")
        await runner.say(type="done", id=2, exit_code=None, signal=15)

    async def check(site: LoginSite) -> None:
        with trio.move_on_after(1):
            await site.run(["squeue"])
        await runner.say(type="printed", id=1, stream=0, base64="bGF0ZQ==")
        await runner.say(type="done", id=1, exit_code=0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            finished = await site.run(["squeue"])
        assert (finished.exit_code, finished.stdout, finished.stderr) == (-15, b"mine", b"")

    await with_runner(runner, check)


@pytest.mark.parametrize("name", ["SBATCH_REQUEUE", "SQUEUE_STATES", "SLURM_TIME_FORMAT", "SLURM_JOB_ID", "SRUN_X"])
def test_variables_that_outdo_what_is_asked(name: str) -> None:
    assert overrides(name)


@pytest.mark.parametrize("name", ["SLURM_CONF", "SLURM_JWT", "PATH", "MY_SBATCH_X", "SLURMISH"])
def test_variables_that_stay(name: str) -> None:
    assert not overrides(name)
