"""Submitting: orders become batches, which are recorded, and then given to `sbatch`, one after the other.

The plan is in the log before `sbatch` starts. After anything but a clear yes or no it is not tried again here: the
cluster is asked for the batch first (`looking`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import trio

from holdfast.events.backoff import full_jitter_us
from holdfast.events.errors import BadInput, Unavailable
from holdfast.events.facts import AttemptBatched, BatchClosed, BatchPlanned, BatchSubmitted, BatchUnclear, BatchWaits
from holdfast.events.messages import AttemptStatus
from holdfast.events.sbatch import options

from ..targets.messages import Order
from ..targets.secrets import NoSecret, find_secrets
from . import attempt_folders, refusals
from .arrays import grouped
from .asking import void
from .behind import GONE, are_there, fresh_s
from .behind import options as behind
from .book import UNCLEAR, Entry, Member
from .ranges import shown_ranges
from .script import Place, render, sbatch_argv
from .shared import Shared
from .site import NotRun, Site, Unclear

GATHER_S: Final = 0.02
ABSENCES_MAX: Final = 3
SBATCH_S: Final = 180.0  # a full cluster has sbatch try for two minutes
RETRY_BASE_US: Final = 5_000_000
RETRY_CAP_US: Final = 300_000_000
ARRAY_MAX: Final = 1001  # of a cluster that does not say
_US: Final = 1_000_000


class Submitter:
    """Of one cluster."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._orders: dict[str, Order] = {}
        self._waiting: list[Entry] = []
        self._unplanned: list[Entry] = []
        self._failures = 0
        self._news = trio.Event()

    def take(self, orders: Sequence[Order]) -> None:
        """These are to be launched."""
        self._orders.update({order.token: order for order in orders if order.token not in self._shared.book.members})
        self._news.set()

    def again(self, entry: Entry) -> None:
        """A batch that the cluster does not have is to be submitted (again)."""
        entry.sent, entry.missed_at = False, None
        entry.absences += 1
        # Where a site has sbatch say something else each time, this must not go on at full speed.
        entry.failures += 1
        entry.retry_at = trio.current_time() + self._pause_s(entry.failures)
        self._waiting.append(entry)
        self._news.set()

    def take_back(self, tokens: Sequence[str], why: str = "taken back before it was submitted") -> None:
        """Those of these that the cluster surely does not have are not to start; waits for nobody."""
        shared = self._shared
        gone: list[str] = []
        for token in tokens:
            member = shared.book.members.get(token)
            if member is None:
                # Not planned yet, or its files are still on their way here.
                self._orders.pop(token, None)
                gone.append(token)
            elif self._is_only_here(shared.book.entries[member.batch]) and not member.over:
                # Its batch is closed, if nothing is left of it, when its turn comes.
                self._take_out(shared.book.entries[member.batch], member)
                gone.append(token)
        shared.carrier.let_go(gone)
        if gone:
            shared.report_soon([AttemptStatus(each, "revoked", error=why) for each in gone])
            self._news.set()

    def _take_out(self, entry: Entry, member: Member) -> None:
        """It is in the batch no more, and what was put there for it goes as well."""
        entry.members.pop(member.index or 0)
        self._shared.book.members.pop(member.token)
        self._shared.left_behind([member.folder])

    @staticmethod
    def _is_only_here(entry: Entry) -> bool:
        """Whether no copy of a batch can be anywhere else."""
        return not entry.sent and not entry.doubtful

    def forget(self) -> None:
        """What was ordered over an earlier connection is said again."""
        self._orders.clear()
        self._waiting.clear()
        self._unplanned.clear()
        self._failures = 0

    async def run(self, site: Site) -> None:
        """Plan and submit until cancelled."""
        prepared = False
        while True:
            await self._until_due()
            await trio.sleep(GATHER_S)
            self._news = trio.Event()
            try:
                if not prepared:
                    await _run_well(site, attempt_folders.prepare_argv(site.folder))
                    prepared = True
                await self._plan(site)
                await self._give_back_unplanned(site)
                while (entry := self._due()) is not None:
                    await self._submit(site, entry)
            except Unavailable as error:
                await self._wait_a_while(str(error))
            else:
                self._recover()

    def _due(self) -> Entry | None:
        """The first batch that may be tried: the cluster may take the ones and not the others."""
        now = trio.current_time()
        return next((entry for entry in self._waiting if entry.retry_at <= now), None)

    async def _until_due(self) -> None:
        """Wait until something is to be done."""
        retry_at = min((entry.retry_at for entry in self._waiting), default=float("inf"))
        with trio.move_on_at(retry_at):
            await self._news.wait()

    async def _wait_a_while(self, reason: str) -> None:
        """Nothing can be sent just now, whatever it is; it is tried again after a back-off."""
        self._failures += 1
        for entry in list(self._waiting):
            await self._note(entry, reason)
        self._shared.on_trouble(f"{self._shared.name} takes no jobs just now: {reason}")
        await trio.sleep(self._pause_s(self._failures))
        self._news.set()

    def _pause_s(self, failures: int) -> float:
        return full_jitter_us(failures, RETRY_BASE_US, RETRY_CAP_US, self._shared.random) / _US

    def _recover(self) -> None:
        if self._failures:
            self._failures = 0
            self._shared.on_trouble(None)

    async def _note(self, entry: Entry, reason: str) -> None:
        """Record why the cluster does not take a batch yet, if that is news."""
        if entry.reason != reason:
            entry.reason = reason
            await self._shared.record(BatchWaits(self._shared.name, entry.name, reason))

    async def _put_off(self, entry: Entry, reason: str) -> None:
        """The cluster takes this one not just now: it is tried again after a back-off of its own."""
        entry.sent = False
        entry.failures += 1
        entry.retry_at = trio.current_time() + self._pause_s(entry.failures)
        await self._note(entry, reason)

    # Planning.

    async def _plan(self, site: Site) -> None:
        self.take_back([each.token for each in self._orders.values() if not self._can_follow(each.after)], GONE)
        shared, orders = self._shared, list(self._orders.values())
        if not orders:
            return
        config = shared.config
        most = ARRAY_MAX if config is None else config.array_max
        # Thousands of orders, and their scripts, take a while, and others speak to this thread.
        groups, refused = await trio.to_thread.run_sync(grouped, orders, shared.slurm, most)
        for order, problem in refused:
            self._orders.pop(order.token, None)
            await shared.report([shared.not_started(order.token, problem)])
        for group in groups:
            if not self._can_follow(group[0].after):  # any more
                self.take_back([order.token for order in group], GONE)
                continue
            try:
                wanted = (*options(group[0].spec, shared.slurm), *behind(shared.book, group[0].after))
                place = Place(site.workdir, site.folder)
                plan = shared.new_word()
                text = await trio.to_thread.run_sync(render, group[0].token, group, wanted, shared.slurm, place, plan)
            except BadInput as error:
                for order in group:
                    self._orders.pop(order.token, None)
                await shared.report([shared.not_started(order.token, str(error)) for order in group])
                continue
            await self._record_plan([order for order in group if order.token in self._orders], group, text, plan)

    async def _record_plan(self, left: Sequence[Order], group: Sequence[Order], text: str, plan: str) -> None:
        """Record the batch of a group, without those that were taken back while its script was written."""
        if not left:
            return
        shared, name = self._shared, group[0].token
        members = [
            Member(order.token, order.job, order.attempt, name, index if len(group) > 1 else None)
            for index, order in enumerate(group)
            if order.token in self._orders
        ]
        entry = Entry(name, shared.clock.now(), members, text)
        entry.plan, entry.after = plan, tuple(sorted(group[0].after))
        for order in left:
            self._orders.pop(order.token, None)
        shared.book.add(entry)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        planned = BatchPlanned(shared.name, name, len(members), text, sha256, entry.after, plan)
        batched = [AttemptBatched(each.job, each.attempt, name, each.index) for each in members]
        recorded = await shared.record(planned, members=batched)
        if recorded.refused:
            # What the log does not have must not reach the cluster.
            shared.book.close(entry)
            self._unplanned.append(entry)
            return
        for member in members:
            if (member.job, member.attempt) in recorded.over:
                shared.book.drop(member)
        self._waiting.append(entry)

    async def _give_back_unplanned(self, site: Site) -> None:
        """Have attempts launched anew whose batch the log does not take: it has, or had, another one of that name.

        Only where they never ran and never will, which claiming them makes sure of. Raises Unavailable.
        """
        shared = self._shared
        while self._unplanned:
            members = list(self._unplanned[0].members.values())
            free = await void(site, shared.identity, [each.folder for each in members])
            await shared.report([_unplanned(each, is_free=free[each.folder]) for each in members])
            self._unplanned.pop(0)

    # Submitting.

    async def _submit(self, site: Site, entry: Entry) -> None:
        """Submit it, and take it off the list unless the cluster takes nothing just now. Raises Unavailable then."""
        shared = self._shared
        if not entry.script:
            entry.script = shared.log.script(entry.name) or ""
        try:
            await self._hand_over_secrets(site, entry)
        except NoSecret as error:
            await self._refuse(site, entry, str(error))
            return
        if not await self._let_go(site, entry):
            return
        if not entry.members:
            self._waiting.remove(entry)
            await shared.all_told()
            await shared.record(BatchClosed(shared.name, entry.name, "nothing of it is to run any more"))
            shared.book.close(entry)
            return
        argv = [*sbatch_argv(entry.script, shared.secrets_of(entry)), *_array_option(entry)]
        entry.sent_at = float("inf")
        entry.sent = True
        try:
            verdict = refusals.judge_sbatch(await site.run(argv, stdin=entry.script.encode(), timeout_s=SBATCH_S))
        except NotRun:
            entry.sent = False
            raise
        except Unclear as error:
            verdict = refusals.Unsure(str(error))
        await self._follow(site, entry, verdict)

    async def _follow(self, site: Site, entry: Entry, verdict: refusals.Verdict) -> None:
        shared = self._shared
        match verdict:
            case refusals.NotNow(sentence=sentence):
                await self._put_off(entry, sentence)
            case refusals.Refused(sentence=sentence):
                entry.sent = False
                await self._refuse(site, entry, sentence)
            case refusals.Taken(id=number):
                entry.id, entry.reason, entry.sent_at = number, "", trio.current_time()
                entry.script = ""  # the log has it
                for member in entry.members.values():
                    member.seen_at = entry.sent_at
                self._take_off(entry)
                await shared.record(BatchSubmitted(shared.name, entry.name, number))
            case refusals.Unsure(sentence=sentence, spoken=True) if entry.absences >= ABSENCES_MAX:
                # So many times it said this, and did not have it: a rule of the site's own, most likely.
                entry.sent, entry.doubtful = False, True
                await self._refuse(site, entry, sentence)
            case refusals.Unsure(sentence=sentence):
                entry.sent_at, entry.missed_at, entry.doubtful = trio.current_time(), None, True
                self._take_off(entry)
                await shared.record(BatchUnclear(shared.name, entry.name, sentence))
                await shared.report_unclear(entry, sentence)
            case _:
                assert_never(verdict)
        shared.stir()

    def _take_off(self, entry: Entry) -> None:
        self._waiting.remove(entry)
        entry.failures, entry.retry_at = 0, 0.0

    async def _refuse(self, site: Site, entry: Entry, reason: str) -> None:
        """It is refused for ever; but an earlier copy of one that is doubtful may have begun. Raises Unavailable."""
        members = list(entry.members.values())
        free = await void(site, self._shared.identity, [each.folder for each in members]) if entry.doubtful else {}
        if all(free.values()):
            await self._close(entry, reason)
            return
        entry.sent, entry.sent_at, entry.missed_at = True, trio.current_time(), None
        self._waiting.remove(entry)
        await self._shared.record(BatchUnclear(self._shared.name, entry.name, "one of its attempts has begun"))

    async def _close(self, entry: Entry, reason: str) -> None:
        """It is refused for ever: its attempts could not be started."""
        shared = self._shared
        self._waiting.remove(entry)
        await shared.end_all([(each, shared.not_started(each.token, reason)) for each in entry.members.values()])
        entry.closed = True
        await shared.record(BatchClosed(shared.name, entry.name, reason))

    async def _let_go(self, site: Site, entry: Entry) -> bool:
        """Take out what somebody wants stopped, and what would not wait for what it depends on.

        Says whether the rest may be submitted. Raises Unavailable.
        """
        alone = not self._can_follow(entry.after)
        stopping = [each for each in entry.members.values() if each.stopping or alone]
        error = GONE if alone else "cancelled before it began"
        if not entry.doubtful:
            self.take_back([each.token for each in stopping], error)
            return True
        free = await void(site, self._shared.identity, [each.folder for each in stopping]) if stopping else {}
        for member in stopping:
            if free[member.folder]:
                self._take_out(entry, member)
        statuses = [AttemptStatus(each.token, "revoked", error=error) for each in stopping if free[each.folder]]
        if statuses:
            await self._shared.report(statuses)
        if all(free.values()):
            return True
        # Some copy of it has come to life after all: it is looked for once more.
        entry.sent, entry.sent_at, entry.missed_at = True, trio.current_time(), None
        self._waiting.remove(entry)
        await self._shared.record(BatchUnclear(self._shared.name, entry.name, "one of its attempts has begun"))
        return False

    def _can_follow(self, after: Iterable[str]) -> bool:
        """Whether all that a batch is to wait for is surely in the cluster's queue."""
        shared = self._shared
        return are_there(shared.book, after, trio.current_time(), fresh_s(shared.config, shared.slurm.poll_us))

    # Secrets.

    async def _hand_over_secrets(self, site: Site, entry: Entry) -> None:
        """Put secrets where only the script finds them. Raises NoSecret, or another Unavailable."""
        names = self._shared.secrets_of(entry)
        if names:
            values = find_secrets(names, os.environ, self._shared.secrets)
            found = dict.fromkeys((member.folder for member in entry.members.values()), values)
            try:
                await _run_well(site, attempt_folders.SECRETS_ARGV, attempt_folders.secrets_stdin(site.folder, found))
            finally:
                # Some may have been taken out while theirs were on their way.
                left = {member.folder for member in entry.members.values()}
                self._shared.left_behind([work for work in found if work not in left])


def _unplanned(member: Member, *, is_free: bool) -> AttemptStatus:
    if is_free:
        return AttemptStatus(member.token, "revoked", error="the log did not take the plan of its batch")
    return AttemptStatus(member.token, UNCLEAR, error="it was begun in a batch that is not followed any more")


def _array_option(entry: Entry) -> list[str]:
    """Which tasks of an array are left, where some were taken back after it was planned."""
    return [f"--array={shown_ranges(sorted(entry.members))}"] if entry.is_array else []


async def _run_well(site: Site, argv: Sequence[str], stdin: bytes = b"") -> None:
    """Run what must succeed before anything is sent. Raises NotRun, with what it said."""
    try:
        finished = await site.run(argv, stdin=stdin)
    except Unclear as error:
        raise NotRun(str(error)) from error
    if finished.exit_code:
        said = " ".join(finished.stderr.decode(errors="replace").split())
        said = said or f"exit code {finished.exit_code}"
        message = f"the workdir of the cluster can't be used; see that it has room and is writable ({said})"
        raise NotRun(message)
