"""The ready queue, against a plain sorted list; and what old hints may do to it: nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from holdfast.events import ready
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Job, Policy
from holdfast.events.states import Ready, Running

LANES = (Policy(), Policy(needs=(("cpus", 2),)), Policy(limits=("api",)), Policy(limits=("api", "seats")))


def job(number: int, policy: Policy = LANES[0], priority: int = 0) -> Job:
    return Job(number, policy, Ready(1), priority)


class QueueBesideAList(RuleBasedStateMachine):
    """What is ready, and which lanes are parked, as plain as can be."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = ReadyQueue()
        self.records: dict[int, Job] = {}
        self.parked: dict[tuple[object, object], str] = {}

    def lane(self, found: Job) -> tuple[object, object]:
        return found.policy.needs, found.policy.limits

    def expected(self) -> Job | None:
        waiting = [each for each in self.records.values() if isinstance(each.state, Ready)]
        free = [each for each in waiting if self.lane(each) not in self.parked]
        return min(free, key=lambda each: (-each.priority, each.id), default=None)

    def take(self) -> Job | None:
        taken = self.queue.pop(self.records.get)
        assert taken == self.expected()
        return taken

    @rule(policy=st.sampled_from(LANES), priority=st.integers(-2, 2))
    def a_job_becomes_ready(self, policy: Policy, priority: int) -> None:
        number = len(self.records) + 1
        self.records[number] = job(number, policy, priority)
        self.queue.push(self.records[number])

    @rule(data=st.data(), priority=st.integers(-2, 2))
    def a_priority_is_changed(self, data: st.DataObject, priority: int) -> None:
        if self.records:
            number = data.draw(st.sampled_from(sorted(self.records)))
            before = self.records[number]
            self.records[number] = Job(number, before.policy, before.state, priority)
            if isinstance(before.state, Ready):
                self.queue.push(self.records[number])

    @rule(data=st.data())
    def a_job_leaves_without_the_queue_being_told(self, data: st.DataObject) -> None:
        if self.records:
            number = data.draw(st.sampled_from(sorted(self.records)))
            before = self.records[number]
            self.records[number] = Job(number, before.policy, Running(2), before.priority)

    @rule(data=st.data())
    def a_failed_tick_or_a_restart_pushes_what_is_there_once_more(self, data: st.DataObject) -> None:
        if self.records:
            found = self.records[data.draw(st.sampled_from(sorted(self.records)))]
            if isinstance(found.state, Ready):
                self.queue.push(found)

    @rule()
    def the_most_urgent_is_taken_and_runs(self) -> None:
        taken = self.take()
        if taken is not None:
            self.records[taken.id] = Job(taken.id, taken.policy, Running(2), taken.priority)

    @rule(key=st.sampled_from(["api", "seats"]))
    def the_most_urgent_is_parked(self, key: str) -> None:
        taken = self.take()
        if taken is not None:
            self.queue.park(taken, key)
            self.parked[self.lane(taken)] = key

    @rule(key=st.sampled_from(["api", "seats"]))
    def a_key_is_unparked(self, key: str) -> None:
        self.queue.unpark(key)
        self.parked = {lane: each for lane, each in self.parked.items() if each != key}

    @rule()
    def all_is_taken_in_one_tick_and_pushed_again(self) -> None:
        taken: list[Job] = []
        while (found := self.queue.pop(self.records.get)) is not None:
            taken.append(found)
        free = [each for each in self.records.values() if isinstance(each.state, Ready)]
        free = [each for each in free if self.lane(each) not in self.parked]
        assert taken == sorted(free, key=lambda each: (-each.priority, each.id))
        for each in taken:
            self.queue.push(each)

    @rule()
    def lanes_are_set_aside_and_brought_back(self) -> None:
        passed: list[Job] = []
        while (found := self.queue.pop(self.records.get)) is not None:
            passed.append(found)
            self.queue.set_aside(found)
        assert len({self.lane(each) for each in passed}) == len(passed)
        for each in passed:
            self.queue.bring_back((each.policy.needs, each.policy.limits))

    @invariant()
    def the_parked_keys_are_known(self) -> None:
        assert set(self.queue.parked_keys()) >= set(self.parked.values())


test_the_queue_gives_what_a_sorted_list_would = QueueBesideAList.TestCase


def test_higher_priority_goes_first_and_then_the_older_job() -> None:
    queue, records = ReadyQueue(), {1: job(1), 2: job(2, LANES[1], 5), 3: job(3, LANES[1]), 4: job(4, priority=5)}
    for each in records.values():
        queue.push(each)
    taken = [queue.pop(records.get) for _ in range(5)]
    assert [each and each.id for each in taken] == [2, 4, 1, 3, None]


def test_a_job_that_was_pushed_twice_is_given_once_in_a_tick() -> None:
    queue, records = ReadyQueue(), {1: job(1)}
    queue.push(records[1])
    queue.push(records[1])
    assert queue.pop(records.get) == records[1]
    assert queue.pop(records.get) is None
    assert len(queue) == 0


@pytest.mark.parametrize("lanes", [1, 50])
def test_a_pop_costs_the_same_few_heap_steps_with_a_thousand_entries_and_with_two_hundred_thousand(
    lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def counted(name: str, step: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> object:
            steps.append(name)
            return step(*arguments)

        return run

    monkeypatch.setattr(ready, "heappop", counted("pop", heapq.heappop))
    monkeypatch.setattr(ready, "heappush", counted("push", heapq.heappush))
    policies = [Policy(needs=(("cpus", amount),)) for amount in range(1, lanes + 1)]
    for entries in (1_000, 200_000):
        queue = ReadyQueue()
        records = {number: job(number, policies[number % lanes]) for number in range(entries)}
        for each in records.values():
            queue.push(each)
        steps.clear()
        for number in range(500):
            taken = queue.pop(records.get)
            assert taken is not None
            assert taken.id == number
        assert len(steps) <= 3 * 500
