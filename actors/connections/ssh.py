"""Real connections: asyncssh on trio-asyncio, each with one channel to the runner there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import trio
import trio_asyncio

from holdfast.events.allocations import cluster_of
from holdfast.events.errors import Unavailable
from holdfast.events.records import Target
from holdfast.events.spec import SshSpec

from ..staging.remotefiles import RemoteFiles
from ..staging.sftp import SessionRefused, open_sftp
from .bootstrap import Sources, open_runner, remote_command
from .channel import ChannelStream
from .dialling import RemoteLine, wanted_by
from .interview import Interview
from .login import Login, connect, first_hop, start
from .steps import step_words


class _Threads(trio_asyncio.TrioExecutor):
    """Threads for asyncio that are left to themselves once nobody wants their result: those that look up names.

    Else a host that is given up waits for its name server, and a look-up that fails after that ends the loop of all.
    """

    async def submit(self, func: Callable[..., object], *args: object) -> object:
        """Run it in a thread."""
        return await trio.to_thread.run_sync(partial(func, *args), abandon_on_cancel=True)


class SshDialler:
    """Dials with asyncssh; one for all targets of a home."""

    def __init__(self, home_id: str) -> None:
        self._home_id = home_id
        self._sources = Sources.load()
        self._loop: trio_asyncio.BaseTrioEventLoop | None = None
        self._logins: dict[str, Login] = {}
        """Of clusters: what leads into their allocations goes over a session beside theirs."""

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep asyncio's loop, until cancelled."""
        async with trio_asyncio.open_loop() as loop:
            loop.set_default_executor(_Threads())
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
        command = remote_command(way.python or None, step_words(target))
        cluster = self._logins.get(cluster_of(target.name))
        if target.allocation is not None and cluster is not None:
            with suppress(Unavailable):  # it has as many sessions as the machine allows, or is broken
                return await self._open(target, cluster, command, own=False)
        login = await connect(self._loop, way, target.trusted, interview)
        try:
            return await self._open(target, login, command, own=True)
        except BaseException:
            login.close()
            raise

    async def _open(self, target: Target, login: Login, command: str, *, own: bool) -> RemoteLine:
        """A line over a login, which is closed with it if it is its `own`. Raises Unavailable."""
        assert self._loop is not None, "a login has a loop"
        stream = await start(self._loop, login, command)
        try:
            wanted = wanted_by(self._home_id, target, _way(target).workdir)
            ready = await open_runner(stream, self._sources, wanted, stderr=lambda: stream.said)
        except BaseException:
            await stream.aclose()
            raise
        if own and target.is_cluster:
            self._logins[target.name] = login
        return RemoteLine(
            _WithConnection(stream, partial(self._close, target.name, login)) if own else stream,
            ready.environ,
            ready.workdir,
            ready.folder,
            partial(self._files, target, login),
        )

    def _close(self, name: str, login: Login) -> None:
        if self._logins.get(name) is login:
            del self._logins[name]
        login.close()

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

    def __init__(self, stream: ChannelStream, close: Callable[[], None]) -> None:
        self._stream = stream
        self._close = close

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
            self._close()


def _way(target: Target) -> SshSpec:
    assert target.ssh is not None, "only what is reached over SSH is dialled"
    return target.ssh
