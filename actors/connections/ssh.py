"""Real connections: asyncssh on trio-asyncio, each with one channel to the runner there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import trio
import trio_asyncio

from holdfast.events.records import Target
from holdfast.events.spec import SshSpec

from ..staging.remotefiles import RemoteFiles
from ..staging.sftp import SessionRefused, open_sftp
from .bootstrap import Sources, open_runner, remote_command
from .channel import ChannelStream
from .dialling import RUNNER_IDLE_S, RemoteLine, runner_name
from .interview import Interview
from .login import Login, connect, first_hop, start


class SshDialler:
    """Dials with asyncssh; one for all targets of a home."""

    def __init__(self, home_id: str) -> None:
        self._home_id = home_id
        self._sources = Sources.load()
        self._loop: trio_asyncio.BaseTrioEventLoop | None = None

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep asyncio's loop, until cancelled."""
        async with trio_asyncio.open_loop() as loop:
            self._loop = loop
            task_status.started()
            await trio.sleep_forever()

    def gateway(self, target: Target) -> str:
        """The host that it jumps through, or itself."""
        return first_hop(_way(target))

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        """See `Dialler`."""
        way = _way(target)
        assert self._loop is not None, "the dialler is used before it runs"
        # Whatever asyncssh starts on behalf of this task looks for its loop here.
        trio_asyncio.current_loop.set(self._loop)
        login = await connect(self._loop, way, target.trusted, interview)
        try:
            stream = await start(self._loop, login, remote_command(way.python or None))
            ready = await open_runner(
                stream,
                self._sources,
                home_id=runner_name(self._home_id, target),
                workdir=way.workdir,
                idle_s=RUNNER_IDLE_S,
                stderr=lambda: stream.said,
                shared=target.slurm is not None,
            )
        except BaseException:
            login.close()
            raise
        return RemoteLine(
            _WithConnection(stream, login),
            ready.environ,
            ready.workdir,
            ready.folder,
            partial(self._files, target, login),
        )

    @asynccontextmanager
    async def _files(self, target: Target, login: Login) -> AsyncGenerator[RemoteFiles]:
        """A session for files on the connection; on one for itself, where the machine allows a connection but one."""
        async with AsyncExitStack() as stack:
            try:
                yield await stack.enter_async_context(open_sftp(login.connection, target.name))
                return
            except SessionRefused:
                assert self._loop is not None, "files are brought along a connection"
                other = await connect(self._loop, _way(target), target.trusted, None)
                stack.callback(other.close)
            yield await stack.enter_async_context(open_sftp(other.connection, target.name))


class _WithConnection(trio.abc.Stream):
    """A channel that takes its connection along when it is closed."""

    def __init__(self, stream: ChannelStream, login: Login) -> None:
        self._stream = stream
        self._login = login

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._stream.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._login.close()


def _way(target: Target) -> SshSpec:
    assert target.ssh is not None, "only what is reached over SSH is dialled"
    return target.ssh
