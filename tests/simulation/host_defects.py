"""Defects of what reaches other machines, planted into the product for a while: the simulation must find each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

from holdfast.actors import scheduler
from holdfast.actors.connections import host
from holdfast.actors.targets.messages import TargetMessage
from holdfast.events import hosts, outcomes
from holdfast.events.draft import PREVIOUS, Draft
from holdfast.events.facts import AttemptEnded, AttemptRevoked, JobEvent
from holdfast.events.hosts import HostState, NeedsYou, Refused
from holdfast.events.messages import Report, Unreachable
from holdfast.events.records import Job, Outcome
from tests.actors.stepping import pause

from .clocks import WallClock


def relaunch_on_unknown(stack: ExitStack, clock: WallClock) -> None:
    """What was in flight on a machine that can't be reached is taken back, and so launched anew."""
    del clock
    _on_unreachable(stack, lambda job: AttemptRevoked(job.id, job.attempt, "its machine can't be reached"))


def unknown_read_as_failed(stack: ExitStack, clock: WallClock) -> None:
    """What was in flight on a machine that can't be reached has failed."""

    def fail(job: Job) -> JobEvent:
        return AttemptEnded(job.id, job.attempt, Outcome("exited", clock.now(), exit_code=255), None)

    _on_unreachable(stack, fail)


def _on_unreachable(stack: ExitStack, make: Callable[[Job], JobEvent]) -> None:
    def decide_report(draft: Draft, report: Report) -> list[Job]:
        answer = original(draft, report)
        if isinstance(report, Unreachable):
            for each in draft.base.in_flight(report.target):
                draft.record_job(make(each), PREVIOUS)
        return answer

    original = outcomes.decide_report
    stack.enter_context(patch.object(scheduler, "decide_report", decide_report))


def refused_host_tried_again(stack: ExitStack, clock: WallClock) -> None:
    """What only a person can help is tried again by itself, a while later."""
    del clock

    def dial_at(state: HostState) -> int | None:
        return state.since + 5_000_000 if isinstance(state, Refused | NeedsYou) else original(state)

    original = hosts.dial_at
    stack.enter_context(patch.object(hosts, "dial_at", dial_at))
    stack.enter_context(patch.object(host, "dial_at", dial_at))


def one_host_after_the_other(stack: ExitStack, clock: WallClock) -> None:
    """Whoever passes messages on to hosts waits until the one that they are for answers."""
    del clock

    async def pass_on(self: host.Host, message: TargetMessage) -> None:
        while not self._conversation.connected:
            await pause(0.05)
        await original(self, message)

    original = host.Host.pass_on
    stack.enter_context(patch.object(host.Host, "pass_on", pass_on))
