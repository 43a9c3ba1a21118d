"""A cluster beside the world's runner: what is launched there goes through batches, and answers get lost on the way.

What is in the cluster's hands, and what its adapter can know of that, are two things here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from msgspec.structs import replace

from holdfast.events.draft import Draft
from holdfast.events.facts import (
    AttemptBatched,
    BatchAbsent,
    BatchClosed,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
)
from holdfast.events.messages import AttemptStatus, Report, Reported, Unreachable
from holdfast.events.outcomes import record_batches
from holdfast.events.records import Batch, Job, PlannedBatch, SubmittedBatch, UnclearBatch
from holdfast.events.spec import SlurmSpec, TargetSpec

from .fake_runner import FakeRunner
from .home import Home

CLUSTER: Final = "cluster"
SPEC: Final = TargetSpec({"memory": 12}, slurm=SlurmSpec(max_queued=4, native_dependencies=True))
_ENDS: Final[tuple[tuple[str, int | None, str], ...]] = (
    ("exited", 0, "COMPLETED"),
    ("exited", 0, "COMPLETED"),
    ("exited", 0, "COMPLETED"),
    ("exited", 3, "FAILED"),
    ("timeout", None, "TIMEOUT"),
    ("killed", None, "OUT_OF_MEMORY"),
    ("stopped", None, "CANCELLED"),
    ("lost", None, "NODE_FAIL"),
)


class FakeCluster(FakeRunner):
    """Attempts as a cluster has them: without processes, and none before its batch is there."""

    def __init__(self) -> None:
        super().__init__()
        self.there: set[str] = set()
        """Batches that the cluster has, whatever anybody knows of it."""
        self.members: dict[str, list[str]] = {}
        self.unplanned: list[str] = []
        self.after: dict[str, dict[str, str]] = {}
        """What each attempt is to wait for here."""
        self.over: dict[str, bool] = {}
        """Those that have ended, and whether well, whoever has heard of it."""

    def queue(self, token: str, after: dict[str, str] | None = None) -> None:
        """Take a launch, for a batch to come."""
        super().queue(token)
        self.unplanned.append(token)
        self.after[token] = after or {}

    def start(self, token: str, now: int) -> None:
        """Start an attempt; a second copy of it would not get past this."""
        super().start(token, now)
        for needed, kind in self.after[token].items():
            assert self.over[needed] or kind == "after_any", f"{token} started before {needed} had ended well"
        self.attempts[token] = AttemptStatus(token, "running", started_at=now)

    def end(self, token: str, now: int, random: Random) -> None:
        """End an attempt in one of the ways that a cluster has."""
        status = self.attempts[token]
        self.over[token] = False
        if status.state == "queued":
            how, word = random.choice((("stopped", "CANCELLED"), ("killed", "PREEMPTED"), ("not_started", "BOOT_FAIL")))
            error = f"the cluster says {word}"
            self.attempts[token] = replace(status, state="ended", how=how, ended_at=now, error=error, word=word)
        elif status.state == "running":
            how, exit_code, word = random.choice(_ENDS)
            self.attempts[token] = replace(
                status, state="ended", how=how, exit_code=exit_code, ended_at=now, word=word, nodes="n1", queued_us=7
            )
            self.over[token] = exit_code == 0

    def ready(self) -> list[str]:
        """The attempts that are queued in the cluster itself, and wait there for nothing else."""
        queued = set(self.tokens("queued"))
        there = [token for batch in sorted(self.there) for token in self.members[batch] if token in queued]
        return [token for token in there if all(self._is_met(*each) for each in self.after[token].items())]

    def _is_met(self, needed: str, kind: str) -> bool:
        return needed in self.over and (self.over[needed] or kind == "after_any")

    def take_out(self) -> None:
        """Nothing waits here for what did not end so."""
        for token in self.tokens("queued"):
            if any(kind == "after" and self.over.get(needed) is False for needed, kind in self.after[token].items()):
                self.take_back(token)

    def take_back(self, token: str) -> None:
        """It never starts here."""
        self.over[token] = False
        self.attempts[token] = AttemptStatus(token, "revoked", error="it would not wait for what it depends on")

    def give_up(self, batch: str, now: int) -> None:
        """Nothing of this batch will ever start, which is certain: it is not there."""
        for token in self.members[batch]:
            if token in self.attempts:
                self.over[token] = False
                self.attempts[token] = AttemptStatus(token, "ended", how="not_started", ended_at=now, error="refused")


class ClusterSide:
    """The cluster and its adapter, driven by calls, each of which is one tick at most."""

    def __init__(
        self, home: Home, random: Random, report: Callable[[Report], None], commit: Callable[[Draft], None]
    ) -> None:
        """`report` and `commit` are the world's."""
        self.home = home
        self.random = random
        self.cluster = FakeCluster()
        self._report = report
        self._commit = commit
        self._number = 0

    def plan(self, *, in_vain: bool = False) -> None:
        """Put some of what was launched into a batch; what is over by now does not come along."""
        self._take_back_alone()
        tokens = self.cluster.unplanned[: self.random.randint(1, 3)]
        tokens = [each for each in tokens if self.cluster.after[each] == self.cluster.after[tokens[0]]]
        if not tokens:
            return
        after = tuple(sorted(self.cluster.after[tokens[0]]))
        draft, name = self.home.draft(), tokens[0]
        numbers = [tuple(map(int, token.split(".")[1:])) for token in tokens]
        is_array = len(tokens) > 1
        members = [
            AttemptBatched(job, attempt, name, index if is_array else None)
            for index, (job, attempt) in enumerate(numbers)
        ]
        planned = BatchPlanned(CLUSTER, name, len(tokens), "", "00", after)
        left_out = record_batches(draft, CLUSTER, (planned,), members).over
        if in_vain:
            return
        self._commit(draft)
        self.cluster.unplanned = [each for each in self.cluster.unplanned if each not in tokens]
        self.cluster.members[name] = [
            token for token, each in zip(tokens, members, strict=True) if (each.job, each.attempt) not in left_out
        ]

    def send(self) -> None:
        """Give a batch to the cluster; its answer is yes, no, not now, or lost, with or without the batch."""
        batch = self._some(PlannedBatch)
        if batch is None:
            return
        if not self._are_there(batch.after):
            for token in self.cluster.members[batch.name]:
                if token in self.cluster.tokens("queued"):
                    self.cluster.take_back(token)
            self._record(BatchClosed(CLUSTER, batch.name, "what it was to wait for is not there any more"))
            return
        match self.random.choice(
            ("taken", "taken", "taken", "taken", "answer lost", "batch lost", "not now", "refused")
        ):
            case "taken":
                self.cluster.there.add(batch.name)
                self._record(self._submitted(batch.name, found=False))
            case "answer lost":
                self.cluster.there.add(batch.name)
                self._lose_sight(batch.name)
            case "batch lost":
                self._lose_sight(batch.name)
            case "not now":
                self._record(BatchWaits(CLUSTER, batch.name, "the queue is full"))
            case _:
                self._record(BatchClosed(CLUSTER, batch.name, "refused"))
                self.cluster.give_up(batch.name, self.home.now)

    def look_up(self, *, surely: bool = False) -> None:
        """Ask for a batch that is out of sight; `surely`: it is answered."""
        batch = self._some(UnclearBatch)
        if batch is None:
            return
        if not surely and self.random.random() < 0.3:
            self._record(BatchUnclear(CLUSTER, batch.name, "still no answer"))
        elif batch.name in self.cluster.there:
            self._record(self._submitted(batch.name, found=True))
        else:
            self._record(BatchAbsent(CLUSTER, batch.name, "asked twice"))

    def wait(self) -> None:
        """A batch waits for something else by now."""
        batch = self._some(SubmittedBatch)
        if batch is not None:
            self._record(BatchWaits(CLUSTER, batch.name, self.random.choice(("Priority", "Resources"))))

    def close(self) -> None:
        """Close a batch of which nothing is to be expected any more."""
        for batch in self._all(SubmittedBatch):
            if not any(token in self.cluster.attempts for token in self.cluster.members[batch.name]):
                self._record(BatchClosed(CLUSTER, batch.name, "all have ended"))
                return

    def start_one(self) -> None:
        """An attempt starts, which nobody is told of yet."""
        ready = self.cluster.ready()
        if ready:
            self.cluster.start(self.random.choice(ready), self.home.now)

    def end_one(self) -> None:
        """An attempt ends, which nobody is told of yet, or is given up before it was in any batch."""
        unplanned = [token for token in self.cluster.unplanned if token in self.cluster.attempts]
        alive = self.cluster.ready() + self.cluster.tokens("running") + unplanned
        if alive:
            self.cluster.end(self.random.choice(alive), self.home.now, self.random)

    def report(self, *, all_of_it: bool = False) -> None:
        """The adapter tells some of what it knows; of attempts in a batch out of sight, only that."""
        tokens = [token for token in self.cluster.attempts if all_of_it or self.random.random() < 0.7]
        unseen = {token for batch in self._all(UnclearBatch) for token in self.cluster.members[batch.name]}
        unclear = [AttemptStatus(token, "unclear", error="no answer") for token in tokens if token in unseen]
        seen = self.cluster.say([token for token in tokens if token not in unseen])
        self._report(Reported(CLUSTER, (*seen, *unclear)))

    def disconnect(self) -> None:
        """The cluster does not answer."""
        self._report(Unreachable(CLUSTER, "no answer"))

    def go_on(self) -> None:
        """Let everything that is there run to its end, and be seen."""
        while self.cluster.unplanned:
            self.plan()
        while self._all(PlannedBatch) or self._all(UnclearBatch):
            self.send()
            self.look_up(surely=True)
        while self.cluster.ready() or self.cluster.tokens("running"):
            self.start_one()
            self.end_one()
            self.cluster.take_out()
        self.report(all_of_it=True)
        for _ in self._all(SubmittedBatch):
            self.close()

    def is_there(self, job: Job) -> bool:
        """Whether the cluster has its newest attempt, under an id that is in the log."""
        token = f"{self.home.base.home}.{job.id}.{job.attempt}"
        return any(token in self.cluster.members[batch.name] for batch in self._all(SubmittedBatch))

    def _are_there(self, after: Iterable[str]) -> bool:
        """Whether the adapter saw all of these a moment ago, as far as it can know; sometimes it can't."""
        there = {token for batch in self._all(SubmittedBatch) for token in self.cluster.members[batch.name]}
        alive = there & {*self.cluster.tokens("queued"), *self.cluster.tokens("running")}
        return alive.issuperset(after) and (not after or self.random.random() < 0.9)

    def _take_back_alone(self) -> None:
        for token in list(self.cluster.unplanned):
            if token in self.cluster.tokens("queued") and not self._are_there(self.cluster.after[token]):
                self.cluster.unplanned.remove(token)
                self.cluster.take_back(token)

    def _lose_sight(self, name: str) -> None:
        self._record(BatchUnclear(CLUSTER, name, "Socket timed out"))

    def _submitted(self, name: str, *, found: bool) -> BatchSubmitted:
        self._number += 1
        return BatchSubmitted(CLUSTER, name, str(self._number), found)

    def _record(self, event: BatchEvent) -> None:
        draft = self.home.draft()
        record_batches(draft, CLUSTER, (event,), ())
        self._commit(draft)

    def _all(self, state: type[PlannedBatch | UnclearBatch | SubmittedBatch]) -> list[Batch]:
        return [batch for batch in self.home.base.records.batches.values() if isinstance(batch.state, state)]

    def _some(self, state: type[PlannedBatch | UnclearBatch | SubmittedBatch]) -> Batch | None:
        there = self._all(state)
        return self.random.choice(there) if there else None
