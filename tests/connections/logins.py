"""A login to a host without SSH: a shell with pipes, a home of its own, and the ways to speak with what runs there."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Final

import trio

from holdfast.actors.connections.bootstrap import Ready, Sources, Wanted, open_runner, remote_command
from holdfast.actors.targets.link import FromRunner, LinkBroken, Pong, Report, Welcome, frame, receive
from holdfast.events.messages import AttemptStatus

SOURCES: Final = Sources.load()
HOME_ID: Final = "0123456789abcdef"
PATIENCE_S: Final = 20.0
PYTHON: Final = str(Path(sys.executable).resolve())


class Relayed:
    """A connection whose runner was welcomed; `statuses` holds the last word on every token."""

    def __init__(self, process: trio.Process, stream: trio.abc.Stream, ready: Ready) -> None:
        self.process = process
        self.stream = stream
        self.ready = ready
        self.statuses: dict[str, AttemptStatus] = {}
        self.welcome: Welcome | None = None
        self._messages: AsyncGenerator[FromRunner, None] = receive(stream)

    async def send(self, kind: str, **members: object) -> None:
        await self.stream.send_all(frame({"type": kind, **members}))

    async def greet(self, environ: dict[str, str] | None = None) -> Welcome:
        """Say hello and how much may run; returns the welcome."""
        await self.send("hello", protocol=1, environ=self.ready.environ if environ is None else environ)
        await self.until(lambda: self.welcome is not None)
        await self.send("capacity", capacity={"cpus": 1000})
        assert self.welcome is not None
        return self.welcome

    async def launch(self, token: str, *argv: str, **members: object) -> None:
        attempt: dict[str, object] = {
            "token": token, "argv": argv, "cwd": self.ready.workdir, "env": {}, "needs": {"cpus": 1}, "rates": [],
            "timeout_us": None, "grace_us": 1_000_000, "max_output_bytes": 1 << 30, **members,
        }  # fmt: skip
        await self.send("launch", attempts=[attempt])

    async def run(self, token: str, script: str, **members: object) -> None:
        await self.launch(token, "/bin/sh", "-c", script, **members)

    async def state(self, token: str, *states: str) -> AttemptStatus:
        """The status of an attempt that is in one of `states`, or will be."""
        await self.until(lambda: token in self.statuses and self.statuses[token].state in states)
        return self.statuses[token]

    async def settle(self) -> None:
        """Wait until everything that was said has been heard and answered."""
        await self.send("ping", id=1)
        with trio.fail_after(PATIENCE_S):
            while not isinstance(await self._receive(), Pong):
                pass

    async def until(self, condition: Callable[[], bool]) -> None:
        with trio.fail_after(PATIENCE_S):
            while not condition():
                await self._receive()

    async def _receive(self) -> FromRunner:
        message = await anext(self._messages)
        if isinstance(message, Welcome):
            self.welcome = message
        if isinstance(message, Welcome | Report):
            self.statuses.update({status.token: status for status in message.attempts})
        return message

    async def ended(self) -> int:
        """Read on to the end, which must come, and return how the relay ended."""
        with trio.fail_after(PATIENCE_S):
            with contextlib.suppress(StopAsyncIteration, LinkBroken):
                while True:
                    await self._receive()
            return await self.process.wait()

    async def close(self) -> None:
        await self._messages.aclose()
        await self.stream.aclose()
        with trio.move_on_after(PATIENCE_S):
            await self.process.wait()
        self.process.kill()
        await self.process.wait()


class Login:
    """Opens connections as sshd would: a shell that is given one command. `close` ends all that ran there."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "user"
        self.home.mkdir(parents=True)
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "python3").symlink_to(PYTHON)
        self.workdir = self.home / "work"
        self.private = self.workdir / ".holdfast" / HOME_ID
        self.path = f"{self.bin}:/usr/bin:/bin"
        self.said = folder / "stderr"
        self.environ = {name: value for name, value in os.environ.items() if name.startswith("HOLDFAST_TEST")}
        self.runners: set[int] = set()
        self._opened: list[Relayed] = []

    async def open(
        self,
        *,
        by: Sequence[str] = ("/bin/sh", "-c"),
        command: str | None = None,
        sources: Sources = SOURCES,
        workdir: str = "~/work",
        home_id: str = HOME_ID,
        shared: bool = False,
        join: int | None = None,
    ) -> Relayed:
        """A connection that is ready. Raises what open_runner raises."""
        with self.said.open("wb") as complaints:
            process = await trio.lowlevel.open_process(
                [*by, remote_command() if command is None else command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**self.environ, "HOME": str(self.home), "PATH": self.path},
                cwd=self.home,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        stream = trio.StapledStream(process.stdin, process.stdout)
        try:
            with trio.fail_after(PATIENCE_S):
                wanted = Wanted(home_id, workdir, 0.5, shared, join)
                said = self.said
                ready = await open_runner(stream, sources, wanted, stderr=lambda: said.read_text(errors="replace"))
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.aclose()
                process.kill()
                await process.wait()
            raise
        self._opened.append(Relayed(process, stream, ready))
        return self._opened[-1]

    async def begin(self, *, command: str | None = None, by: Sequence[str] = ("/bin/sh", "-c")) -> Relayed:
        """A connection whose runner was greeted."""
        opened = await self.open(command=command, by=by)
        self.runners.add((await opened.greet()).pid)
        return opened

    def read(self, status: AttemptStatus, stream: int = 0) -> bytes:
        """What an attempt wrote, as it stands on the host."""
        output = status.output[stream]
        return (self.private / "output" / output.segment).read_bytes()[output.start : output.end]

    async def close(self) -> None:
        for opened in self._opened:
            await opened.close()
        for pid in self.runners:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie doesn't."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
