"""One cluster: to the scheduler it is what a runner is to other targets, and says of each attempt how it stands.

What it knows it keeps in a book, which is made again from the log whenever the way to the cluster stands anew. Five
tasks work on it side by side, so that a command that hangs holds up none but its own kind: submitting, polling, looking
for what left the queue, cancelling, and closing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import trio

from holdfast.events.backoff import full_jitter_us
from holdfast.events.errors import Unavailable
from holdfast.events.facts import BatchUnclear
from holdfast.events.messages import Attached, AttemptStatus, Unreachable
from holdfast.events.records import Batch, PlannedBatch, Target

from ..targets.messages import Acknowledge, Connected, Launch, Order, Revoke, SetCapacity, Settle, Stop, TargetMessage
from .asking import ask_config, ask_identity
from .book import UNCLEAR, Member, Sights
from .cancelling import Canceller
from .closing import Closer
from .looking import Looker
from .polling import Poller
from .settling import Settler
from .shared import Shared
from .site import Site
from .submitting import Submitter

ALWAYS: Final = "slurm"
"""For what runners have and a cluster does not: a machine whose boot could be another one."""
_RETRY_CAP_US: Final = 60_000_000
_US: Final = 1_000_000
_ANSWER_LOST: Final = "the supervisor ended while it was submitted"


class Cluster:
    """Of one target."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._submitter = Submitter(shared)
        self._looker = Looker(shared, self._submitter)
        self._poller = Poller(shared, self._looker, self._tell_attached)
        self._canceller = Canceller(shared)
        self._closer = Closer(shared)
        self._settler = Settler(shared)
        # Not from zero: what was meant for a connection of an actor that crashed must not fit one of this one.
        self._session = shared.clock.now()
        self._attached = False
        self._site: Site | None = None

    def meet(self, target: Target) -> None:
        """The target is as it is now."""
        self._shared.target = target
        self._shared.stir()

    # What the scheduler says.

    async def pass_on(self, message: TargetMessage) -> None:
        """Take what is meant for the connection that stands; the rest will be said again.

        It waits for nobody, as whoever passes messages on has other hosts to serve.
        """
        if not self._attached or message.session != self._session:
            return
        match message:
            case Launch(orders=orders):
                self._submitter.take(self._shared.carrier.take_along(orders, self._launch))
            case Stop(tokens=tokens):
                self._stop(tokens)
            case Revoke(tokens=tokens):
                # What is in the cluster's queue stays there: it is to go on also when nobody looks.
                self._submitter.take_back(tokens)
            case Acknowledge(tokens=tokens, receipt=receipt):
                self._shared.receipt = receipt
                for member in filter(None, map(self._shared.book.members.get, tokens)):
                    self._closer.over(member)
            case SetCapacity():
                pass  # the scheduler counts, and the cluster does
            case Settle(number=number):
                self._settler.take(number)
            case _:
                assert_never(message)

    async def _launch(self, order: Order) -> None:
        self._submitter.take([order])

    def _stop(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            member = self._shared.book.members.get(token)
            if member is not None:
                member.stopping = True
        self._submitter.take_back(tokens)
        self._shared.stir()

    # While there is a way to it.

    async def run(self, site: Site) -> None:
        """Serve while the site can be used, which ends by being cancelled."""
        try:
            sights = await self._attach(site)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._shared.tell_untold)
                nursery.start_soon(self._submitter.run, site)
                nursery.start_soon(self._poller.run, site)
                nursery.start_soon(self._looker.run, site)
                nursery.start_soon(self._canceller.run, site)
                nursery.start_soon(self._closer.run, site)
                nursery.start_soon(self._settler.run, site)
                self._site = site
                await self._poller.follow(sights)
        finally:
            self._attached, self._site = False, None

    async def leave(self) -> None:
        """Put in order what can be by now, before the way there is given up."""
        if self._site is not None:
            await self._closer.tidy(self._site)

    async def _attach(self, site: Site) -> Sights:
        """Find out how everything stands, and tell the scheduler; returns what of the queue is to be followed."""
        shared = self._shared
        # What was asked to be recorded over an earlier connection is in the log before that is read.
        await shared.record()
        batches, sights = await self._find_out(site)
        shared.forget_untold()
        self._submitter.forget()
        self._looker.forget()
        self._closer.forget()
        await self._tell_attached(sights.strangers)
        for entry in list(shared.book.entries.values()):
            if not entry.members:
                self._closer.close(entry)
        for batch in batches:
            if isinstance(batch.state, PlannedBatch) and batch.name in shared.book.entries:
                # It may have been sent, and the supervisor have ended before the answer was in the log.
                await shared.record(BatchUnclear(shared.name, batch.name, _ANSWER_LOST))
        return sights

    async def _find_out(self, site: Site) -> tuple[list[Batch], Sights]:
        """The open batches, and what the queue says of them, as soon as the controller answers."""
        shared = self._shared
        failures, since = 0, trio.current_time()
        while True:
            try:
                shared.config = await ask_config(site)
                shared.identity = await self._identify(site)
                batches, placed = shared.log.held_by(shared.name)
                shared.book.load(batches, placed, trio.current_time())
                sights = await self._poller.ask(site)
            except Unavailable as error:
                failures += 1
                if failures == 1 or trio.current_time() - since >= shared.times.away_s:
                    shared.on_trouble(f"{shared.name} does not answer: {error}")
                    await shared.scheduler.tell(Unreachable(shared.name, str(error)))
                pause_s = 1 + full_jitter_us(failures, _US, _RETRY_CAP_US, shared.random) / _US
                await trio.sleep(max(pause_s, self._poller.rest_s))
            else:
                if failures:
                    shared.on_trouble(None)
                return batches, sights

    async def _identify(self, site: Site) -> str:
        """The id of the folder that says how attempts stand. Raises Unavailable if those in flight are in another.

        As when the workdir is not mounted, or another machine answers to the login node's name: nothing that stands in
        another folder, or doesn't, may be taken for the truth about them.
        """
        shared = self._shared
        known = shared.log.journal(shared.name)
        fresh = "" if known else shared.new_word()
        found, shared.receipt = await ask_identity(site, fresh)
        if known and known.rpartition(":")[2] != found:
            message = (
                f"{site.folder} is not the folder in which the attempts in flight are; see that the workdir is "
                "mounted, and that the login node is the one that it was"
            )
            raise Unavailable(message)
        return found or fresh

    async def _tell_attached(self, strangers: Sequence[str] = ()) -> None:
        """Say how every attempt stands: what the scheduler launched and is not among them, never came here."""
        shared = self._shared
        statuses = [self._status(member) for member in shared.book.members.values()]
        # A log that was cut off does not know these, and must not go on.
        statuses += [AttemptStatus(token, "queued") for token in strangers]
        self._session += 1
        self._attached = True
        cluster = "" if shared.config is None else shared.config.cluster
        report = Attached(shared.name, f"slurm:{cluster}:{shared.identity}", ALWAYS, 0, tuple(statuses), shared.receipt)
        await shared.scheduler.tell(Connected(self._session, report))

    def _status(self, member: Member) -> AttemptStatus:
        status = self._shared.book.status_of(member)
        member.told = UNCLEAR if status.state == "unclear" else member.told
        return status
