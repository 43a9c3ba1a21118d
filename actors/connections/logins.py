"""Logins that stand, by the host that they lead to: targets behind one host have one login there, as `ssh` would share.

So two parts of a cluster behind one login node, and what leads into their allocations, cost one connection, and a
person is asked for one code. Where a machine gives a connection but one session, each has a login of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

import trio

from holdfast.events.errors import Unavailable


class Closable(Protocol):
    """An open connection."""

    def close(self) -> None:
        """Let go of it; waits for nobody."""
        ...


C = TypeVar("C", bound=Closable)


class Held(Generic[C]):
    """A login, for as long as one line goes over it. `joined`: it stood before."""

    def __init__(self, standing: _Standing[C], release: Callable[[], None], *, joined: bool) -> None:
        self.login = standing.login
        self.joined = joined
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """The line is no more; the last one takes the login along."""
        release, self._release = self._release, None
        if release is not None:
            release()


class _Standing(Generic[C]):
    def __init__(self, login: C) -> None:
        self.login = login
        self.lines = 0


class Logins(Generic[C]):
    """All logins of a home."""

    def __init__(self) -> None:
        self._standing: dict[str, _Standing[C]] = {}
        self._dialling: dict[str, trio.Event] = {}

    async def take(self, host: str, log_in: Callable[[], Awaitable[C]]) -> Held[C]:
        """The login to `host` that stands or is being made, else a new one. Raises what `log_in` does."""
        while True:
            standing, dialling = self._standing.get(host), self._dialling.get(host)
            if standing is not None:
                await trio.lowlevel.checkpoint_if_cancelled()
                return self._hold(host, standing, joined=True)
            if dialling is None:
                return await self.make(host, log_in)
            await dialling.wait()

    async def make(self, host: str, log_in: Callable[[], Awaitable[C]]) -> Held[C]:
        """A new login to `host`, for others to join if there is no other. Raises what `log_in` does."""
        done = trio.Event()
        self._dialling.setdefault(host, done)
        try:
            standing = _Standing(await log_in())
            self._standing.setdefault(host, standing)
            return self._hold(host, standing, joined=False)
        finally:
            if self._dialling.get(host) is done:
                del self._dialling[host]
            done.set()

    def forget(self, host: str, login: C) -> None:
        """Nobody is to join this login any more: it does not answer. Lines that go over it find that out themselves."""
        standing = self._standing.get(host)
        if standing is not None and standing.login is login:
            del self._standing[host]

    def _hold(self, host: str, standing: _Standing[C], *, joined: bool) -> Held[C]:
        standing.lines += 1

        def release() -> None:
            standing.lines -= 1
            if not standing.lines:
                self.forget(host, standing.login)
                standing.login.close()

        return Held(standing, release, joined=joined)


class NoSession(Unavailable):
    """A login that stands gives no further session, or does not answer."""
