"""The scheduler: owns jobs and attempts. One turn takes every waiting message, decides, commits once, then acts.

The rules are in `holdfast.events`; here is only the order of things: nothing is answered and nothing started before its
commit, and a commit that is refused leaves no trace but its answers. What runners report is kept until it is recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Final, assert_never

import trio
from msgspec import Struct

from holdfast.events.backoff import Uniform
from holdfast.events.batches import Recorded
from holdfast.events.decide import decide, extent, wake
from holdfast.events.draft import Draft
from holdfast.events.errors import BadInput, LogCutOff, Unavailable
from holdfast.events.facts import AttemptBatched, BatchEvent, HostChanged, SupervisorStarted, SupervisorStopped
from holdfast.events.hosts import Connecting, Idle, Suspect, Up, is_away
from holdfast.events.messages import (
    Answer,
    AskStatus,
    HostSeen,
    RecordStep,
    Refusal,
    Reported,
    Settled,
    Staged,
    Status,
    Unreachable,
)
from holdfast.events.messages import Request as ClientRequest
from holdfast.events.outcomes import decide_report, record_batches
from holdfast.events.records import Job
from holdfast.events.states import Delayed
from holdfast.events.steps import record_step

from .actor import Actor
from .address import Address
from .directory import Directory
from .effects import Attachment, Effects
from .launching import Launching
from .limiter import LimiterMessage
from .live import Live
from .receipts import check_receipt
from .reply import Request
from .standing import Standing
from .targets.messages import Connected, CutOff
from .world import Clock
from .writer import Commit, OpenLog

RETRY_COMMIT_S: Final = 1.0
LOOK_AT_CLOCK_S: Final = 30.0
# Fewer are decided before a worker thread has begun, or about.
HEAVY_JOBS: Final = 1_000
_US: Final = 1_000_000


class Ask(Request[Answer], frozen=True):
    """A client's request, and who makes it. Refusals are answers too."""

    request: ClientRequest
    author: str


class Drain(Request[None], frozen=True):
    """Start nothing more; what is queued ahead in runners is taken back."""


class RecordBatches(Request[Recorded | Refusal], frozen=True):
    """What a cluster's batches come to; answered once it is recorded, or could not be.

    `members`: which attempts go into a batch that is planned in it. What the log does not have of all this is named in
    the answer.
    """

    target: str
    news: tuple[BatchEvent, ...]
    members: tuple[AttemptBatched, ...] = ()


_Report = Connected | CutOff | Reported | Unreachable | HostSeen | Staged | Settled
SchedulerMessage = Ask | Drain | RecordBatches | _Report


class Identity(Struct, frozen=True):
    """Who the supervisor is, as its first and last event say."""

    pid: int
    author: str
    host: str
    version: str


class Parts(Struct, frozen=True):
    """What the scheduler is built from."""

    log: OpenLog
    writer: Address[Commit]
    limiter: Address[LimiterMessage]
    directory: Directory
    clock: Clock
    random: Uniform
    identity: Identity
    standing: Standing
    on_commit: Callable[[Draft, int], None]
    on_trouble: Callable[[str | None], None]


class Scheduler(Actor[SchedulerMessage]):
    """Owns jobs and attempts, and decides what starts when."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live: Live | None = None
        self._backlog: list[_Report] = []
        self._due: list[tuple[int, int]] = []
        self._looked_at = 0
        self._retry_at = -math.inf
        self._trouble_told = False
        # Whether memory is what the log says; not after a crash in a turn.
        self._whole = False

    @property
    def _state(self) -> Live:
        assert self._live is not None, "the scheduler is used before it has loaded its state"
        return self._live

    async def opened(self) -> None:
        """Record that a supervisor is here, and load what is alive."""
        parts, identity = self._parts, self._parts.identity
        base = parts.log.store.base
        draft = Draft(base, parts.clock.now(), parts.random, "scheduler")
        draft.record(SupervisorStarted(identity.pid, identity.host, identity.version), author=identity.author)
        # Committed before anything is read: what a crashed scheduler left with the writer is in the log by then.
        start = await parts.writer.ask(Commit, draft)
        live = self._live = Live(base)
        parts.standing.follow(live, parts.log.store.seq)
        self._launching = Launching(live, parts.limiter, parts.directory.here)
        self._effects = Effects(live, parts.log, parts.directory)
        await self._launching.restore()
        for job in live.jobs.values():
            self._note_delay(job)
        self._effects.introduce_remote()
        self._effects.attend(self._launching.has_ready)
        self._whole = True
        parts.on_commit(draft, start)

    async def closed(self) -> None:
        """Record that the supervisor leaves in good order, if it does and the log still takes it."""
        if not self.stopping:
            return
        draft = self._draft(self._parts.clock.now())
        identity = self._parts.identity
        for target in self._state.targets() if self._whole else ():
            if isinstance(target.host, Connecting | Up | Suspect):
                draft.record(HostChanged(target.name, Idle(draft.now)), author="connections")
        draft.record(SupervisorStopped(identity.pid, "stopped"), author=identity.author)
        try:
            await self._commit(draft)
        except Unavailable:
            return

    def deadline(self) -> float:
        """The next delay that ends, rate that allows a start, or refused commit to be tried again."""
        if self._retry_at > -math.inf:
            # Also one that has passed meanwhile, as on a machine that slept: nobody else would wake us.
            return self._retry_at
        times = [self._due[0][0]] if self._due else []
        if self._launching.wake_at is not None:
            times.append(self._launching.wake_at)
        if not times:
            return math.inf
        # The wall clock may jump while we wait on Trio's, so look at it again now and then.
        wait_s = min(LOOK_AT_CLOCK_S, (min(times) - self._parts.clock.now()) / _US)
        return trio.current_time() + max(0.0, wait_s)

    def _draft(self, now: int) -> Draft:
        return Draft(self._state, now, self._parts.random, "scheduler")

    async def handle(self, batch: Sequence[SchedulerMessage]) -> None:
        """One turn."""
        self._whole = False
        draft = self._draft(self._parts.clock.now())
        answers: list[tuple[Ask, Answer]] = []
        batches: list[RecordBatches] = []
        attached: dict[str, Attachment] = {}
        reports = self._backlog
        self._backlog = []
        for message in batch:
            match message:
                case Ask():
                    answers.append((message, await self._decide(draft, message)))
                case RecordBatches():
                    batches.append(message)
                case Drain():
                    self._launching.draining = True
                    self._effects.revoke_queued()
                    message.reply.send(None)
                case Connected() | CutOff() | Reported() | Unreachable() | HostSeen() | Staged() | Settled():
                    reports.append(message)
                case _:
                    assert_never(message)
        draft.author = "scheduler"
        for report in reports:
            if not isinstance(report, HostSeen) or report.era == self._parts.directory.era:
                self._report(draft, report, attached)
        recorded = [(each, record_batches(draft, each.target, each.news, each.members)) for each in batches]
        woken = self._wake(draft)
        try:
            await self._launching.plan(draft)
            start = await self._commit(draft) if draft.entries else None
        except Unavailable as error:
            self._refused(reports, woken, answers, batches, error)
            await self._launching.undo(draft)
            self._whole = True
            return
        self._retry_at = -math.inf
        for ask, answer in answers:
            ask.reply.send(answer)
        for each, outcome in recorded:
            each.reply.send(outcome)
        await self._launching.settle(draft)
        self._effects.derive(draft, attached)
        self._effects.attend(self._launching.has_ready)
        self._whole = True
        if start is not None:
            # Last, because it is not ours: whatever it does, those who asked have been answered by then.
            self._parts.on_commit(draft, start)

    async def _decide(self, draft: Draft, ask: Ask) -> Answer:
        request = ask.request
        if isinstance(request, AskStatus):
            return self._parts.standing.status()
        draft.author = ask.author
        try:
            if isinstance(request, RecordStep):
                return record_step(draft, request)
            if extent(request) > HEAVY_JOBS:
                # Nothing that it reads changes before this turn goes on; meanwhile others speak to clients and targets.
                return await trio.to_thread.run_sync(decide, draft, request)
            return decide(draft, request)
        except BadInput as error:
            return Refusal(str(error), error.exit_code)

    def _report(self, draft: Draft, report: _Report, attached: dict[str, Attachment]) -> None:
        if isinstance(report, CutOff):
            raise LogCutOff(report.seen, cluster=True)
        if isinstance(report, Connected):
            target = report.report.target
            there = self._state.target(target)
            is_cluster = there is not None and there.is_cluster
            check_receipt(self._parts.log.store, report.report.receipt, cluster=is_cluster)
            attached[target] = report.session, decide_report(draft, report.report)
            self._launching.up.add(target)
        else:
            decide_report(draft, report)
            # Not launched to where nothing is connected: what is ready waits as such until the host is there again.
            if isinstance(report, Unreachable) or (isinstance(report, HostSeen) and is_away(report.host)):
                self._launching.up.discard(report.target)

    def _wake(self, draft: Draft) -> list[tuple[int, int]]:
        """Let delays end whose time has come."""
        if draft.now < self._looked_at:  # the clock was set back: each delay is judged anew
            self._due = []
            for job in self._state.jobs.values():
                self._note_delay(job)
        self._looked_at = draft.now
        woken: list[tuple[int, int]] = []
        while self._due and self._due[0][0] <= draft.now:
            woken.append(heappop(self._due))
            wake(draft, woken[-1][1])
        return woken

    def _note_delay(self, job: Job) -> None:
        if isinstance(job.state, Delayed):
            # A clock that was set back to before the delay began can't be waited for.
            set_back = self._parts.clock.now() < job.state.since
            heappush(self._due, (0 if set_back else job.state.due_at, job.id))

    async def _commit(self, draft: Draft) -> int:
        start = await self._parts.writer.ask(Commit, draft)
        self._state.apply(draft)
        self._parts.standing.seq = start + len(draft.entries)
        for job in draft.jobs.changed.values():
            self._note_delay(job)
        if self._trouble_told:
            self._trouble_told = False
            self._parts.on_trouble(None)
        return start

    def _refused(
        self,
        reports: list[_Report],
        woken: list[tuple[int, int]],
        answers: list[tuple[Ask, Answer]],
        batches: list[RecordBatches],
        error: Unavailable,
    ) -> None:
        """Nothing of this turn has happened. What runners said is kept for the next try; clients hear why."""
        for batch in batches:
            batch.reply.send(Refusal(str(error), error.exit_code))
        self._backlog = reports
        for each in woken:
            heappush(self._due, each)
        self._retry_at = trio.current_time() + RETRY_COMMIT_S
        if not self._trouble_told:
            self._trouble_told = True
            self._parts.on_trouble(str(error))
        for ask, answer in answers:
            honest = answer if isinstance(answer, Refusal | Status) else Refusal(str(error), error.exit_code)
            ask.reply.send(honest)
