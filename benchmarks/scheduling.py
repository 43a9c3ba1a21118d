"""What a launch and an end cost the scheduler, by how many jobs wait meanwhile: it must not depend on that.

The real scheduler, writer and limiter, over a log in memory and a target that ends at once whatever is launched: so the
disk, the socket and the processes are left out. The limit is the cost among 1,000 jobs, the budget 1.5 times that.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Final

import trio
from msgspec import Struct

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case as Round
from benchmarks.rounds import interleaved
from holdfast.actors.address import Address
from holdfast.actors.connections.messages import ConnectionsMessage
from holdfast.actors.directory import Directory
from holdfast.actors.inbox import Inbox
from holdfast.actors.limiter import Limiter, LimiterMessage
from holdfast.actors.scheduler import Identity, Parts, Scheduler, SchedulerMessage
from holdfast.actors.standing import Standing
from holdfast.actors.targets.messages import Connected, Launch, TargetMessage
from holdfast.actors.world import SystemClock
from holdfast.actors.writer import Commit, OpenLog, Writer
from holdfast.events.draft import Dependency, Draft
from holdfast.events.graph import Kind
from holdfast.events.messages import Attached, AttemptStatus, Reported
from holdfast.events.records import Job, Limit, Policy, Target
from holdfast.events.spec import LOCAL, JobSpec, LimitSpec
from holdfast.events.states import Delayed, Held, Ready, Waiting
from holdfast.store.contract import Store
from holdfast.store.memory import MemoryBase, MemoryStore

COUNTS: Final[dict[Scale, tuple[int, ...]]] = {"full": (1_000, 10_000, 100_000, 1_000_000), "quick": (1_000, 50_000)}
ROUNDS: Final[dict[Scale, int]] = {"full": 3, "quick": 5}
QUICK_CASES: Final = 2
ENDS: Final = 4_000
CAPACITY: Final = {"cpus": 32, "memory": 200}
BUDGET: Final = 1.5
_VARIETY: Final = 10_000
_LONG_AGO: Final = 1
_FAR_AWAY: Final = 1 << 60
_LAST: Final = -1
_SPEC: Final = JobSpec(run=("true",))


class Case(Struct, frozen=True):
    """Jobs that wait: their policies in turn, their state, how many priorities; and whether others run beside them."""

    policies: Sequence[Policy]
    state: Ready | Waiting | Delayed
    priorities: int = 1
    others: bool = True

    def job(self, number: int) -> Job:
        """The job with this id."""
        return Job(number, self.policies[number % len(self.policies)], self.state, number % self.priorities)


def cases() -> dict[str, Case]:
    """What jobs may wait for, by name."""
    ready, plain = Ready(time.time_ns() // 1_000), (Policy(),)
    variety = range(_VARIETY)
    shapes = [Policy(needs=(("cpus", 1 + number % 3), ("memory", 1 + number))) for number in range(20)]
    whole = [Policy(needs=(("cpus", CAPACITY["cpus"]), (f"disk{number}", 0))) for number in variety]
    too_large = [Policy(needs=(("cpus", 1), ("gpus", 1 + number))) for number in variety]
    limited = [Policy(limits=(f"licence:{number}",)) for number in variety]
    return {
        "a slot": Case(plain, ready, others=False),
        "a slot; 7 priorities, 20 needs": Case(shapes, ready, 7, others=False),
        "a slot; 10,000 needs of all slots": Case(whole, ready, others=False),
        "a limit; 10,000 keys": Case(limited, ready, others=False),
        "a limit; 1 key": Case(limited[:1], ready, others=False),
        "more than there is; 10,000 needs": Case(too_large, ready),
        "another job": Case(plain, Waiting(_LONG_AGO)),
        "a back-off's end": Case(plain, Delayed(_LONG_AGO, _FAR_AWAY, "exit code 1")),
    }


class Crowd(MemoryBase):
    """A home where `count` jobs wait beside those that are to end, which may be of another kind."""

    def __init__(self, case: Case, count: int) -> None:
        super().__init__("home")
        self._blocker = count + ENDS + 1
        self._count = count
        self._case = case
        self.jobs = {number: case.job(number) for number in range(1, self._blocker)}
        if case.others:
            ready = Ready(_LONG_AGO)
            others = range(count + 1, self._blocker)
            self.jobs.update({number: Job(number, Policy(), ready, _LAST) for number in others})
        self.jobs[self._blocker] = Job(self._blocker, Policy(), Held(_LONG_AGO))
        self.target_records[LOCAL] = Target(LOCAL, CAPACITY)
        self.limit_records["licence"] = Limit("licence", LimitSpec(concurrent=1))

    def live_edges(self) -> Iterator[Dependency]:
        """See `LiveBase`."""
        if isinstance(self._case.state, Waiting):
            for number in range(1, self._count + 1):
                yield Dependency(number, self._blocker, Kind.AFTER)

    def specs(self, jobs: Sequence[int]) -> dict[int, JobSpec]:
        """See `LiveBase`."""
        return dict.fromkeys(jobs, _SPEC)


class NoDisk:
    """Commits to memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def open(self) -> Store:
        """The store."""
        return self._store

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        """See `Store.commit`."""
        return store.commit(drafts)


async def end_all(inbox: Inbox[TargetMessage], scheduler: Address[SchedulerMessage]) -> float:
    """Be a target that ends at once what is launched; microseconds of processor time for each of `ENDS` jobs."""
    await scheduler.tell(Connected(1, Attached(LOCAL, "journal", "boot", 1)))
    ended = 0
    began_s = 0.0
    while True:
        orders = [order for message in await inbox.take() if isinstance(message, Launch) for order in message.orders]
        began_s = began_s or time.process_time()  # the first launches came after all was loaded
        if ended >= ENDS:
            return (time.process_time() - began_s) / ended * 1e6
        now = time.time_ns() // 1_000
        ends = [
            AttemptStatus(order.token, "ended", 1, 1, now, now, "exited", exit_code=0, cpu_us=1) for order in orders
        ]
        ended += len(ends)
        if ends:
            await scheduler.tell(Reported(LOCAL, tuple(ends)))


async def cost(case: Case, count: int) -> float:
    """Microseconds for each launch and end while `count` jobs wait."""
    gc.collect()  # what the round before left must not be this one's burden
    store = MemoryStore("home", 1)
    store.base = Crowd(case, count)
    log = OpenLog()
    writer, limiter = Inbox[Commit]("writer", 100), Inbox[LimiterMessage]("limiter", 100)
    inbox, target = Inbox[SchedulerMessage]("scheduler", 100), Inbox[TargetMessage]("target", 100)
    parts = Parts(
        log,
        Address(writer),
        Address(limiter),
        Directory({LOCAL: Address(target)}, Address(Inbox[ConnectionsMessage]("connections", 100))),
        SystemClock(),
        Random(1),  # noqa: S311 - no secret
        Identity(1, "benchmark", "host", "0"),
        Standing(1, "0"),
        on_commit=_ignore,
        on_trouble=_ignore,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(Writer(log, NoDisk(store)).run, writer)
        nursery.start_soon(Limiter().run, limiter)
        await nursery.start(Scheduler(parts).run, inbox)
        cost_us = await end_all(target, Address(inbox))
        nursery.cancel_scope.cancel()
    return cost_us


def cost_now(case: Case, count: int) -> float:
    """The same, in a loop of its own."""
    return trio.run(cost, case, count)


def _ignore(*_: object) -> None:
    pass


def measure(scale: Scale) -> Sequence[Measurement]:
    """Every case among so many jobs that wait; `quick` has the first ones alone."""
    chosen = list(cases().items())[: QUICK_CASES if scale == "quick" else None]
    return [each for name, case in chosen for each in interleaved(_rounds(name, case, scale), ROUNDS[scale])]


def _rounds(name: str, case: Case, scale: Scale) -> list[Round]:
    first, *more = COUNTS[scale]
    limit = f"{name}: {first:,} wait"
    return [
        Round(name=limit, unit="us", better="lower", run=partial(cost_now, case, first)),
        *(
            Round(
                name=f"{name}: {count:,} wait",
                unit="us",
                better="lower",
                run=partial(cost_now, case, count),
                limit=limit,
                budget=BUDGET,
            )
            for count in more
        ),
    ]


BENCHMARK: Final = Benchmark("scheduling", "A launch and an end, by how many jobs wait meanwhile.", measure)
