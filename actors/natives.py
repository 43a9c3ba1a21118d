"""Which waiting jobs go to their cluster's queue behind what they wait for, where it is given dependencies.

A job comes up when something that it waits for is in the cluster's queue under an id that is known, and is judged by
the records then (`events.native`). What can't go waits as any other job: nothing is lost but that it goes by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

from holdfast.events import facts
from holdfast.events.capacity import counted, fits
from holdfast.events.draft import Draft
from holdfast.events.launches import launch
from holdfast.events.native import behind, has_files, keeps_dependencies, was_refused
from holdfast.events.records import Job, Launched, SubmittedBatch, Target
from holdfast.events.states import IN_FLIGHT, Waiting

from .live import Live

LOOKS: Final = 500
"""How many are looked at in one turn."""
GROUPS_MAX: Final = 200
"""What waits for the same goes to the queue as one batch; of more different things it is not to wait for at once, as
each takes a call of its own, where jobs that wait here go by the thousand."""


class Natives:
    """The scheduler's part that follows what is in the queues of such clusters. It knows what is committed alone."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._there: dict[int, int] = {}
        """The jobs whose attempt of this number is in a queue, under an id that is known."""
        self._members: dict[str, set[tuple[int, int]]] = {}
        self._behind: dict[int, int] = {}
        """What the jobs that wait in a queue wait for there; a hash, as it may be long."""
        self._groups: Counter[int] = Counter()
        self._candidates: dict[str, dict[int, bool]] = {}
        """By target: jobs to look at, and whether they may go only behind others than before."""
        self._looked_at: list[tuple[str, int, bool]] = []
        self.fresh = False
        """Whether there is anything new to look at."""

    @property
    def targets(self) -> Iterable[str]:
        """The names of these clusters."""
        return self._candidates

    def restore(self) -> None:
        """Begin from what the log says."""
        for target in self._live.targets():
            self._follow(target)
        for job in (job for name in self._candidates for job in self._live.in_flight(name)):
            attempt = self._live.attempt((job.id, job.attempt))
            if attempt is not None and attempt.after and isinstance(attempt.phase, Launched):
                self._wait(job.id, attempt.after)

    def plan(self, draft: Draft, target: Target, room: int) -> None:
        """Record launches of what may go to the cluster's queue now; `room`: how many attempts more may be there."""
        candidates = self._candidates[target.name]
        if target.paused or room <= 0 or not candidates:
            return
        looks = list(islice(candidates.items(), LOOKS))
        groups = set(self._groups)
        for number, elsewhere in looks:
            job = draft.jobs.get(number)
            after = None if job is None else behind(draft, job, self._is_there)
            if job is not None and after is not None and not (elsewhere and was_refused(draft, job, after)):
                needs = counted(job.policy.needs, target.capacity)
                if room <= 0 or not fits(draft.used(target.name), needs, target.capacity):
                    return  # it goes when there is room, and before others
                group = _group_of(after)
                if (group in groups or len(groups) < GROUPS_MAX) and not self._has_files(job, after):
                    groups.add(group)
                    launch(draft, job, after=after)
                    room -= 1
            del candidates[number]
            self._looked_at.append((target.name, number, elsewhere))
        self.fresh = self.fresh or bool(candidates)

    def undo(self) -> None:
        """The commit was refused: they are to be looked at again."""
        for target, number, elsewhere in self._looked_at:
            if target in self._candidates:
                self._candidates[target][number] = elsewhere
        self._looked_at.clear()
        self.fresh = True

    def settle(self, draft: Draft) -> None:
        """After the commit: what is in the queues now, and who may come up behind it."""
        self._looked_at.clear()
        for target in draft.targets.changed:
            found = self._live.target(target)
            if found is not None:
                self._follow(found)
        if not self._candidates:
            return
        for entry in draft.entries:
            match entry.event:
                case facts.JobSubmitted(job=job, state="waiting", spec=spec):
                    if any(each in self._there for each in (*spec.after, *spec.after_any)):
                        self._want(job)
                case facts.JobReleased(job=job) | facts.JobRetried(job=job):
                    self._want(job)
                case facts.AttemptBatched(job=job, attempt=attempt, batch=batch) if batch in self._members:
                    self._members[batch].add((job, attempt))
                case facts.BatchPlanned(target=target, batch=batch) if target in self._candidates:
                    # Its members are recorded after it.
                    self._members[batch] = set()
                case facts.BatchSubmitted(batch=batch):
                    self._arrive(sorted(self._members.get(batch, ())))
                case facts.BatchClosed(batch=batch):
                    self._members.pop(batch, None)
                case facts.AttemptReached(job=job) if job in self._there:
                    self._want_dependents(job)
                case facts.AttemptLaunched(job=job, after=after) if after:
                    self._wait(job, after)
                case facts.AttemptStarted(job=job):
                    self._wait_no_longer(job)
                case facts.AttemptEnded(job=job):
                    self._there.pop(job, None)
                    self._wait_no_longer(job)
                case facts.AttemptRevoked(job=job, state=state):
                    self._there.pop(job, None)
                    self._wait_no_longer(job)
                    if state == "waiting":
                        self._want(job, elsewhere=True)
                case _:
                    pass

    def _follow(self, target: Target) -> None:
        """A target is as it is now: look at all that may come up there."""
        if not keeps_dependencies(target):
            self._candidates.pop(target.name, None)
            return
        self._candidates.setdefault(target.name, {})
        arrived: list[tuple[int, int]] = []
        for where, batch in self._live.batched(target.name):
            self._members.setdefault(batch.name, set()).add((where.job, where.attempt))
            if isinstance(batch.state, SubmittedBatch):
                arrived.append((where.job, where.attempt))
        self._arrive(arrived)

    def _wait(self, job: int, after: Iterable[str]) -> None:
        group = self._behind[job] = _group_of(after)
        self._groups[group] += 1

    def _wait_no_longer(self, job: int) -> None:
        group = self._behind.pop(job, None)
        if group is not None:
            self._groups[group] -= 1
            if not self._groups[group]:
                del self._groups[group]

    def _arrive(self, members: Iterable[tuple[int, int]]) -> None:
        for number, attempt in members:
            job = self._live.jobs.get(number)
            if job is not None and job.attempt == attempt and isinstance(job.state, IN_FLIGHT):
                self._there[number] = attempt
                self._want_dependents(number)

    def _want_dependents(self, needed: int) -> None:
        for dependency in self._live.dependents(needed):
            self._want(dependency.job)

    def _want(self, number: int, *, elsewhere: bool = False) -> None:
        job = self._live.jobs.get(number)
        if job is None or not isinstance(job.state, Waiting):
            return
        candidates = self._candidates.get(job.policy.target)
        if candidates is not None:
            candidates[number] = elsewhere and candidates.get(number, True)
            self.fresh = True

    def _is_there(self, job: Job) -> bool:
        return self._there.get(job.id) == job.attempt

    def _has_files(self, job: Job, after: Iterable[str]) -> bool:
        needed = [int(token.split(".")[1]) for token in after]
        specs = self._live.specs([job.id, *needed])
        return has_files(specs[job.id], [specs[each] for each in needed])


def _group_of(after: Iterable[str]) -> int:
    return hash(frozenset(after))
