"""Real connections: asyncssh on trio-asyncio, with a channel to each runner there."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import trio
import trio_asyncio

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
from .logins import Held, Logins, NoSession
from .steps import step_words

THREADS_MAX: Final = 100
SESSION_S: Final = 10.0
"""How long a login that stands may take to open one more session; then it is taken for dead."""


class _Threads(trio_asyncio.TrioExecutor):
    """Threads for asyncio that are left to themselves once nobody wants their result: those that look up names.

    Else a host that is given up waits for its name server, and a look-up that fails after that ends the loop of all.
    They are none of those that Trio has for everybody: the writer needs one of those, however many hang here.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places = trio.CapacityLimiter(THREADS_MAX)

    async def submit(self, func: Callable[..., object], *args: object) -> object:
        """Run it in a thread."""
        return await trio.to_thread.run_sync(partial(func, *args), abandon_on_cancel=True, limiter=self._places)


class SshDialler:
    """Dials with asyncssh; one for all targets of a home."""

    def __init__(self, home_id: str) -> None:
        self._home_id = home_id
        self._sources = Sources.load()
        self._loop: trio_asyncio.BaseTrioEventLoop | None = None
        self._logins = Logins[Login]()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep asyncio's loop, until cancelled."""
        async with trio_asyncio.open_loop() as loop:
            loop.set_default_executor(_Threads())
            self._loop = loop
            task_status.started()
            await trio.sleep_forever()

    async def gateway(self, target: Target) -> str:
        """The host that it jumps through, or itself. Raises Unavailable."""
        assert self._loop is not None, "the dialler is used before it runs"
        return await first_hop(self._loop, _way(target))

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        """See `Dialler`."""
        way = _way(target)
        assert self._loop is not None, "the dialler is used before it runs"
        # Whatever asyncssh starts on behalf of this task looks for its loop here.
        trio_asyncio.current_loop.set(self._loop)
        command = remote_command(way.python or None, step_words(target))
        log_in = partial(connect, self._loop, way, target.trusted, interview)
        held = await self._logins.take(way.host, log_in)
        try:
            stream = await self._start(way, held, command)
        except NoSession:
            held = await self._logins.make(way.host, log_in)
            stream = await self._start(way, held, command)
        try:
            wanted = wanted_by(self._home_id, target, way.workdir)
            ready = await open_runner(stream, self._sources, wanted, stderr=lambda: stream.said)
        except BaseException:
            await _WithLogin(stream, held.release).aclose()
            raise
        return RemoteLine(
            _WithLogin(stream, held.release),
            ready.environ,
            ready.workdir,
            ready.folder,
            partial(self._files, target, held.login),
        )

    async def _start(self, way: SshSpec, held: Held[Login], command: str) -> ChannelStream:
        """A session for a command, over a login which is given back if there is none.

        Raises NoSession where another login may help, else Unavailable.
        """
        assert self._loop is not None, "a login has a loop"
        try:
            # One that is made for this has all the time that the caller gives it.
            with trio.fail_after(SESSION_S if held.joined else math.inf):
                return await start(self._loop, held.login, command)
        except BaseException as error:
            held.release()
            if held.joined and isinstance(error, trio.TooSlowError):
                self._logins.forget(way.host, held.login)
            if held.joined and isinstance(error, Unavailable | trio.TooSlowError):
                raise NoSession(str(error)) from error
            raise

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


class _WithLogin(trio.abc.Stream):
    """A channel that gives its login back when it is closed."""

    def __init__(self, stream: ChannelStream, release: Callable[[], None]) -> None:
        self._stream = stream
        self._release = release

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
            self._release()


def _way(target: Target) -> SshSpec:
    assert target.ssh is not None, "only what is reached over SSH is dialled"
    return target.ssh
