"""Defects of the kinds that such a system has, planted into the product for a while: the simulation must find each."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final
from unittest.mock import patch

from holdfast.actors import limiter, scheduler, writer
from holdfast.actors.limiter import Acquire, LimiterMessage
from holdfast.actors.targets.calling import CallRunner, Executor
from holdfast.actors.world import Clock
from holdfast.events import draft as drafts
from holdfast.events import evolve, lifecycle, outcomes
from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptRevoked, JobEvent, JobReady
from holdfast.events.limits import Denial, Grant
from holdfast.events.messages import Attached, Report, Unreachable
from holdfast.events.records import Job
from holdfast.events.states import JobState, Launching, Waiting
from holdfast.store.contract import Store

from . import disk, host_defects
from .clocks import WallClock
from .slurm_defects import SLURM_DEFECTS

Plant = Callable[[ExitStack, WallClock], None]


@contextmanager
def planted(name: str | None, clock: WallClock) -> Generator[None]:
    """Have the defect in the product while the context lasts; None: have it as it is."""
    with ExitStack() as stack:
        if name is not None:
            DEFECTS[name](stack, clock)
        yield


def _launch_before_commit(stack: ExitStack, clock: WallClock) -> None:
    """The target hears of launches while their commit is under way."""
    del clock

    async def commit(self: scheduler.Scheduler, draft: Draft) -> None:
        self._state.apply(draft)
        self._effects.derive(draft, {})
        start = await self._parts.writer.ask(writer.Commit, draft)
        for job in draft.jobs.changed.values():
            self._note_delay(job)
        self._parts.on_commit(draft, start)

    stack.enter_context(patch.object(scheduler.Scheduler, "_commit", commit))


def _views_outside_the_transaction(stack: ExitStack, clock: WallClock) -> None:
    """The events are in the log, synced, and the views follow a moment later."""
    del clock

    async def commit(self: disk.SimulatedDisk, store: Store, drafts: Sequence[Draft]) -> list[int]:
        base = self.log.store.base
        with patch.object(base, "apply"):
            starts = await original(self, store, drafts)
        for draft in drafts:
            base.apply(draft)
        return starts

    original = disk.SimulatedDisk.commit
    stack.enter_context(patch.object(disk.SimulatedDisk, "commit", commit))


def _limit_counted_after_the_launch(stack: ExitStack, clock: WallClock) -> None:
    """All launches of a turn are let through by what was held before it."""
    del clock

    async def handle(self: limiter.Limiter, batch: Sequence[LimiterMessage]) -> None:
        for message in batch:
            table = self._table
            if isinstance(message, Acquire) and table is not None:
                answers: list[Grant | Denial] = []
                for keys in message.wanted:
                    answers.append(table.acquire(keys, message.now))
                    if isinstance(answers[-1], Grant):
                        table.release(keys)
                for keys, answer in zip(message.wanted, answers, strict=True):
                    for key in keys if isinstance(answer, Grant) else ():
                        table._held[key] = table.held(key) + 1
                message.reply.send(answers)
            else:
                await original(self, [message])

    original = limiter.Limiter.handle
    stack.enter_context(patch.object(limiter.Limiter, "handle", handle))


def _new_token_after_a_lost_acknowledgement(stack: ExitStack, clock: WallClock) -> None:
    """A launch that nothing was heard of yet is made again under another token when the connection comes back."""
    del clock

    def attached(draft: Draft, report: Attached, author: str) -> list[Job]:
        for each in draft.base.in_flight(report.target):
            if isinstance(each.state, Launching):
                draft.record_job(AttemptRevoked(each.id, each.attempt, "not acknowledged"), author=author)
        return original(draft, report, author)

    original = outcomes._attached
    stack.enter_context(patch.object(outcomes, "_attached", attached))


def _evolve_reading_a_clock(stack: ExitStack, clock: WallClock) -> None:
    """A state is entered when the fold is made, not when the event says."""

    def move(state: JobState, event: JobEvent, time: int) -> JobState:
        del time
        return lifecycle.move(state, event, clock.now())

    stack.enter_context(patch.object(evolve, "move", move))


def _dependency_released_on_unknown(stack: ExitStack, clock: WallClock) -> None:
    """A job that can't be reached counts as over for those that only wait for its end."""
    del clock

    def decide_report(draft: Draft, report: Report) -> list[Job]:
        answer = original(draft, report)
        if isinstance(report, Unreachable):
            for each in draft.base.in_flight(report.target):
                for dependency in draft.dependents(each.id):
                    job = draft.jobs.get(dependency.job)
                    if job is not None and isinstance(job.state, Waiting):
                        draft.record_job(JobReady(job.id), drafts.PREVIOUS)
        return answer

    original = outcomes.decide_report
    stack.enter_context(patch.object(scheduler, "decide_report", decide_report))


def _calls_of_an_earlier_program(stack: ExitStack, clock: WallClock) -> None:
    """A program takes what an earlier one has called for its own: what it does not know can't have been called."""
    del clock

    def made(self: CallRunner, executor: Executor, wall: Clock, pid: int, journal: str) -> None:
        del journal
        original(self, executor, wall, pid, "the program")

    original = CallRunner.__init__
    stack.enter_context(patch.object(CallRunner, "__init__", made))


DEFECTS: Final[Mapping[str, Plant]] = {
    "launch before commit": _launch_before_commit,
    "views outside the transaction": _views_outside_the_transaction,
    "limit counted after the launch": _limit_counted_after_the_launch,
    "new token after a lost acknowledgement": _new_token_after_a_lost_acknowledgement,
    "evolve reading a clock": _evolve_reading_a_clock,
    "dependency released on unknown": _dependency_released_on_unknown,
    "calls of an earlier program taken for its own": _calls_of_an_earlier_program,
    "relaunch on unknown": host_defects.relaunch_on_unknown,
    "unknown read as failed": host_defects.unknown_read_as_failed,
    "refused host tried again": host_defects.refused_host_tried_again,
    "one host after the other": host_defects.one_host_after_the_other,
    **SLURM_DEFECTS,
}
