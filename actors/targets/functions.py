"""A target in this process, as that of function calls is: speaks to a `CallRunner`, and passes its news on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import trio

from holdfast.events.messages import Attached, Reported

from ..actor import Actor
from ..address import Address
from ..inbox import Inbox
from ..world import Clock
from .calling import CallRunner
from .messages import Acknowledge, Connected, Launch, Revoke, SetCapacity, Settle, Stop, TargetMessage


class FunctionTarget(Actor[TargetMessage]):
    """Turns the scheduler's messages into calls. `name`: the target's."""

    def __init__(self, name: str, runner: CallRunner, scheduler: Address[Connected | Reported], clock: Clock) -> None:
        self._name = name
        self._runner = runner
        self._scheduler = scheduler
        # What was meant for a target that crashed must not fit this one.
        self._session = clock.now()

    async def run(
        self, inbox: Inbox[TargetMessage], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve the inbox, and whatever the runner has to say."""
        known = self._runner.attach(inbox.wake)
        try:
            report = Attached(self._name, self._runner.journal, self._runner.journal, self._runner.pid, known)
            await self._scheduler.tell(Connected(self._session, report))
            await super().run(inbox, task_status=task_status)
        finally:
            self._runner.detach()

    def deadline(self) -> float:
        """When the runner wants to be asked."""
        return self._runner.next_at

    async def handle(self, batch: Sequence[TargetMessage]) -> None:
        """Pass on what is meant for this target, start what can be, and tell what is new."""
        for message in batch:
            if message.session == self._session:
                self._pass_on(message)
        self._runner.start_what_fits()
        news = self._runner.take_news()
        if news:
            await self._scheduler.tell(Reported(self._name, news))

    def _pass_on(self, message: TargetMessage) -> None:
        runner = self._runner
        match message:
            case Launch(orders=orders):
                for order in orders:
                    runner.launch(order)
            case Stop(tokens=tokens):
                for token in tokens:
                    runner.stop(token)
            case Revoke(tokens=tokens):
                for token in tokens:
                    runner.revoke(token)
            case Acknowledge(tokens=tokens):
                for token in tokens:
                    runner.acknowledge(token)
            case Settle():
                pass  # there are no allocations here
            case SetCapacity(capacity=capacity):
                runner.set_capacity(capacity)
            case _:
                assert_never(message)
