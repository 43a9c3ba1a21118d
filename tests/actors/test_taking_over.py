"""A scheduler that starts anew knows all that the one before it has recorded, also what was still on its way."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import trio

from holdfast.actors.address import Address
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import Limiter, LimiterMessage
from holdfast.actors.scheduler import Identity, Parts, Scheduler, SchedulerMessage
from holdfast.actors.targets.messages import TargetMessage
from holdfast.actors.world import SystemClock
from holdfast.actors.writer import Commit, OpenLog, Writer
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Configure, Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.contract import Store
from holdfast.store.memory import MemoryStore

from .stepping import pause, run_virtual


class SlowDisk:
    """Takes its time for each commit."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def open(self) -> Store:
        return self._store

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        await pause(10.0)
        return store.commit(drafts)


def ignore(*_: object) -> None:
    pass


def test_a_commit_that_a_crashed_scheduler_left_with_the_writer_is_known_to_the_next_one() -> None:
    async def scenario() -> tuple[int, list[int]]:
        store = MemoryStore("home", 1)
        draft = Draft(store.base, 1, Random(1), "test")
        decide(draft, Configure({"local": {"cpus": 1}}))
        decide(draft, Submit(FlowSpec(jobs=(JobSpec(run="true"),))))
        log, inbox = OpenLog(), Inbox[Commit]("writer", 10)
        limits, messages = Inbox[LimiterMessage]("limiter", 10), Inbox[SchedulerMessage]("scheduler", 10)
        live: list[int] = []
        parts = Parts(
            log,
            Address(inbox),
            Address(limits),
            {"local": Address(Inbox[TargetMessage]("target:local", 10))},
            SystemClock(),
            Random(1),
            Identity(1, "test", "host", "0"),
            on_commit=ignore,
            on_trouble=ignore,
        )
        scheduler = Scheduler(parts)
        async with trio.open_nursery() as nursery:
            await nursery.start(Writer(log, SlowDisk(store)).run, inbox)
            nursery.start_soon(Limiter().run, limits)
            with trio.move_on_after(1.0):  # so long lives the one that crashes
                await Address(inbox).ask(Commit, draft)
            known = len(store.base.jobs)
            await nursery.start(scheduler.run, messages)
            live += scheduler._state.jobs
            nursery.cancel_scope.cancel()
        return known, live

    assert run_virtual(scenario) == (0, [1])
