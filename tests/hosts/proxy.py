"""A proxy between a client and a port that does to connections what networks do: cuts, delays, silence and refusals.

It lives in a thread with a loop and a clock of its own, so that tests of any kind can use it: those that wait for
processes, and those whose own clock is virtual.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from random import Random
from types import TracebackType
from typing import Final, Self, TypeVar

import trio

from .link import Cut, Direction, Faults, Link, Weather

PATIENCE_S: Final = 60.0
T = TypeVar("T")


def never(number: int) -> None:
    """Cut no connection."""
    del number


def cuts_of(seed: int, largest_bytes: int) -> Callable[[int], Cut]:
    """Cut each connection where `seed` and its number say: often near its beginning, by FIN or by RST."""

    def cut(number: int) -> Cut:
        random = Random(f"{seed} {number}")
        direction: Direction = random.choice(("up", "down"))
        return Cut(direction, int(largest_bytes ** random.random()), random.random() < 0.5)

    return cut


class Proxy:
    """Listens on a loopback port of its own and forwards to another; its methods may be called from any thread."""

    def __init__(self, to_port: int, cuts: Callable[[int], Cut | None] = never) -> None:
        """Forward to `to_port` once entered; `cuts` says of each connection, by its number from 0, where it ends."""
        self.port = 0
        self._to_port, self._cuts = to_port, cuts
        self._weather = Weather()
        self._links: dict[int, Link] = {}
        self._taken = 0
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._up: Future[trio.lowlevel.TrioToken] = Future()
        self._ended: Future[None] = Future()

    def __enter__(self) -> Self:
        """Start to listen, on `port`."""
        self._thread.start()
        self._token = self._up.result(PATIENCE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection, and the thread; what went wrong in it is raised here."""
        with suppress(trio.RunFinishedError):  # then it says below why it has ended
            self._token.run_sync_soon(self._nursery.cancel_scope.cancel)
        self._ended.result(PATIENCE_S)
        self._thread.join()

    @property
    def open_count(self) -> int:
        """How many connections are open."""
        return self._call(lambda: len(self._links))

    @property
    def taken_count(self) -> int:
        """How many connections were taken so far."""
        return self._call(lambda: self._taken)

    def delay(self, seconds: float) -> None:
        """Let what comes from now on arrive so much later, in both directions."""
        self._become(lambda faults: replace(faults, delay_s=seconds))

    def throttle(self, bytes_per_s: float) -> None:
        """Let no more than this through, per connection and direction; `math.inf` lifts it."""
        self._become(lambda faults: replace(faults, bytes_per_s=bytes_per_s))

    def fall_silent(self) -> None:
        """Let nothing through and keep every connection, like a cable that was pulled; new ones are taken, in vain."""
        self._become(lambda faults: replace(faults, silent=True))

    def speak(self) -> None:
        """Let through again what has waited since `fall_silent`, and what comes."""
        self._become(lambda faults: replace(faults, silent=False))

    def cut(self) -> None:
        """Close the connections that are open (FIN); what was under way is lost."""
        self._end_links(reset=False)

    def reset(self) -> None:
        """Reset the connections that are open (RST), as a firewall does, or a host that was started anew."""
        self._end_links(reset=True)

    def refuse(self) -> None:
        """Refuse new connections; those that are open go on."""
        self._call(self._listener.socket.close)

    def accept(self) -> None:
        """Take new connections again, on the same port."""
        self._call(self._listen)

    def _become(self, change: Callable[[Faults], Faults]) -> None:
        self._call(lambda: self._weather.become(change(self._weather.faults)))

    def _end_links(self, *, reset: bool) -> None:
        def end() -> None:
            for link in self._links.values():
                link.end(reset=reset)

        self._call(end)

    def _call(self, function: Callable[[], T]) -> T:
        """Call `function` in the proxy's loop, and return what it returns."""
        done: Future[T] = Future()

        def call() -> None:
            try:
                done.set_result(function())
            except OSError as error:
                done.set_exception(error)

        self._token.run_sync_soon(call)
        return done.result(PATIENCE_S)

    def _run(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:  # noqa: BLE001 - it is raised where the proxy is entered or left
            self._ended.set_exception(error)
            if not self._up.done():
                self._up.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _main(self) -> None:
        async with trio.open_nursery() as self._nursery:
            self._listen()
            self._up.set_result(trio.lowlevel.current_trio_token())
            await trio.sleep_forever()

    def _listen(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port), backlog=128)
        listening.setblocking(False)  # noqa: FBT003 - its only parameter
        self.port = int(listening.getsockname()[1])
        self._listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
        self._nursery.start_soon(self._take, self._listener)

    async def _take(self, listener: trio.SocketListener) -> None:
        with suppress(trio.ClosedResourceError):
            async with listener:
                while True:
                    client = await listener.accept()
                    link = Link(client, self._weather, self._cuts(self._taken))
                    self._nursery.start_soon(self._keep, self._taken, link)
                    self._links[self._taken] = link
                    self._taken += 1

    async def _keep(self, number: int, link: Link) -> None:
        try:
            await link.run(self._to_port)
        finally:
            link.end(reset=False)
            del self._links[number]
