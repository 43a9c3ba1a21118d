"""When a scheduler asks clusters for allocations and gives them back, as turns go by."""

from __future__ import annotations

from collections import Counter
from random import Random

from msgspec.structs import replace

from holdfast.actors.live import Live
from holdfast.actors.pilots import AGAIN_BASE_US, AGAIN_CAP_US, Pilots
from holdfast.events import facts
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.launches import launch
from holdfast.events.messages import Attached, AttemptStatus, Pause, Reported, Submit
from holdfast.events.outcomes import decide_report
from holdfast.events.pilots import GROW_US
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Target
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, TargetSpec
from holdfast.store.memory import MemoryStore

S = 1_000_000
SPEC = PilotSpec(max=3, cpus=2, idle_us=60 * S)
CLUSTER = TargetSpec({}, slurm=SlurmSpec(pilot=SPEC))


class Turns:
    """A scheduler's memory and its pilots; each call is a turn, after which the clock stands at `now`."""

    def __init__(self) -> None:
        self.store = MemoryStore("home", 1)
        self.live = Live(self.store.base)
        self.pilots = Pilots(self.live)
        self.queue = ReadyQueue()
        self.now = 1_000 * S
        self.random = Random(1)

    def turn(self, draft: Draft | None = None, *, at: str = "", start: int = 0) -> list[str]:
        """Plan in a draft and commit it; `start` of the ready jobs are launched at `at`. Returns what was decided."""
        draft = draft or self.draft()
        for each in draft.ready:
            self.queue.push(each)
        for _ in range(start):
            job = self.queue.pop(draft.jobs.get)
            assert job is not None
            launch(draft, job, place=at)
        self.pilots.note_ends(draft)
        cluster = draft.targets.get("cluster")
        assert cluster is not None
        before = len(draft.entries)
        self.pilots.plan(draft, cluster, SPEC, self.queue, Counter({at: start}))
        decided = [type(entry.event).__name__ for entry in draft.entries[before:]]
        if draft.entries:
            self.store.commit([draft])
            self.live.apply(draft)
        return decided

    def draft(self) -> Draft:
        """A turn's draft."""
        return Draft(self.live, self.now, self.random, "scheduler")

    def submit(self, jobs: int) -> list[str]:
        """That many small jobs come."""
        draft = self.draft()
        decide(
            draft,
            Submit(FlowSpec((JobSpec(("true",), target="cluster", cwd="."),) * jobs, targets={"cluster": CLUSTER})),
        )
        return self.turn(draft)

    def grant(self, number: int, *, answers: bool = True) -> list[str]:
        """The cluster runs an allocation, and its runner answers."""
        draft = self.draft()
        draft.record(facts.AllocationGranted(f"cluster/{number}", "17", "n1", self.now))
        if answers:
            decide_report(draft, Attached(f"cluster/{number}", "journal", "boot", 7))
        return self.turn(draft)

    def end(self, number: int) -> list[str]:
        """The cluster has it no more."""
        draft = self.draft()
        draft.record(facts.AllocationEnded(f"cluster/{number}", "no such partition"))
        draft.record(facts.AllocationRetired(f"cluster/{number}"))
        return self.turn(draft)

    def ended(self, *jobs: int, at: str) -> list[str]:
        """Jobs end there."""
        draft = self.draft()
        statuses = [AttemptStatus(f"home.{job}.1", "ended", ended_at=5, how="exited", exit_code=0) for job in jobs]
        decide_report(draft, Reported(at, tuple(statuses)))
        return self.turn(draft)

    @property
    def names(self) -> list[str]:
        """The allocations that are not retired."""
        return [target.name for target in self.live.allocations("cluster")]

    def target(self, number: int) -> Target | None:
        """One of them."""
        return self.live.target(f"cluster/{number}")


def test_the_first_job_asks_for_one_and_then_it_is_waited_for() -> None:
    turns = Turns()
    assert turns.submit(100) == ["AllocationRequested"]
    assert turns.turn() == []
    assert turns.grant(1, answers=False) == []
    assert turns.names == ["cluster/1"]
    found = turns.target(1)
    assert found is not None
    assert found.capacity == {"cpus": 2}


def test_more_are_asked_for_once_the_first_answers_and_the_queue_is_long() -> None:
    turns = Turns()
    turns.submit(100)
    assert turns.grant(1) == ["AllocationRequested"]
    assert turns.names == ["cluster/1", "cluster/2"]


def test_a_short_queue_that_stands_for_a_while_has_one_more() -> None:
    turns = Turns()
    turns.submit(4)
    assert turns.grant(1) == []
    assert turns.turn(at="cluster/1", start=2) == []
    assert turns.pilots.wake_at == turns.now + GROW_US
    turns.now += GROW_US
    assert turns.turn() == ["AllocationRequested"]


def test_what_has_had_nothing_to_do_is_given_back_in_time() -> None:
    turns = Turns()
    turns.submit(2)
    turns.grant(1)
    turns.turn(at="cluster/1", start=2)
    turns.now += 10 * SPEC.idle_us
    assert turns.turn() == []  # it is busy
    assert turns.ended(1, at="cluster/1") == []
    turns.ended(2, at="cluster/1")
    assert turns.pilots.wake_at == turns.now + SPEC.idle_us
    turns.now += SPEC.idle_us
    assert turns.turn() == ["AllocationReleased"]
    assert turns.turn() == []


def test_a_paused_target_asks_for_nothing_and_gives_back_what_is_idle() -> None:
    turns = Turns()
    turns.submit(1)
    draft = turns.draft()
    decide(draft, Pause("cluster"))
    turns.turn(draft)
    turns.now += SPEC.idle_us
    assert turns.turn() == ["AllocationReleased"]
    turns.end(1)
    assert turns.turn() == []


def test_one_that_came_to_nothing_is_followed_by_another_only_after_a_back_off() -> None:
    turns = Turns()
    turns.submit(1)
    for number in range(1, 8):
        assert turns.end(number) == []
        wake_at = turns.pilots.wake_at
        assert wake_at is not None
        assert turns.now + AGAIN_BASE_US <= wake_at <= turns.now + AGAIN_BASE_US + AGAIN_CAP_US
        turns.now = wake_at - 1
        assert turns.turn() == []
        turns.now = wake_at
        assert turns.turn() == ["AllocationRequested"]


def test_one_whose_runner_answered_is_followed_by_another_at_once() -> None:
    turns = Turns()
    turns.submit(1)
    turns.grant(1)
    assert turns.end(1) == ["AllocationRequested"]
    assert turns.names == ["cluster/2"]


def test_numbers_are_never_given_again_also_by_the_next_scheduler() -> None:
    turns = Turns()
    turns.submit(1)
    turns.grant(1)
    turns.end(1)
    turns.grant(2)
    turns.end(2)
    again = Live(turns.store.base)
    assert [target.name for target in again.allocations("cluster")] == ["cluster/3"]
    assert again.next_allocation == 4


def test_two_clusters_that_ask_in_one_turn_get_different_numbers() -> None:
    turns = Turns()
    turns.submit(1)
    draft = turns.draft()
    other = replace(CLUSTER, slurm=SlurmSpec(workdir="/elsewhere", pilot=SPEC))
    jobs = tuple(JobSpec(("true",), target=name, cwd=".") for name in ("other", "third"))
    third = replace(CLUSTER, slurm=SlurmSpec(workdir="/third", pilot=SPEC))
    decide(draft, Submit(FlowSpec(jobs, targets={"other": other, "third": third})))
    for name in ("other", "third"):
        queue, cluster = ReadyQueue(), draft.targets.get(name)
        assert cluster is not None
        for job in draft.ready:
            if job.policy.target == name:
                queue.push(job)
        turns.pilots.plan(draft, cluster, SPEC, queue, {})
    asked = [entry.event for entry in draft.entries if isinstance(entry.event, facts.AllocationRequested)]
    assert [each.allocation for each in asked] == ["other/2", "third/3"]
