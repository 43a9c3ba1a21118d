"""When a scheduler has jobs wait in their cluster's queue behind others, as turns go by."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import pytest

from holdfast.actors.live import Live
from holdfast.actors.natives import GROUPS_MAX, LOOKS, Natives
from holdfast.events.decide import decide, wake
from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptBatched, AttemptLaunched, BatchClosed, BatchPlanned, BatchSubmitted
from holdfast.events.launches import MANY, launch
from holdfast.events.messages import (
    AttemptStatus,
    Command,
    Configure,
    Hold,
    Pause,
    Release,
    Reported,
    Resume,
    Retry,
    Submit,
    Unreachable,
)
from holdfast.events.outcomes import decide_report, record_batches
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, SlurmSpec, TargetSpec
from holdfast.events.staging import InputFile, OutputFile
from holdfast.events.states import name_of
from holdfast.store.memory import MemoryStore

NATIVE = SlurmSpec(native_dependencies=True)
OURS = SlurmSpec()


def there(*after: str | int, **fields: object) -> JobSpec:
    """A job of the cluster's that comes after these."""
    return msgspec.convert({"run": ("true",), "target": "cluster", "cwd": ".", "after": after, **fields}, JobSpec)


class Turns:
    """A scheduler's memory and what follows its clusters' queues; each call is a turn."""

    def __init__(self, slurm: SlurmSpec = NATIVE, capacity: dict[str, int] | None = None) -> None:
        self.store = MemoryStore("home", 1)
        self.live = Live(self.store.base)
        self.natives = Natives(self.live)
        self.target = TargetSpec(capacity or {}, slurm=slurm)
        self.random = Random(1)
        self.room = MANY

    def draft(self) -> Draft:
        return Draft(self.live, 1_000_000_000, self.random, "scheduler")

    def turn(self, draft: Draft | None = None, *, in_vain: bool = False) -> list[int]:
        """Plan in a draft and commit it; the jobs that were launched to wait."""
        draft = draft or self.draft()
        self.natives.fresh = False
        before = len(draft.entries)
        for name in self.natives.targets:
            target = draft.targets.get(name)
            assert target is not None
            self.natives.plan(draft, target, self.room)
        launched = [entry.event for entry in draft.entries[before:]]
        assert all(isinstance(event, AttemptLaunched) and event.after for event in launched)
        if in_vain:
            self.natives.undo()
            return []
        self.commit(draft)
        return [event.job for event in launched if isinstance(event, AttemptLaunched)]

    def commit(self, draft: Draft) -> None:
        if draft.entries:
            self.store.commit([draft])
            self.live.apply(draft)
        self.natives.settle(draft)

    def turns(self, draft: Draft | None = None) -> list[int]:
        """As many turns as there is anything new to look at."""
        launched = self.turn(draft)
        while self.natives.fresh:
            launched += self.turn()
        return launched

    def do(self, command: Command) -> list[int]:
        draft = self.draft()
        decide(draft, command)
        return self.turns(draft)

    def submit(self, *jobs: JobSpec) -> list[int]:
        return self.do(Submit(FlowSpec(jobs, targets={"cluster": self.target})))

    def start(self, *jobs: int) -> list[int]:
        """Ready jobs are launched, and go to the queue, each as a batch of its own."""
        self.commit(self.launched(*jobs))
        return [each for job in jobs for each in self.arrive(job)]

    def launched(self, *jobs: int) -> Draft:
        draft = self.draft()
        for job in jobs:
            launch(draft, draft.known_job(job))
        return draft

    def arrive(self, *jobs: int) -> list[int]:
        """What was launched goes to the queue, as one batch."""
        plan, submit = self.batched(*jobs)
        assert self.turns(plan()) == []
        return self.turns(submit())

    def batched(self, *jobs: int) -> tuple[Callable[[], Draft], Callable[[], Draft]]:
        """The drafts of a batch that is planned, and of its being taken."""
        attempts = [(job, self.live.jobs[job].attempt) for job in jobs]
        name = f"home.{attempts[0][0]}.{attempts[0][1]}"

        def plan() -> Draft:
            draft = self.draft()
            members = [AttemptBatched(*each, name, place) for place, each in enumerate(attempts)]
            record_batches(draft, "cluster", [BatchPlanned("cluster", name, len(jobs), "", "00")], members)
            return draft

        def submit() -> Draft:
            draft = self.draft()
            record_batches(draft, "cluster", [BatchSubmitted("cluster", name, "25")], ())
            return draft

        return plan, submit

    def says(self, job: int, state: str, exit_code: int | None = None) -> list[int]:
        draft = self.draft()
        token = f"home.{job}.{self.live.jobs[job].attempt}"
        status = AttemptStatus(token, state, ended_at=5, how="exited", exit_code=exit_code, started_at=4)
        decide_report(draft, Reported("cluster", (status,)))
        return self.turns(draft)

    def states(self, *jobs: int) -> list[str]:
        found = [self.live.job(job) for job in jobs]
        return [name_of(job.state) for job in found if job is not None]


def test_a_chain_goes_to_the_queue_one_by_one_as_ids_are_known() -> None:
    turns = Turns()
    chain = there(name="a"), there("a", name="b"), there("b", name="c")
    assert turns.submit(*chain) == []
    assert turns.start(1) == [2]
    assert turns.arrive(2) == [3]
    assert turns.arrive(3) == []


def test_dependencies_stay_here_unless_the_target_is_to_have_them() -> None:
    turns = Turns(OURS)
    turns.submit(there(name="a"), there("a"))
    assert turns.start(1) == []
    assert turns.do(Configure({"cluster": {}}, slurm={"cluster": NATIVE})) == [2]


def test_a_target_that_is_to_have_them_no_longer_gets_no_more() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.do(Configure({"cluster": {}}, slurm={"cluster": OURS}))
    assert turns.start(1) == []


def test_what_is_submitted_later_goes_behind_what_is_there_already() -> None:
    turns = Turns()
    turns.submit(there())
    turns.start(1)
    assert turns.submit(there(1), there(1, name="x"), there("x")) == [2, 3]
    assert turns.arrive(2, 3) == [4]


def test_one_that_waits_for_several_goes_when_the_last_of_them_is_there() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there(name="b"), there("a", "b"))
    assert turns.start(1) == []
    assert turns.start(2) == [3]


def test_a_supervisor_that_starts_anew_goes_on_where_the_last_one_was() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a", name="b"), there("b", hold=True), there("b"))
    assert turns.start(1) == [2]
    turns.room = 0
    assert turns.arrive(2) == []
    turns.live = Live(turns.store.base)
    turns.natives = Natives(turns.live)
    turns.natives.restore()
    turns.room = MANY
    assert turns.natives.fresh
    assert turns.turns() == [4]
    assert turns.do(Release((3,))) == [3]


@pytest.mark.parametrize("fields", [{"inputs": (InputFile("/a", "a"),)}, {"limits": ("seat",)}, {"hold": True}])
def test_what_has_something_else_to_wait_for_waits_here(fields: dict[str, object]) -> None:
    turns = Turns()
    flow = FlowSpec(
        (there(name="a"), there("a", **fields)), targets={"cluster": turns.target}, limits={"seat": LimitSpec(1)}
    )
    turns.do(Submit(flow))
    assert turns.start(1) == []


def test_what_waits_for_files_to_come_back_waits_here() -> None:
    turns = Turns()
    turns.submit(there(name="a", outputs=(OutputFile("a", "/a"),)), there("a"))
    assert turns.start(1) == []


def test_the_queue_takes_no_more_than_it_may_have_and_the_rest_goes_when_there_is_room() -> None:
    turns = Turns()
    turns.submit(there(name="a"), *(there("a") for _ in range(4)))
    turns.room = 3
    assert turns.start(1) == [2, 3, 4]
    assert turns.turns() == [5]


def test_what_is_counted_here_counts_while_it_waits_there() -> None:
    turns = Turns(capacity={"memory": 4})
    turns.submit(there(name="a", needs={"memory": 1}), *(there("a", needs={"memory": 2}) for _ in range(2)))
    assert turns.start(1) == [2]
    assert turns.says(1, "ended", 0) == []
    assert turns.states(2, 3) == ["launching", "ready"]


def test_a_paused_target_gets_nothing_and_all_of_it_when_it_is_resumed() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.do(Pause("cluster"))
    assert turns.start(1) == []
    assert turns.do(Resume("cluster")) == [2]


def test_a_commit_that_is_refused_is_made_up_for() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.commit(turns.launched(1))
    for draft in turns.batched(1):
        turns.commit(draft())
    assert turns.turn(in_vain=True) == []
    assert turns.natives.fresh
    assert turns.turns() == [2]


def test_one_that_is_taken_out_comes_again_behind_the_next_try_and_not_before() -> None:
    turns = Turns()
    turns.submit(there(name="a", retries=1, retry_delay_us=0), there("a"))
    assert turns.start(1) == [2]
    turns.arrive(2)
    assert turns.says(2, "revoked") == []
    assert turns.says(1, "ended", 1) == []
    draft = turns.draft()
    wake(draft, 1)
    turns.commit(draft)
    assert turns.start(1) == [2]
    assert turns.live.jobs[2].attempt == 2


def test_one_that_is_taken_out_after_the_next_try_went_to_the_queue_goes_behind_that_at_once() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.start(1)
    turns.arrive(2)
    turns.says(1, "ended", 1)
    turns.do(Retry((1,)))
    assert turns.start(1) == []
    assert turns.says(2, "revoked") == [2]


def test_what_was_out_of_sight_and_is_seen_again_is_followed() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.room = 0
    turns.start(1)
    draft = turns.draft()
    decide_report(draft, Unreachable("cluster", "no answer"))
    turns.turns(draft)
    turns.room = MANY
    assert turns.turns() == []
    assert turns.says(1, "queued") == [2]


def test_a_held_one_waits_and_goes_when_it_is_released() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.do(Hold((2,)))
    assert turns.start(1) == []
    assert turns.do(Release((2,))) == [2]


def test_many_are_looked_at_some_at_a_time() -> None:
    turns = Turns()
    turns.submit(there(name="a"), *(there("a") for _ in range(LOOKS + 10)))
    turns.commit(turns.launched(1))
    for draft in turns.batched(1):
        turns.commit(draft())
    assert len(turns.turn()) == LOOKS
    assert turns.natives.fresh
    assert len(turns.turn()) == 10
    assert not turns.natives.fresh


def test_an_array_of_which_each_task_has_another_behind_it_does_not_become_a_thousand_calls() -> None:
    turns, count = Turns(), GROUPS_MAX + 5
    names = [f"a{number}" for number in range(count)]
    turns.submit(*(there(name=name) for name in names), *(there(name) for name in names), there(names[0]))
    turns.commit(turns.launched(*range(1, count + 1)))
    behind = turns.arrive(*range(1, count + 1))
    assert behind == [count + 1, 2 * count + 1, *range(count + 2, count + GROUPS_MAX + 1)]
    # What is over makes room for others, also for a supervisor that starts anew.
    turns.says(count + 2, "revoked")
    turns.live = Live(turns.store.base)
    turns.natives = Natives(turns.live)
    turns.natives.restore()
    assert turns.turns() == [count + 2]
    assert turns.turns() == []


def test_nothing_is_kept_of_what_is_over() -> None:
    turns = Turns()
    turns.submit(there(name="a"), there("a"))
    turns.start(1)
    turns.arrive(2)
    for job in (1, 2):
        turns.says(job, "ended", 0)
        draft = turns.draft()
        record_batches(draft, "cluster", [BatchClosed("cluster", f"home.{job}.1", "all have ended")], ())
        turns.turns(draft)
    assert vars(turns.natives) == {**vars(Natives(turns.live)), "_candidates": {"cluster": {}}}
