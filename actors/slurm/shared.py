"""What the parts of one cluster's actor have in common: what it is, what is known of it, and how it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import trio

from holdfast.events.batches import Recorded
from holdfast.events.facts import AttemptBatched, BatchEvent
from holdfast.events.messages import AttemptStatus, Refusal, Reported
from holdfast.events.records import Target
from holdfast.events.spec import SlurmSpec

from ..scheduler import RecordBatches
from ..targets.conversation import Carrier
from .book import UNCLEAR, Book, Entry, Member
from .scontrol import Config

if TYPE_CHECKING:
    from ..connections.host import Around

AGAIN_S: Final = 1.0
REFUSED_TOLD_MAX: Final = 100


class Shared:
    """One cluster, as its poller, submitter, canceller and ender see it."""

    def __init__(self, target: Target, home_id: str, carrier: Carrier, around: Around) -> None:
        """`carrier` brings files along; `around` is what all ways to other machines have in common."""
        self.target = target
        self.book = Book(home_id)
        self.carrier = carrier
        self.log = around.log
        self.scheduler = around.scheduler
        self.clock = around.clock
        self.random = around.random
        self.secrets = around.home.secrets
        self.on_trouble = around.on_trouble
        self.times = around.times.cluster
        self.config: Config | None = None
        self.receipt = ""
        self.identity = ""
        """Of Holdfast's folder on the cluster: what other folders say is nothing to us."""
        self.leftovers: list[str] = []
        self._news = trio.Event()
        self._untold: list[AttemptStatus] = []
        self._refused: set[str] = set()

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def slurm(self) -> SlurmSpec:
        """How its jobs are given to Slurm."""
        assert self.target.slurm is not None, "only a cluster has this actor"
        return self.target.slurm

    def secrets_of(self, entry: Entry) -> tuple[str, ...]:
        """The names of the secrets that the attempts of a batch ask for: all of them for the same."""
        if entry.secrets is None:
            spec = next((self.log.spec_of(token.token) for token in entry.members.values()), None)
            entry.secrets = () if spec is None else spec.secrets
        return entry.secrets

    def new_word(self) -> str:
        """A word that stands nowhere yet, to know again by it what it is written on."""
        return f"{int(self.random.random() * 2**52):013x}"

    def left_behind(self, works: Sequence[str]) -> None:
        """Attempts that are over, and of which something may lie on the cluster that nobody needs any more."""
        self.leftovers += works
        if works:
            self.stir()

    # Waking each other: who waits looks again at what there is to do.

    def stir(self) -> None:
        """Something has changed in the book."""
        self._news.set()
        self._news = trio.Event()

    async def stirred(self, within_s: float) -> None:
        """Wait until something has changed, or so long."""
        news = self._news
        with trio.move_on_after(within_s):
            await news.wait()

    # What is said and recorded.

    async def record(self, *news: BatchEvent, members: Sequence[AttemptBatched] = ()) -> Recorded:
        """Have it recorded, however long the disk is full; what can't be in the log is told as trouble, and named."""
        while True:
            answer = await self.scheduler.ask(RecordBatches, self.name, news, tuple(members))
            if not isinstance(answer, Refusal):
                self._tell_refused(answer)
                return answer
            await trio.sleep(AGAIN_S)

    def _tell_refused(self, answer: Recorded) -> None:
        for _, why in answer.refused:
            if why not in self._refused and len(self._refused) < REFUSED_TOLD_MAX:
                self._refused.add(why)
                self.on_trouble(f"{self.name}: the log can't have what is said of a batch, and does not: {why}")

    async def report(self, statuses: Sequence[AttemptStatus]) -> None:
        """Tell the scheduler, once files that belong to an end are here."""
        told = self.carrier.bring_back(statuses)
        if told:
            await self.scheduler.tell(Reported(self.name, tuple(told)))

    def report_soon(self, statuses: Sequence[AttemptStatus]) -> None:
        """Have the scheduler told, by `tell_untold`: for those who must not wait for its inbox to have room."""
        self._untold += statuses
        self.stir()

    async def tell_untold(self) -> None:
        """Tell what was left to be told, until cancelled."""
        while True:
            while not self._untold:
                await self.stirred(float("inf"))
            told = len(self._untold)
            await self.report(self._untold[:told])
            del self._untold[:told]
            self.stir()

    async def all_told(self) -> None:
        """Wait until the scheduler has been told all that was left to be told."""
        while self._untold:
            await self.stirred(float("inf"))

    def forget_untold(self) -> None:
        """What was to be told over an earlier connection is not to be told over this one."""
        self._untold.clear()

    async def report_unclear(self, entry: Entry, reason: str) -> None:
        """What became of these is not known for now."""
        for member in entry.members.values():
            member.told = UNCLEAR
        await self.report([AttemptStatus(each.token, UNCLEAR, error=reason) for each in entry.members.values()])

    async def end(self, member: Member, status: AttemptStatus) -> None:
        """Tell how a member ended; it is dropped once that is recorded."""
        await self.end_all([(member, status)])

    async def end_all(self, ends: Sequence[tuple[Member, AttemptStatus]]) -> None:
        """Tell how members ended."""
        for member, _ in ends:
            member.over = True
        await self.report([status for _, status in ends])

    def not_started(self, token: str, reason: str) -> AttemptStatus:
        """The status of an attempt that could not be started."""
        return AttemptStatus(token, "ended", ended_at=self.clock.now(), how="not_started", error=reason)
