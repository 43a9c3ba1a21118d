"""What must hold after every commit, whatever happened: the log against the records, from the outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Final

from holdfast.events.draft import PREVIOUS, Draft
from holdfast.events.facts import AttemptBatched, AttemptLaunched, JobCancelled, JobReady, JobRetried, OfJob
from holdfast.events.graph import Kind
from holdfast.events.limits import LimitTable, limit_of
from holdfast.events.records import ClosedBatch, Ended, Job, PlannedBatch, SubmittedBatch
from holdfast.events.spec import LimitSpec, TargetSpec
from holdfast.events.states import FINAL, IN_FLIGHT, FinalState, Held, Ready, Skipped, Waiting, name_of

from .memory_base import Fold, MemoryBase

# Written apart from `judge`, so that each checks the other. What lets a job of this kind run:
MET: Final = {
    Kind.AFTER: {"succeeded"},
    Kind.AFTER_ANY: {"succeeded", "failed", "cancelled", "lost", "skipped"},
    Kind.AFTER_FAILED: {"failed"},
}


class Observer:
    """Reads the log as it grows and knows nothing else."""

    def __init__(self, base: MemoryBase, limits: Mapping[str, LimitSpec], targets: Mapping[str, TargetSpec]) -> None:
        self.base = base
        self.limits = limits
        self.targets = targets
        self.fold = Fold()
        self.read = 0
        self.tokens: set[str] = set()
        self.grants: dict[str, list[int]] = {}
        self.retried: set[int] = set()
        self.cancelled: set[int] = set()
        self.batched: set[tuple[int, int]] = set()
        self.places: set[tuple[str, int | None]] = set()
        self.homes: list[tuple[str, int, int]] = []

    def check(self, draft: Draft, table: LimitTable) -> None:
        """Check everything after the commit of `draft`."""
        self._check_entries(draft)
        for time, event in self.base.log[self.read :]:
            if isinstance(event, OfJob):
                self._note(event, time)
            self.fold.take(event, time)
        self.read = len(self.base.log)
        assert self.base.records.tables() == self.fold.tables(), "records are not the fold of the log"
        self._check_use(draft, table)
        for job in self.base.records.jobs.values():
            self._check_dependencies(job)

    def _check_entries(self, draft: Draft) -> None:
        for place, entry in enumerate(draft.entries):
            assert entry.author
            assert entry.cause is None or -place <= entry.cause <= PREVIOUS, "a cause comes after its effect"

    def _note(self, event: OfJob, time: int) -> None:
        job = self.fold.jobs.get(event.job)
        if job is not None and isinstance(job.state, FINAL):
            assert isinstance(event, JobRetried), f"{event} happened to a job that has ended"
        match event:
            case AttemptLaunched(token=token, grants=grants):
                assert token not in self.tokens, f"the token {token} is used twice"
                assert job is not None, f"{event} is of no job"
                self._check_order(event, job)
                self.tokens.add(token)
                for key in grants:
                    self.grants.setdefault(key, []).append(time)
                    self._check_rate(key)
            case AttemptBatched():
                self._check_batched(event)
            case JobReady(state="waiting"):
                unmet = [each for each in self._ends(event.job) if (each[0], each[2]) not in MET_ENDS]
                assert unmet, f"{event} has nothing to wait for"
            case JobRetried():
                self.retried.add(event.job)
            case JobCancelled():
                self.cancelled.add(event.job)
            case _:
                pass

    def _check_order(self, event: AttemptLaunched, job: Job) -> None:
        """No job is launched before what it needs has ended so, unless its cluster has all that, and waits for it."""
        if not event.after:
            assert isinstance(job.state, Ready), f"{event} happened to {job}"
            return
        assert isinstance(job.state, Waiting), f"{event} happened to {job}"
        assert not job.policy.limits, f"{event} holds a limit while it waits"
        for kind, needed, end in self._ends(event.job):
            token = f"{self.base.home}.{needed}.{self.fold.jobs[needed].attempt}"
            if (kind, end) in MET_ENDS:
                assert token not in event.after, f"{event} waits for what has ended"
                continue
            assert end == "live", f"{event} waits for ever"
            assert event.after[token] in {kind.key, "after"}, f"{event} does not wait as it should"
            there = [
                batch
                for batch, member, attempt in self.homes
                if (member, attempt) == (needed, self.fold.jobs[needed].attempt)
            ]
            assert [type(self.fold.batches[batch].state) for batch in there] == [SubmittedBatch], (
                f"{event} is too early"
            )
            assert self.fold.batches[there[0]].target == event.target

    def _ends(self, job: int) -> list[tuple[Kind, int, str]]:
        """What a job depends on as the log has it so far: how, on which, and how that ended."""
        jobs = self.fold.jobs
        return [
            (
                each.kind,
                each.needed,
                name_of(jobs[each.needed].state) if isinstance(jobs[each.needed].state, FINAL) else "live",
            )
            for each in self.base.dependencies(job)
        ]

    def _check_rate(self, key: str) -> None:
        """P3: no window up to the newest grant holds more of them than its length allows."""
        spec, times = self.limits[limit_of(key)], self.grants[key]
        assert spec.interval_us is not None
        for count, start in enumerate(reversed(times), 1):
            assert count <= spec.burst + (times[-1] - start) // spec.interval_us, f"{key} was granted too often"

    def _check_use(self, draft: Draft, table: LimitTable) -> None:
        """P3: what is in flight is counted, in the draft as in the base, and never passes a bound."""
        held: Counter[str] = Counter()
        for name, spec in self.targets.items():
            jobs = [job for job in self.base.records.jobs.values() if job.policy.target == name]
            flying = [job for job in jobs if isinstance(job.state, IN_FLIGHT)]
            used: Counter[str] = Counter()
            for job in flying:
                used.update(dict(job.policy.needs))
                held.update(job.policy.limits)
            assert draft.used(name) == self.base.used(name) == dict(used)
            # What a cluster was given no amount of, it counts itself.
            counted = spec.capacity if spec.slurm is not None else used
            assert all(used[need] <= spec.capacity[need] for need in counted)
            assert spec.slurm is None or len(flying) <= spec.slurm.max_queued
        for key, count in held.items():
            most = self.limits[limit_of(key)].concurrent
            assert most is None or count <= most, f"{key} is held too often"
            assert table.held(key) >= count, f"{key} is held and not counted"

    def _check_batched(self, event: AttemptBatched) -> None:
        """P2: no attempt is in two batches, and it is in its batch before that is submitted."""
        attempt, batch = self.fold.attempts[event.job, event.attempt], self.fold.batches[event.batch]
        assert attempt.target == batch.target
        assert isinstance(batch.state, PlannedBatch), f"{event} came when its batch was {batch.state}"
        assert tuple(sorted(attempt.after)) == batch.after, f"{event} has others wait for what it does not"
        assert (event.index is None) is (batch.size == 1)
        assert (event.job, event.attempt) not in self.batched, f"{event} came twice"
        assert (event.batch, event.index) not in self.places, f"{event} has another's place"
        self.batched.add((event.job, event.attempt))
        self.places.add((event.batch, event.index))
        self.homes.append((event.batch, event.job, event.attempt))

    def _check_dependencies(self, job: Job) -> None:
        if isinstance(job.state, Waiting | Held):
            draft = Draft(self.base, 0, Random(0), "")
            unmet = [each for each in self._dependencies(job) if each not in MET_ENDS]
            assert draft.unmet_count(job.id) == draft.recount(job.id) == len(unmet), f"{job} counts {unmet} wrongly"
            if isinstance(job.state, Waiting):
                assert unmet, f"{job} waits for nothing"
                assert all(end == "live" for _, end in unmet), f"{job} waits for ever: {unmet}"
        elif isinstance(job.state, Skipped):
            self._check_skip(job, job.state)

    def _check_skip(self, job: Job, state: Skipped) -> None:
        ends = [
            (each.kind, self._end(each.needed))
            for each in self.base.dependencies(job.id)
            if each.needed == state.because
        ]
        assert any(each not in MET_ENDS and each[1] != "live" for each in ends), f"{job} was skipped for no reason"

    def _dependencies(self, job: Job) -> list[tuple[Kind, str]]:
        """Each dependency's kind, and how it ended: `live` if it has not."""
        return [(each.kind, self._end(each.needed)) for each in self.base.dependencies(job.id)]

    def _end(self, job: int) -> str:
        state = self.base.records.jobs[job].state
        return name_of(state) if isinstance(state, FINAL) else "live"

    def check_end(self) -> None:
        """Everything has ended, and each job as the ends of what it depends on imply."""
        for job in self.base.records.jobs.values():
            assert isinstance(job.state, FINAL), f"{job} is stuck"
            self._check_final(job, job.state)
        again = Fold()
        for time, event in self.base.log:
            again.take(event, time)
        assert again.tables() == self.base.records.tables()
        for name in self.targets:
            assert not self.base.used(name)
        for batch in self.base.records.batches.values():
            assert isinstance(batch.state, ClosedBatch), f"{batch} is stuck"

    def _check_final(self, job: Job, state: FinalState) -> None:
        touched = {job.id, *(each.needed for each in self.base.dependencies(job.id))} & self.retried
        met = all(each in MET_ENDS for each in self._dependencies(job))
        if isinstance(state, Skipped):
            assert not met, f"{job} was skipped, though it could run"
        elif job.id in self.cancelled and name_of(state) == "cancelled":
            pass
        elif not touched:
            assert met or self._never_began(job), f"{job} ran, though it should not"
            assert job.attempt > 0, f"{job} never ran"

    def _never_began(self, job: Job) -> bool:
        """Whether its cluster ended it for reasons of its own, while it waited there for others."""
        attempt = self.base.records.attempts[job.id, job.attempt]
        return bool(attempt.after) and isinstance(attempt.phase, Ended) and attempt.phase.outcome.started_at is None


MET_ENDS: Final = {(kind, end) for kind, ends in MET.items() for end in ends}
