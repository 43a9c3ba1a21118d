"""Holdfast in tests of your own: a supervisor in the test's loop, on its clock, whose commands are a function of yours.

    async def test_the_report_waits_for_all_cases(autojump_clock):
        async with holdfast.testing.open(lambda command: 0) as hf:
            cases = await hf.submit_many(holdfast.Job(run=["simulate", str(case)]) for case in range(1000))
            report = await hf.submit("report", after=cases)
            assert (await report.wait()).succeeded

For Trio, with pytest-trio's `autojump_clock` as a rule: delays, time-outs and rates pass in no time, and in order. No
process is started. Rules, log and limits are the real ones; the log is in a temporary folder.
"""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import sniffio
import trio
from msgspec import Struct

from holdfast.actors.errors import lone
from holdfast.actors.targets.calling import CallRunner
from holdfast.actors.targets.messages import Order
from holdfast.actors.targets.transport import RunnerTransport
from holdfast.events.draft import Draft
from holdfast.events.errors import BadInput, HoldfastError
from holdfast.events.messages import AttemptStatus
from holdfast.store.contract import Store
from holdfast.store.home import Home

from .calling import CALLS, BesideTheSupervisor, Callables
from .desk import Desk
from .engine import Engine
from .functions import Registry
from .given import check_places
from .handle import Holdfast
from .loops import answer_of
from .slot import Slot
from .supervisor import Surroundings, plain_errors

SLOTS = 4
_US = 1_000_000
_BEGAN_US = 1_000_000_000 * _US


class Command(Struct, frozen=True):
    """What a job would run, for the function that stands for it."""

    run: tuple[str, ...] | str
    cwd: str
    env: dict[str, str]
    job: int
    attempt: int
    token: str


class WrongLoop(HoldfastError):
    """`holdfast.testing` was used in another loop than Trio's."""

    exit_code = 2

    def __init__(self, library: str) -> None:
        super().__init__(
            f"`holdfast.testing` is for tests that run in Trio, whose clock can jump, and this one runs in {library}: "
            "use pytest-trio, or open a home with `holdfast.open`"
        )


Commands = Callable[[Command], int | Awaitable[int]]


class _VirtualClock:
    """The wall clock of a loop: its own time, from a moment in 2001 on."""

    def now(self) -> int:
        """See `Clock`."""
        return _BEGAN_US + int(trio.current_time() * _US)


class _InlineDisk:
    """Commits in the loop: while a worker thread works, a clock that jumps would jump."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store

    async def open(self) -> Store:
        """See `Disk`."""
        return self._open_store()

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        """See `Disk`."""
        return store.commit(drafts)


class _Nobody(trio.abc.Listener[trio.abc.Stream]):
    """Lets no client in."""

    async def accept(self) -> trio.abc.Stream:
        """See `trio.abc.Listener`."""
        await trio.sleep_forever()
        raise AssertionError("it sleeps for ever")

    async def aclose(self) -> None:
        """See `trio.abc.Listener`."""
        await trio.lowlevel.checkpoint()


class _NoDoor:
    def __init__(self, path: Path) -> None:
        del path

    def open(self) -> trio.abc.Listener[trio.abc.Stream]:
        """See `Door`."""
        return _Nobody()

    def author(self, stream: trio.abc.Stream, /) -> str:
        """See `Door`."""
        del stream
        return "nobody"

    def close(self) -> None:
        """See `Door`."""


class _Performer:
    """Runs commands by calling the function that stands for them."""

    def __init__(self, commands: Commands, nursery: trio.Nursery) -> None:
        self._commands = commands
        self._nursery = nursery
        self._scopes: dict[str, trio.CancelScope] = {}
        self.runner = CallRunner(self, _VirtualClock(), os.getpid())

    def has_room(self, order: Order) -> bool:
        """See `Executor`."""
        del order
        return True

    def knows(self, order: Order) -> bool:
        """See `Executor`."""
        del order
        return True

    def start(self, order: Order) -> None:
        """See `Executor`."""
        self._scopes[order.token] = trio.CancelScope()
        self._nursery.start_soon(self._perform, order)

    def stop(self, token: str) -> None:
        """See `Executor`."""
        self._scopes[token].cancel()

    async def _perform(self, order: Order) -> None:
        spec, token = order.spec, order.token
        command = Command(spec.run, spec.cwd, spec.env, order.job, order.attempt, token)
        end = AttemptStatus(token, "ended", how="stopped")
        with self._scopes[token]:
            seconds = float("inf") if spec.timeout_us is None else spec.timeout_us / _US
            with trio.move_on_after(seconds) as patience:
                answer = self._commands(command)
                code = await answer if inspect.isawaitable(answer) else answer
                end = AttemptStatus(token, "ended", how="exited", exit_code=_exit_code(code, command))
            if patience.cancelled_caught:
                end = AttemptStatus(token, "ended", how="timeout")
        del self._scopes[token]
        self.runner.ended(end)


def _exit_code(given: object, command: Command) -> int:
    """What stands for its exit code. Raises BadInput for what is none; True would be one, and that of a failure."""
    if isinstance(given, bool) or not isinstance(given, int):
        problem = f"the function that stands for commands gave {given!r} for {command.run!r}"
        raise BadInput(problem, where="testing", remedy="have it give an exit code: 0 where the command succeeds")
    return given


class _EngineHere(Engine):
    """An engine without a thread: a task of the test's own loop."""

    nursery: trio.Nursery

    def start(self) -> Slot[None]:
        """See `Engine`."""
        self.nursery.start_soon(self._serve)
        return self._opened

    async def _serve(self) -> None:
        try:
            await self._main()
        except Exception as error:  # noqa: BLE001 - those who wait hear it
            self._cause = lone(error)
        finally:
            self._ended()


@asynccontextmanager
async def open(  # noqa: A001 - read as `testing.open`
    commands: Commands, *, slots: int = SLOTS, calls: int = CALLS, seed: int = 0
) -> AsyncGenerator[Holdfast]:
    """A Holdfast for one test: `commands` is called for each command, and gives its exit code.

    It may be async, and sleep: on a clock that jumps, that takes no time. What it raises is raised in the test. `slots`
    and `calls` as in `holdfast.open`; functions that are not async run in the loop itself. `seed`: of the jitter.
    Raises WrongLoop outside of Trio.
    """
    check_places(slots, calls)
    library = sniffio.current_async_library()
    if library != "trio":
        raise WrongLoop(library)
    with tempfile.TemporaryDirectory(prefix="holdfast-test-") as folder, plain_errors():
        async with trio.open_nursery() as nursery:
            performer = _Performer(commands, nursery)
            callables = Callables(Registry(), BesideTheSupervisor(nursery), calls, threads=0)
            engine = _EngineHere(Home(Path(folder) / "home"), slots, callables)
            engine.nursery = nursery
            engine.surroundings = Surroundings(
                _VirtualClock(),
                Random(seed),  # noqa: S311 - jitter is no secret
                _InlineDisk,
                RunnerTransport,
                _NoDoor,
                performer.runner,
            )
            desk = Desk(engine, callables, in_threads=False)
            try:
                await answer_of(engine.start())
                desk.opened()
                yield Holdfast(desk)
            finally:
                with trio.CancelScope(shield=True):
                    await answer_of(engine.stop())
                    desk.close()
                nursery.cancel_scope.cancel()
