"""The engine: a home's supervisor, or the way to the one that lives there, in a thread of its own.

The thread has its own Trio loop. So it serves programs on Trio, on asyncio and without any loop alike, and what blocks
one of theirs (a slow callback, a notebook's cell) delays no job. Requests go in from any thread, answers come out in
slots. When the supervisor that was joined leaves, the engine takes its place.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import msgspec
import trio

from holdfast.actors.errors import lone
from holdfast.actors.world import SystemClock
from holdfast.events.errors import HoldfastError, Unavailable
from holdfast.events.messages import Answer, Request
from holdfast.store.errors import HomeLocked
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from .calling import Callables, Calls
from .functions import CALLING
from .hosting import host
from .joining import in_no_memory, join
from .news import live_among
from .noticeboard import Noticeboard
from .places import Known, Place, Places
from .requests import Pending, Requests
from .service import Service
from .slot import Mailbox, Slot
from .supervisor import Surroundings
from .unrecordable import recordable

P = TypeVar("P")
T = TypeVar("T")

PATIENCE_S: Final = 10.0
_decoder: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_LOOK_S: Final = 0.05


class Closed(HoldfastError):
    """Holdfast was used outside of its `with`."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("this Holdfast is closed: what it gave is of use only inside its `with`; open it again")


class Forked(HoldfastError):
    """Holdfast was used in a process that was forked off the one that opened it."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "this process was forked while Holdfast was open, and its thread did not come along: open it anew in the "
            "child, or start children with `spawn`"
        )


class InItsOwnThread(HoldfastError):
    """An async function under `open_sync` used Holdfast, which would wait for itself."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "an async function under `open_sync` runs beside the supervisor, which can't wait for itself: make it a "
            "plain `def`, which runs in a thread of its own, or open Holdfast with `holdfast.open`"
        )


class EngineFailed(Unavailable):
    """The supervisor inside this program has ended by itself; the cause is chained."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"Holdfast has ended in this program: {cause}; mend that, then open it again")
        self.__cause__ = cause


class Engine:
    """One home, opened; `start` it, and `stop` it in the end. Its methods may be called in any thread."""

    surroundings: Surroundings | None = None
    """What the supervisor finds around it; None: the system's."""

    def __init__(self, home: Home, slots: int | None, callables: Callables) -> None:
        """`slots`: the local target's processors; None: as they are. `callables`: what jobs may call."""
        self.home = home
        self._slots = slots
        self._callables = callables
        self._process = os.getpid()
        self._opened: Slot[None] = Slot()
        self._closing: list[Slot[None]] = []
        self._over = False
        self._thread: int | None = None
        self._lives: Callable[[int], bool] = in_no_memory
        self._token: trio.lowlevel.TrioToken | None = None
        self._box: Mailbox | None = None
        self._reader: Reader | None = None
        self._leaving = False
        self._left = False
        self._cause: BaseException | None = None

    def start(self) -> Slot[None]:
        """Open the home; filled once requests are taken, or with what keeps them from being."""
        threading.Thread(target=self._run, name=f"holdfast {self.home.path}", daemon=True).start()
        return self._opened

    def stop(self) -> Slot[None]:
        """Start nothing more, leave what runs to its runner, and close; filled once that is done.

        Raises InItsOwnThread. Any number of threads may close it.
        """
        closed: Slot[None] = Slot()
        if os.getpid() != self._process:
            closed.fill(None)  # a forked child has nothing to close: the thread did not come along
            return closed
        if threading.get_ident() == self._thread:
            raise InItsOwnThread
        # In this order, and the other way round in `_ended`: one of the two sees what the other has done.
        self._closing.append(closed)
        if self._over:
            closed.fill(None)
            return closed
        self._leaving = True  # heard by the thread also where it is just starting
        if self._token is not None:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._stop.set)
        return closed

    def check_process(self) -> None:
        """Raises Forked in a process that was forked off the one that opened it."""
        if os.getpid() != self._process:
            raise Forked

    def closed_error(self) -> Closed | EngineFailed:
        """Why nothing can be asked any more."""
        return Closed() if self._cause is None else EngineFailed(self._cause)

    def ask(self, request: Request) -> Slot[Answer]:
        """Have a request carried out; filled with its answer, once what it changed is recorded.

        Raises BadInput for values of a wrong type: here they are found as they are where a request comes over a socket.
        """
        pending = Pending(recordable(request, _decoder), Slot())
        self._call(self._take, pending, pending.answer)
        return pending.answer

    def ends(self, jobs: Sequence[int], *, patient: bool = True) -> Slot[None]:
        """Filled once all these jobs have ended, with BadInput if there is no such job.

        `patient`: who asks waits for as long as it takes; a call that does so hears NoPlaceLeft if that is for ever.
        """
        done: Slot[None] = Slot()
        self._call(self._wait_for_ends, (jobs, CALLING.get() if patient else None), done)
        return done

    def look(self) -> None:
        """A function was registered: jobs may wait for it."""
        if self._token is not None and not self._left:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(lambda: self._calls.runner.look())  # noqa: PLW0108 - there are none before it runs

    def growth(self, after: int) -> Slot[int]:
        """Filled with the log's newest seq, once that is beyond `after`."""
        grown: Slot[int] = Slot()
        self._call(self._wait_for_growth, after, grown)
        return grown

    def _call(self, call: Callable[[P, Slot[T]], None], what: P, waiting: Slot[T]) -> None:
        """Have something done in the engine's thread; `waiting` hears what keeps it from being done."""
        self.check_process()
        if threading.get_ident() == self._thread:
            raise InItsOwnThread
        box = self._box
        if box is None:
            raise self.closed_error()
        # A closure would be ten objects for the collector of garbage, in place of three.
        if not box.put(partial(self._do, call, what, waiting)):
            box.empty()  # of whatever came too late: all of them hear why

    def _do(self, call: Callable[[P, Slot[T]], None], what: P, waiting: Slot[T]) -> None:
        if self._left:
            waiting.spoil(self.closed_error())
            return
        try:
            call(what, waiting)
        except Exception as error:  # noqa: BLE001 - it belongs to who asked, not to the engine
            waiting.spoil(error)

    def _run(self) -> None:
        self._thread = threading.get_ident()
        try:
            trio.run(self._main)
        except BaseException as error:  # noqa: BLE001 - the thread ends; those who wait hear why
            self._cause = lone(error)
        self._ended()

    def _ended(self) -> None:
        self._opened.spoil(self._cause or Closed())
        self._over = True
        for closed in tuple(self._closing):
            closed.fill(None)

    async def _main(self) -> None:
        """All that the engine does, in a loop of Trio's."""
        self._stop = trio.Event()
        self._requests = Requests()
        self._board = Noticeboard()
        self._token = trio.lowlevel.current_trio_token()
        self._box = Mailbox(self._token.run_sync_soon)
        if self._leaving:
            self._stop.set()
        try:
            async with trio.open_nursery() as nursery:
                clock = SystemClock() if self.surroundings is None else self.surroundings.clock
                calls = self._calls = self._callables.made(nursery, clock)
                caller = calls.caller
                known = Known(
                    lambda: calls.runner.places or calls.at_once,  # none at all is a pause, which a person ends
                    caller.threads,
                    caller.running,
                    self._place_for,
                    lambda: calls.runner.acknowledged,
                    lambda: calls.runner.without_room,
                )
                self._places = Places(known, nursery)
                try:
                    await self._keep_up(self._calls)
                finally:
                    self._calls.caller.close()
                nursery.cancel_scope.cancel()
        except BaseException as error:
            self._cause = lone(error)
            raise
        finally:
            self._left = True
            self._requests.fail(self.closed_error)
            self._board.fail(self.closed_error)
            if self._reader is not None:
                self._reader.close()

    async def _keep_up(self, calls: Calls) -> None:
        """Be the supervisor, or speak to the one that lives, until stopped."""
        up_at = trio.current_time()

        def up(lives: Callable[[int], bool]) -> None:
            nonlocal up_at
            up_at = trio.current_time()
            self._lives = lives
            self._up()

        service = Service(self.home, self._requests, self._board, up, self._stop, self.surroundings)
        while not self._stop.is_set():
            try:
                await host(service, self._slots, calls)
            except HomeLocked:
                if await join(service):
                    up_at = trio.current_time()
                elif trio.current_time() > up_at + PATIENCE_S:
                    raise  # somebody holds the home and does not answer
                await trio.sleep(_LOOK_S)

    def _up(self) -> None:
        """Requests are taken from now on; what ended while there was no supervisor to tell is looked up."""
        if self._reader is None:
            self._reader = Reader(self.home)
        self._opened.fill(None)
        reader = self._reader
        self._board.recheck(lambda jobs: live_among(reader, jobs))

    def _take(self, pending: Pending, _: Slot[Answer]) -> None:
        self._requests.put(pending)

    def _wait_for_ends(self, wish: tuple[Sequence[int], int | None], done: Slot[None]) -> None:
        assert self._reader is not None, "requests come after the opening"
        jobs, caller = wish
        # What is in the supervisor's memory need not be looked up, as nearly nothing that is waited for.
        live = list(jobs) if all(map(self._lives, jobs)) else live_among(self._reader, jobs)
        self._board.wait_for_ends(live, done)
        if caller is not None and live:
            self._places.note(caller, live, done)

    def _place_for(self, job: int) -> Place | None:
        """What a job needs to be done, if it is a call."""
        assert self._reader is not None, "requests come after the opening"
        try:
            spec = self._reader.lookups.specs([job])[job]
        except HoldfastError:  # who can read will be told
            return None
        return None if spec.call is None else self._calls.caller.place_for(spec.call)

    def _wait_for_growth(self, after: int, grown: Slot[int]) -> None:
        assert self._reader is not None, "requests come after the opening"
        newest = self._reader.seq
        if newest > after:
            grown.fill(newest)
        else:
            self._board.wait_for_growth(grown)
