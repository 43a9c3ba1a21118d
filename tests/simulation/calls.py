"""The program's own functions: they take steps, report progress, raise, and clean up after a cancel.

`Calls` keeps its own record of every call that was ever made, which the promises are checked against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
import trio
from msgspec import Struct

from holdfast.actors.errors import InboxClosed, Unanswered
from holdfast.actors.scheduler import Ask
from holdfast.calling import BesideTheSupervisor, Caller
from holdfast.events.messages import Answer, RecordStep, StepTaken
from holdfast.functions import Attempt, Registry
from tests.actors.stepping import pause

from .determinism import now_us
from .verdict import Verdict

if TYPE_CHECKING:
    from .keeper import Incarnation

CALLS: Final = 3
PLAIN: Final = "plain"
WORK: Final = "work"
UNKNOWN: Final = "unknown"
STEP: Final = "part"


class Failed(Exception):
    """What the functions raise, by their script."""


class Call(Struct, eq=False):
    """A call that was made, by the program `incarnation`. It runs until `ended_us` is set, or its program is killed.

    `result`: what it returned, None if it did not; `error`: what it raised.
    """

    token: str
    incarnation: Incarnation
    started_us: int
    ended_us: int | None = None
    result: str | None = None
    error: str | None = None

    @property
    def job(self) -> int:
        """The id of its job."""
        return int(self.token.split(".")[1])

    @property
    def attempt(self) -> int:
        """Which attempt at the job it is."""
        return int(self.token.split(".")[2])

    @property
    def running(self) -> bool:
        """Whether it runs just now."""
        return self.ended_us is None and not self.incarnation.dead


class Calls:
    """Every call that was made, by token, and the functions that make them."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.ever: dict[str, Call] = {}
        self.programs = 0
        """How many programs have been started."""
        self.watch: Callable[[Call], object] = lambda _: None

    def running(self) -> list[Call]:
        """The calls that run just now."""
        return [call for call in self.ever.values() if call.running]

    def caller(self, incarnation: Incarnation, nursery: trio.Nursery) -> Caller:
        """What makes calls in this program, with its functions; those that are not async run in the loop."""
        self.programs += 1
        registry = Registry()
        program = _Program(self, incarnation)
        registry.add(WORK, program.work, {})
        registry.add(PLAIN, program.plain, {})
        return Caller(registry, BesideTheSupervisor(nursery), 0, nursery)

    def begin(self, token: str, incarnation: Incarnation) -> Call:
        """A function is called."""
        self.verdict.tell(f"called {token} in {incarnation.number}")
        if token in self.ever:
            self.verdict.fail(f"P2: {token} was called twice")
        call = self.ever[token] = Call(token, incarnation, now_us())
        self.watch(call)
        return call


class _Program:
    """The functions of one incarnation."""

    def __init__(self, calls: Calls, incarnation: Incarnation) -> None:
        self._calls = calls
        self._incarnation = incarnation

    def plain(self, *, fails: bool, attempt: Attempt) -> str:
        """A function that is over at once."""
        call = self._calls.begin(attempt.token, self._incarnation)
        call.ended_us = now_us()
        attempt.progress(1.0, "all")
        if fails:
            call.error = "by its script"
        _fail_by_script(fails)
        call.result = attempt.token
        return attempt.token

    async def work(
        self, *, order: str, steps: int, duration_us: int, fails_before: int, tidies: bool, attempt: Attempt
    ) -> str:
        """A function that takes `steps` steps, each recorded, and raises in all attempts before `fails_before`."""
        call = self._calls.begin(attempt.token, self._incarnation)
        try:
            for step in range(steps):
                await self._take_step(f"{order}.{step}", attempt)
                attempt.progress((step + 1) / steps, "a step")
                await pause(duration_us / steps / 1_000_000)
            await pause(duration_us / 1_000_000)
            _fail_by_script(attempt.number < fails_before)
            call.result = attempt.token
        except trio.Cancelled:
            if tidies:
                with trio.CancelScope(shield=True):
                    await pause(0.2)
            raise
        except Failed as error:
            call.error = str(error)
            raise
        finally:
            call.ended_us = now_us()
        return attempt.token

    async def _take_step(self, key: str, attempt: Attempt) -> None:
        """Do a step unless it is recorded; what was told once is told ever after, as the checks of answers know."""
        keeper = self._incarnation.keeper
        if keeper.log.store.base.step((STEP, key)) is not None:
            return
        tree = self._incarnation.tree
        assert tree is not None, "what calls functions has a tree"
        request = RecordStep(STEP, key, msgspec.json.encode(attempt.token).decode(), attempt.job)
        try:
            answer: Answer = await tree.scheduler.ask(Ask, request, f"call {attempt.token} {key}")
        except (InboxClosed, Unanswered) as error:
            raise Failed(str(error)) from error
        if not isinstance(answer, StepTaken):
            raise Failed(str(answer))
        recorded = keeper.log.store.base.step((STEP, key))
        self._calls.verdict.check(
            answer.result == recorded, f"P1: {attempt.token} was told {answer.result} of {key}, recorded is {recorded}"
        )


def _fail_by_script(fails: bool) -> None:  # noqa: FBT001 - reads as a condition
    if fails:
        raise Failed("by its script")
