"""What must hold after every commit: the log's fold, the views, the scheduler's memory and a second opinion agree."""

from __future__ import annotations

from collections import Counter

from holdfast.actors.live import Live
from holdfast.events.draft import Draft
from holdfast.events.errors import HoldfastError
from holdfast.events.facts import SupervisorStopped
from holdfast.events.records import Attempt as AttemptRecord
from holdfast.events.records import Ended, Job, Revoked
from holdfast.events.spec import FUNCTIONS, LOCAL
from holdfast.events.states import FINAL, IN_FLIGHT, Held, Waiting, name_of
from holdfast.store.contract import StoredEvent
from holdfast.store.fold import Fold
from holdfast.store.memory import MemoryStore

from .call_checks import CallChecks
from .history import History
from .host_checks import HostChecks
from .outcome_checks import OutcomeChecks
from .slurm_checks import SlurmChecks
from .verdict import Verdict


class CommitChecks:
    """Follows the log as it grows."""

    def __init__(
        self,
        store: MemoryStore,
        history: History,
        outcomes: OutcomeChecks,
        calls: CallChecks,
        hosts: HostChecks,
        slurm: SlurmChecks,
        verdict: Verdict,
    ) -> None:
        self._store = store
        self._history = history
        self._outcomes = outcomes
        self._calls = calls
        self._hosts = hosts
        self._slurm = slurm
        self._verdict = verdict
        self._fold = Fold()
        self._seen: list[StoredEvent] = []

    def durable(self) -> None:
        """The log has grown, and the views with it, in one transaction."""
        start = len(self._seen)
        try:
            for stored, event in self._store.events(start):
                self._verdict.tell(f"  {stored.seq} {stored.author} <{stored.cause}> {stored.type} {stored.data}")
                self._fold.take(event, stored.seq, stored.time)
                self._history.take(stored, event)
                self._outcomes.take(stored, event)
                self._calls.take(stored, event)
                self._hosts.take(event)
                self._slurm.take(event)
        except HoldfastError as error:
            self._verdict.fail(f"P4: the log can't be folded: {error}")
        self._seen = list(self._store.log)
        self._history.note_counts()
        self._compare_views(self._fold)
        base = self._store.base
        # Equal as they are: sharing the objects makes the next comparison one of identities.
        self._fold.jobs.changed.update(base.jobs)
        self._fold.attempts.changed.update(base.attempts)

    def opened(self) -> None:
        """A supervisor opens the log: nothing of it has changed, and folded from nothing it is what the views say."""
        self._verdict.check(self._seen == self._store.log, "P1: what was recorded has changed or is missing")
        fold = Fold()
        try:
            for stored, event in self._store.events():
                fold.take(event, stored.seq, stored.time)
        except HoldfastError as error:
            self._verdict.fail(f"P4: the log can't be folded: {error}")
        self._compare_views(fold)
        for number, story in self._history.jobs.items():
            job = self._store.base.jobs.get(number)
            state = "missing" if job is None else name_of(job.state)
            self._verdict.check(state == story.state, f"P4: job {number} is {state}; its events say {story.state}")

    def finish(self) -> None:
        """All jobs have ended, and nothing more will happen."""
        self.opened()
        self._slurm.finish()

    def _compare_views(self, fold: Fold) -> None:
        base = self._store.base
        for name, views, folded in (
            ("jobs", base.jobs, fold.jobs.changed),
            ("attempts", base.attempts, fold.attempts.changed),
            ("targets", base.target_records, fold.targets.changed),
            ("limits", base.limit_records, fold.limits.changed),
            ("marks", base.mark_records, fold.marks.changed),
            ("flows", base.flows, fold.flows.changed),
            ("batches", base.batches, fold.batches.changed),
        ):
            if views != folded:
                self._verdict.fail(f"P4: the view of {name} is not the fold of the log: {views} and {folded}")

    def memory(self, draft: Draft, start: int) -> None:
        """The scheduler has taken a commit into its memory."""
        base, live = self._store.base, draft.base
        if not isinstance(live, Live):
            return  # its first commit is made before it has read anything
        if isinstance(draft.entries[0].event, SupervisorStopped):
            return  # its last one may follow a crash, and rests on nothing in memory
        check = self._verdict.check
        check(start + len(draft.entries) == self._store.seq, "the scheduler's memory is not at the end of the log")
        alive = {number: job for number, job in base.jobs.items() if not isinstance(job.state, FINAL)}
        check(live.jobs == alive, f"P4: in memory are the jobs {live.jobs}, alive are {alive}")
        counts = Counter(name_of(job.state) for job in alive.values())
        check(+live.counts == counts, f"P4: in memory the counts are {live.counts}, really {counts}")
        for target in (LOCAL, FUNCTIONS, *(each.name for each in base.targets() if each.is_elsewhere)):
            self._compare_flying(live, target, alive)
        check(live.targets() == base.targets(), "P4: the targets in memory are not those in the views")
        check(live.limits == base.limit_records, "P4: the limits in memory are not those in the views")
        check(live.next_job() == len(base.jobs) + 1, f"P4: the next job in memory is {live.next_job()}")
        self._compare_unmet(live)
        self._compare_attempts(live, base.attempts)

    def _compare_flying(self, live: Live, target: str, alive: dict[int, Job]) -> None:
        """What is in flight on a target, and what that uses."""
        check = self._verdict.check
        jobs = [job for job in alive.values() if isinstance(job.state, IN_FLIGHT) and job.policy.target == target]
        flying = {job.id: job for job in jobs}
        check({job.id: job for job in live.in_flight(target)} == flying, f"P4: in flight are {sorted(flying)}")
        used: Counter[str] = Counter()
        for job in jobs:
            used.update(dict(job.policy.needs))
        check(+Counter(live.used(target)) == +used, f"P4: in memory {live.used(target)} is used, really {used}")

    def _compare_unmet(self, live: Live) -> None:
        for number, job in live.jobs.items():
            kept = live.unmet(number)
            if isinstance(job.state, Waiting | Held) and kept is not None:
                unmet = self._history.unmet(number)
                self._verdict.check(kept == unmet, f"P4: job {number} has {kept} unmet in memory, really {unmet}")

    def _compare_attempts(self, live: Live, attempts: dict[tuple[int, int], AttemptRecord]) -> None:
        for job in live.all_in_flight():
            key = (job.id, job.attempt)
            found = live.attempt(key)
            self._verdict.check(found == attempts.get(key), f"P4: attempt {key} in memory is {found}")
            if found is not None and isinstance(found.phase, Ended | Revoked):
                self._verdict.fail(f"P4: job {job.id} is in flight with an attempt that is over")
