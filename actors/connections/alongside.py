"""The way to a runner on this machine that is not the home's own: the relay as a process, in place of an SSH channel.

So that a cluster whose commands run here is reached as one behind a login node is, by the same code.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import IO, Final

import trio

from holdfast.events.errors import Unavailable
from holdfast.events.records import Target

from ..staging.localfiles import LocalFiles
from ..staging.remotefiles import RemoteFiles
from .bootstrap import Sources, open_runner, relay_words, remote_command
from .dialling import RemoteLine, wanted_by
from .steps import step_words

_LEAVE_S: Final = 2.0
_SAID_BYTES_MAX: Final = 4096


async def dial_alongside(home_id: str, target: Target, sources: Sources) -> RemoteLine:
    """A line to the runner in the workdir of a cluster, started if need be.

    Its environment is that of this process; which of it a command gets is said with each. Raises Unavailable.
    """
    assert target.slurm is not None, "only a cluster without a login node is reached so"
    step = step_words(target)
    stream = await _start(("/bin/sh", "-c", remote_command(None, step)) if step else relay_words(sys.executable))
    try:
        wanted = wanted_by(home_id, target, target.slurm.workdir)
        ready = await open_runner(stream, sources, wanted, stderr=stream.said)
    except BaseException:
        await stream.aclose()
        raise
    return RemoteLine(stream, ready.environ, ready.workdir, ready.folder, _files)


@asynccontextmanager
async def _files() -> AsyncGenerator[RemoteFiles]:
    yield LocalFiles()


async def _start(command: Sequence[str]) -> RelayStream:
    complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the stream
    try:
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the supervisor, which has things to say yet
        )
    except OSError as error:
        complaints.close()
        message = f"the relay can't be started with {command[0]!r}: {error.strerror}"
        raise Unavailable(message) from error
    return RelayStream(process, complaints)


class RelayStream(trio.abc.Stream):
    """A relay's standard input and output. Closed, the relay ends; the runner does not."""

    def __init__(self, process: trio.Process, complaints: IO[bytes]) -> None:
        """Take over a process with pipes, and the file that it complains to."""
        assert process.stdin is not None, "it was started with pipes"
        assert process.stdout is not None, "it was started with pipes"
        self._process = process
        self._complaints = complaints
        self._stdin: trio.abc.SendStream = process.stdin
        self._stdout: trio.abc.ReceiveStream = process.stdout

    def said(self) -> str:
        """The beginning of what the relay wrote to its standard error."""
        self._complaints.seek(0)
        return self._complaints.read(_SAID_BYTES_MAX).decode(errors="replace")

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Bytes as they come; none at the end."""
        return await self._stdout.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, waiting for room. Raises trio.BrokenResourceError once the relay is gone."""
        await self._stdin.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait for room."""
        await self._stdin.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Let go of the relay, and see it end."""
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self._stdin)
            await trio.aclose_forcefully(self._stdout)
            with trio.move_on_after(_LEAVE_S):
                await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        self._complaints.close()
        await trio.lowlevel.checkpoint()
