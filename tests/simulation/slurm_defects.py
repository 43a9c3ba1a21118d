"""Defects of how clusters are used, planted into the product for a while: the simulation must find each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final
from unittest.mock import patch

from msgspec.structs import replace

from holdfast.actors.launching import Launching
from holdfast.actors.slurm import refusals
from holdfast.actors.slurm.attempt_folders import AttemptFolder
from holdfast.actors.slurm.book import Book, Entry, Member, Sights
from holdfast.actors.slurm.ending import Evidence
from holdfast.actors.slurm.looking import Looker
from holdfast.actors.slurm.polling import Poller
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.shared import Shared
from holdfast.actors.slurm.site import Finished, Site
from holdfast.actors.slurm.squeue import Row
from holdfast.actors.slurm.submitting import Submitter
from holdfast.events.draft import Draft
from holdfast.events.launches import MANY
from holdfast.events.messages import AttemptStatus
from holdfast.events.records import Target

from .clocks import WallClock
from .slurm_files import LOGIN, SharedFiles
from .slurm_nodes import Nodes, Run


def _sent_again_after_a_time_out(stack: ExitStack, clock: WallClock) -> None:
    """What sbatch leaves open counts as a no for now."""
    del clock

    def judge(finished: Finished) -> refusals.Verdict:
        verdict = original(finished)
        return refusals.NotNow(verdict.sentence) if isinstance(verdict, refusals.Unsure) else verdict

    original = refusals.judge_sbatch
    stack.enter_context(patch.object(refusals, "judge_sbatch", judge))


def _unclear_read_as_failed(stack: ExitStack, clock: WallClock) -> None:
    """What was sent and not answered has failed."""

    async def report_unclear(self: Shared, entry: Entry, reason: str) -> None:
        del reason
        await self.end_all(
            [
                (each, AttemptStatus(each.token, "ended", ended_at=clock.now(), how="exited", exit_code=1))
                for each in entry.members.values()
            ]
        )

    stack.enter_context(patch.object(Shared, "report_unclear", report_unclear))


def _no_grace_time(stack: ExitStack, clock: WallClock) -> None:
    """What a controller does not have at once it never will."""
    del clock

    def made(self: Shared, *arguments: object) -> None:
        original(self, *arguments)
        self.times = replace(self.times, grace_s=0.0)

    original: Callable[..., None] = Shared.__init__
    stack.enter_context(patch.object(Shared, "__init__", made))


def _id_taken_for_the_job(stack: ExitStack, clock: WallClock) -> None:
    """A job is who has its number, and not who has its name."""
    del clock

    def see(self: Book, rows: Sequence[Row], asked_at: float, now: float) -> Sights:
        names = {entry.id: entry.name for entry in self.entries.values() if entry.id is not None}
        renamed = [replace(row, name=names.get(str(row.array or row.id), row.name)) for row in rows]
        return seen(self, renamed, asked_at, now)

    async def evidence(self: Looker, site: Site, left: Sequence[Member], folders: dict[str, AttemptFolder]) -> Evidence:
        found = await judged(self, site, left, folders)
        entries = self._shared.book.entries
        names = {entry.id: entry.name for entry in entries.values() if entry.id is not None}
        accounts: dict[tuple[str, int | None], Sequence[Account]] = {}
        for (name, task), each in found.accounts.items():
            for account in each:
                key = (names.get(str(account.array or account.id), name), task)
                accounts[key] = [*accounts.get(key, ()), account]
        return replace(found, accounts=accounts)

    seen, judged = Book.see, Looker._evidence
    stack.enter_context(patch.object(Book, "see", see))
    stack.enter_context(patch.object(Looker, "_evidence", evidence))


def _no_fence(stack: ExitStack, clock: WallClock) -> None:
    """Scripts run their command whether or not another copy has claimed it."""
    del clock

    def create(self: SharedFiles, path: str, content: bytes, place: str) -> bool:
        return original(self, path, content, place) or place != LOGIN

    original = SharedFiles.create
    stack.enter_context(patch.object(SharedFiles, "create", create))


def _dependencies_left_to_slurm_alone(stack: ExitStack, clock: WallClock) -> None:
    """Neither is looked whether what a job is to wait for is still there, nor by its script whether it has ended so."""
    del clock

    async def is_due(self: Nodes, run: Run) -> bool:
        del self, run
        return True

    def can_follow(self: Submitter, after: Iterable[str]) -> bool:
        return all(token in self._shared.book.members for token in after)

    stack.enter_context(patch.object(Nodes, "_is_due", is_due))
    stack.enter_context(patch.object(Submitter, "_can_follow", can_follow))


def _queue_filled_without_bound(stack: ExitStack, clock: WallClock) -> None:
    """More is launched than the site allows in its queue."""
    del clock

    def room(self: Launching, draft: Draft, target: Target) -> int:
        del self, draft, target
        return MANY

    stack.enter_context(patch.object(Launching, "_room", room))


def _asked_all_the_time(stack: ExitStack, clock: WallClock) -> None:
    """The controller is asked again a moment after it has answered."""
    del clock

    def pause_s(self: Poller, took_s: float) -> float:
        del self, took_s
        return 0.3

    stack.enter_context(patch.object(Poller, "_pause_s", pause_s))


SLURM_DEFECTS: Final[Mapping[str, Callable[[ExitStack, WallClock], None]]] = {
    "sbatch sent again after a time-out": _sent_again_after_a_time_out,
    "unclear read as failed": _unclear_read_as_failed,
    "no grace time": _no_grace_time,
    "id taken for the job": _id_taken_for_the_job,
    "no fence": _no_fence,
    "dependencies left to Slurm alone": _dependencies_left_to_slurm_alone,
    "queue filled without bound": _queue_filled_without_bound,
    "asked all the time": _asked_all_the_time,
}
"""They are looked for in runs that have a cluster and no other machine."""
