"""Looking for what is not in the queue: batches whose submission was not answered, and attempts that have left it.

A batch is submitted again only when its absence is established: the controller answered twice without it, with the
grace time in between, accounting does not have it, and none of its attempts was claimed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import trio

from holdfast.events.errors import Unavailable
from holdfast.events.facts import BatchAbsent, BatchSubmitted
from holdfast.events.messages import AttemptStatus

from ..targets.messages import CutOff
from .asking import NoAccounting, ask_accounts, ask_accounts_by_name, ask_details, ask_folders, forget_secrets, void
from .attempt_folders import AttemptFolder
from .book import QUEUED, SKEW_US, Entry, Member
from .ending import LOOK_S, Evidence, by_task, conclude, given_back, is_gone, is_taken_out, lost, says_enough
from .sacct import Account
from .shared import Shared
from .site import Site
from .submitting import Submitter

ACCOUNTS_EACH_S: Final = 2.5
"""Slurm tells accounting what is new every 5 s: to ask much more often is in vain."""
SILENT_S: Final = 600.0
"""How long accounting that does not answer is waited for, where all else says that a batch is not there."""
_TASKS_MAX: Final = 1000  # more of one array are asked for by the array's number


class Looker:
    """Of one cluster."""

    def __init__(self, shared: Shared, submitter: Submitter) -> None:
        self._shared = shared
        self._submitter = submitter
        self._missed: dict[str, Entry] = {}
        self._accounts_failed_at: float | None = None
        self._accounts_at = -math.inf
        self._news = trio.Event()

    def forget(self) -> None:
        """The book begins anew."""
        self._missed.clear()

    def look_for(self, entry: Entry) -> None:
        """The controller does not have a batch that was sent, and has had its grace time: find out."""
        self._missed[entry.name] = entry
        self.wake()

    def wake(self) -> None:
        """Something may have left the queue."""
        self._news.set()

    async def run(self, site: Site) -> None:
        """Look for what there is to look for, until cancelled; less often, as long as nothing new is found out."""
        pause_s = LOOK_S
        while True:
            if self._missed or self._shared.book.left():
                with trio.move_on_after(pause_s):
                    await self._news.wait()
            else:
                await self._news.wait()
            self._news = trio.Event()
            try:
                found = await self._look(site)
            except Unavailable as error:
                found = False
                self._shared.on_trouble(f"{self._shared.name}: {error}")
            pause_s = LOOK_S if found else min(2 * pause_s, max(LOOK_S, self._shared.slurm.poll_us / 1e6))

    async def _look(self, site: Site) -> bool:
        for entry in list(self._missed.values()):
            try:
                await self._look_for(site, entry)
            except Unavailable as error:
                # What others have to say of their ends does not wait for it.
                self._shared.on_trouble(f"{self._shared.name}: {error}")
        return await self._end(site)

    async def _ask_folders(self, site: Site, members: Sequence[Member]) -> dict[str, AttemptFolder]:
        """What stands in the folders of attempts. Raises Unavailable, also where that was not done for this log."""
        shared = self._shared
        folders = await ask_folders(site, shared.identity, [each.folder for each in members])
        for member in members:
            claim, entry = folders[member.folder].claim, shared.book.entries.get(member.batch)
            if claim is not None and entry is not None and claim.plan != entry.plan:
                seen = f"{shared.name} has run the attempt {member.token}, by a plan that is not in this log"
                await shared.scheduler.tell(CutOff(shared.name, seen))
                raise Unavailable(seen)
        return folders

    # Batches.

    async def _look_for(self, site: Site, entry: Entry) -> None:
        """Find out whether the cluster has, or had, a batch. Raises Unavailable, and then it is tried again."""
        shared = self._shared
        if not self._is_missed(entry):
            return
        members = list(entry.members.values())
        folders = await self._ask_folders(site, members)
        claimed = next((each.claim for each in folders.values() if each.claim is not None), None)
        if claimed is not None:
            await self._adopt_gone(entry, str(claimed.array or claimed.slurm_id))
            return
        try:
            accounts = await ask_accounts_by_name(site, [entry.name], entry.planned_at - SKEW_US)
        except NoAccounting:
            accounts = []
        except Unavailable:
            if self._accounts_patience():
                raise
            accounts = []
        else:
            self._accounts_failed_at = None
        if accounts:
            await self._adopt_gone(entry, str(accounts[-1].array or accounts[-1].id))
            return
        if not self._is_missed(entry):
            return  # it turned up while we asked
        self._missed.pop(entry.name, None)
        reason = "the controller answered twice without it, accounting has not heard of it, and it has claimed nothing"
        recorded = await shared.record(BatchAbsent(shared.name, entry.name, reason))
        if not recorded.refused:
            self._submitter.again(entry)

    def _is_missed(self, entry: Entry) -> bool:
        """Whether it is still to be looked for; else nobody does."""
        missed = entry.sent and entry.id is None and self._shared.book.entries.get(entry.name) is entry
        if not missed:
            self._missed.pop(entry.name, None)
        return missed

    def _accounts_patience(self) -> bool:
        now = trio.current_time()
        if self._accounts_failed_at is None:
            self._accounts_failed_at = now
        return now - self._accounts_failed_at < SILENT_S

    async def adopt(self, entry: Entry, number: str) -> None:
        """A batch whose answer got lost is there, under this id."""
        shared = self._shared
        entry.id, entry.reason, entry.missed_at = number, "", None
        self._missed.pop(entry.name, None)
        await shared.record(BatchSubmitted(shared.name, entry.name, number, found=True))
        statuses = [AttemptStatus(each.token, QUEUED) for each in entry.members.values() if each.told != "running"]
        await shared.report(statuses)
        shared.stir()

    async def _adopt_gone(self, entry: Entry, number: str) -> None:
        """It was there, and has left the queue."""
        await self.adopt(entry, number)
        now = trio.current_time()
        for member in entry.members.values():
            member.left_at = member.left_at or now
        self.wake()

    # Attempts.

    async def _end(self, site: Site) -> bool:
        """Tell how attempts ended that have left the queue; whether any was told."""
        shared = self._shared
        left = shared.book.left()
        if not left:
            return False
        now = trio.current_time()
        folders: Mapping[str, AttemptFolder] = await self._ask_folders(site, left)
        account_s = shared.times.account_s
        silent = [each for each in left if not says_enough(each, folders[each.folder], now, account_s)]
        evidence = await self._evidence(site, silent, folders)
        folders = evidence.folders
        ends: list[tuple[Member, AttemptStatus]] = []
        gone: list[Member] = []
        for member in left:
            status = conclude(member, evidence, now, account_s, shared.times.gone_s)
            if status is not None:
                ends.append((member, status))
            elif is_gone(member, now, shared.times.gone_s) or is_taken_out(
                member, folders[member.folder], now, account_s
            ):
                gone.append(member)
        sure = [(member, status) for member, status in ends if _is_claimed(folders[member.folder])]
        told = await self._tell(site, sure)
        # What has to be claimed first may have to wait until there is room for that.
        rest = [(member, status) for member, status in ends if not _is_claimed(folders[member.folder])]
        if gone:
            rest += await self._decide(site, gone, folders, now)
        return await self._tell(site, await self._final(site, rest, folders)) or told

    async def _tell(self, site: Site, ends: Sequence[tuple[Member, AttemptStatus]]) -> bool:
        """Tell these ends; whether there were any."""
        # What came back to the queue while we asked has not ended.
        ends = [(member, status) for member, status in ends if member.left_at is not None and not member.over]
        if ends:
            await self._forget_secrets(site, [member for member, _ in ends])
            await self._shared.end_all(ends)
        return bool(ends)

    async def _forget_secrets(self, site: Site, members: Sequence[Member]) -> None:
        """Remove what was put there for attempts that never took it."""
        entries = self._shared.book.entries
        names = [each.folder for each in members if self._shared.secrets_of(entries[each.batch])]
        if names:
            await forget_secrets(site, names)

    async def _final(
        self, site: Site, ends: list[tuple[Member, AttemptStatus]], folders: Mapping[str, AttemptFolder]
    ) -> list[tuple[Member, AttemptStatus]]:
        """Those of these ends that nothing can follow.

        An attempt that nobody has claimed is claimed here first: a copy that is still on its way to the cluster could
        run it after its end was told. One that was claimed in this moment has not ended so.
        """
        # One that we claimed before a crash says the same again.
        unclaimed = [member.folder for member, _ in ends if not _is_claimed(folders[member.folder])]
        free = await void(site, self._shared.identity, unclaimed) if unclaimed else {}
        now_us = self._shared.clock.now()
        # With the claim in our hands it is certain that nobody ran it, so it can't be lost.
        return [
            (member, given_back(member, now_us) if _is_spared(member, status, free) else status)
            for member, status in ends
            if free.get(member.folder, True)
        ]

    async def _evidence(self, site: Site, left: Sequence[Member], folders: Mapping[str, AttemptFolder]) -> Evidence:
        now = trio.current_time()
        if not left or now - self._accounts_at < ACCOUNTS_EACH_S:
            return Evidence(folders, {}, accounting=True)
        accounts: Sequence[Account] = ()
        answered = True
        try:
            accounts = await ask_accounts(site, self._ids(left))
            self._accounts_failed_at = None
            self._accounts_at = now
        except NoAccounting:
            answered = False
        except Unavailable as error:
            answered = False
            self._shared.on_trouble(f"{self._shared.name}: {error}")
        if not answered and any(folders[each.folder].exit is None for each in left):
            accounts = await ask_details(site)
        unclaimed = [each for each in left if not folders[each.folder].claimed]
        if accounts and unclaimed:
            # What Slurm saw end may have begun after its folder was looked at.
            folders = {**folders, **await self._ask_folders(site, unclaimed)}
        return Evidence(folders, by_task(accounts, self._shared.book), answered)

    def _ids(self, left: Sequence[Member]) -> list[str]:
        """The ids to ask accounting for: of tasks, or of a whole array where they are many."""
        by_batch: dict[str, list[Member]] = {}
        for member in left:
            by_batch.setdefault(member.batch, []).append(member)
        ids: list[str] = []
        for name, members in by_batch.items():
            number = self._shared.book.entries[name].id
            if number is None:
                continue
            if members[0].index is None or len(members) > _TASKS_MAX:
                ids.append(number)
            else:
                ids += [f"{number}_{each.index}" for each in members]
        return ids

    async def _decide(
        self, site: Site, gone: Sequence[Member], folders: Mapping[str, AttemptFolder], now: float
    ) -> list[tuple[Member, AttemptStatus]]:
        """The cluster has had its time with these, or was told to cancel them, and says nothing: claims decide."""
        free = await void(site, self._shared.identity, [each.folder for each in gone])
        times, now_us = self._shared.times, self._shared.clock.now()
        over = [each for each in gone if not free[each.folder] and is_gone(each, now, times.gone_s)]
        return [
            *((each, given_back(each, now_us)) for each in gone if free[each.folder]),
            *((each, lost(each, folders[each.folder], now_us)) for each in over),
        ]


def _is_claimed(folder: AttemptFolder) -> bool:
    """Whether a script of ours has claimed it."""
    return folder.claimed and not folder.void


def _is_spared(member: Member, status: AttemptStatus, free: Mapping[str, bool]) -> bool:
    """Whether one that would be lost surely never ran, as its claim was made here."""
    return status.how == "lost" and member.folder in free and not member.is_astray
