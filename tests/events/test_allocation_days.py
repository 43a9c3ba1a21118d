"""Random days in allocations that come and go, are lost from sight and end in every way: nothing runs unseen or twice.

A failure names its seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import pytest

from holdfast.events import facts
from holdfast.events.allocations import is_open
from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.launches import launch, plan
from holdfast.events.messages import Attached, AttemptStatus, Cancel, Report, Reported, Settled, Submit, Unreachable
from holdfast.events.outcomes import decide_report, record_batches
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Asked, Granted, Over
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, TargetSpec
from holdfast.events.states import FINAL, IN_FLIGHT, Delayed, Ready, Succeeded

from .fake_runner import FakeRunner
from .home import Home

CPUS: Final = 3
CLUSTER: Final = TargetSpec({}, slurm=SlurmSpec(pilot=PilotSpec(cpus=CPUS, max=3)))
ACTIONS: Final = 300


class Runner(FakeRunner):
    """The runner of an allocation; when that is over, it may live on without anybody's knowing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.pid: int = 1
        self.name = name
        self.is_up = True
        self.closed = False

    def attached(self) -> Attached:
        """See `FakeRunner`."""
        return Attached(self.name, "journal", "boot", self.pid, tuple(self.attempts.values()))

    def start_some(self, now: int) -> None:
        """Start what fits."""
        while self.tokens("queued") and len(self.tokens("running")) < CPUS and not self.closed:
            self.start(self.tokens("queued")[0], now)

    def die(self, now: int) -> None:
        """Be killed and started again: nobody sees how what runs will end."""
        self.pid += 1
        for token in self.tokens("running"):
            self.attempts[token] = AttemptStatus(token, "ended", how="lost", started_at=now, ended_at=now)

    def close(self, now: int) -> None:
        """End in good order."""
        for token in self.tokens("queued"):
            self.attempts[token] = AttemptStatus(token, "revoked", error="it ends")
        self.die(now)
        self.closed = True

    def journal_says(self, now: int) -> Settled:
        """What is read of its journal: claims and ends; of what waits there it says nothing."""
        known = [status for status in self.attempts.values() if status.state in {"ended", "revoked"}]
        claimed = [
            AttemptStatus(token, "ended", how="lost", started_at=now, ended_at=now) for token in self.tokens("running")
        ]
        return Settled(self.name, (*known, *claimed), self.closed)


class Day:
    """One cluster, its allocations, and everything that can happen to them; each action is a tick at most."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.home = Home()
        self.queue = ReadyQueue()
        self.runners: dict[str, Runner] = {}
        self.connected: set[str] = set()
        self.number = 0
        retries = [JobSpec(("true",), target="cluster", cwd=".", retries=3, retry_on=("lost",), retry_delay_us=1)] * 6
        plain = [JobSpec(("true",), target="cluster", cwd=".", needs={"cpus": self.random.randint(1, 3)})] * 10
        flow = FlowSpec((*retries, *plain), targets={"cluster": CLUSTER})
        self.tick(lambda draft: decide(draft, Submit(flow)))

    def tick(self, action: Callable[[Draft], object]) -> None:
        """Do something, commit it, and hold it against what must be so."""
        draft = self.home.draft()
        action(draft)
        for job in draft.ready:
            self.queue.push(job)
        self.home.commit(draft)
        for name, tokens in draft.acknowledged.items():
            if name in self.runners:
                self.runners[name].acknowledge(tokens)
        self.check(draft)

    def check(self, draft: Draft) -> None:
        """What must hold after each commit."""
        base = self.home.base
        used: dict[str, Counter[str]] = {}
        for job in base.records.jobs.values():
            if isinstance(job.state, IN_FLIGHT):
                assert job.place.startswith("cluster/")
                used.setdefault(job.place, Counter()).update(dict(job.policy.needs))
        for name in self.runners:
            counted = dict(used.get(name, {}))
            assert {need: amount for need, amount in base.used(name).items() if amount} == counted
            assert {need: amount for need, amount in draft.used(name).items() if amount} == counted
        # What was given back without a try never ran, wherever its runner is.
        started = {token for runner in self.runners.values() for token in runner.started}
        revoked = {f"home.{e.job}.{e.attempt}" for _, e in base.log if isinstance(e, facts.AttemptRevoked)}
        assert not started & revoked

    def report(self, report: Report) -> None:
        """Something is reported."""
        again: list[str] = []

        def record(draft: Draft) -> None:
            again.extend(f"home.{job.id}.{job.attempt}" for job in decide_report(draft, report))

        self.tick(record)
        for token in again:
            self.runners[report.target].queue(token)

    # What can happen.

    def ask(self) -> None:
        """An allocation is asked for, and goes into the cluster's queue."""
        if sum(is_open(target) for target in self.home.base.targets()) >= 3:
            return
        self.number += 1
        name, token = f"cluster/{self.number}", f"home.{self.number}.0"

        def record(draft: Draft) -> None:
            draft.record(facts.AllocationRequested(name, "cluster", self.number, {"cpus": CPUS}, 60))
            planned = facts.BatchPlanned("cluster", token, 1, "", "")
            member = facts.AttemptBatched(self.number, 0, token)
            record_batches(draft, "cluster", (planned, facts.BatchSubmitted("cluster", token, "17")), (member,))

        self.tick(record)
        self.runners[name] = Runner(name)

    def grant(self) -> None:
        """The cluster runs one."""
        for target in self.home.base.targets():
            if target.allocation is not None and isinstance(target.allocation.state, Asked):
                token = f"home.{target.allocation.number}.0"
                self.report(Reported("cluster", (AttemptStatus(token, "running", started_at=5, nodes="n1"),)))
                return

    def connect(self) -> None:
        """The way to a runner stands."""
        for name in self.some(lambda name: name not in self.connected and self.runners[name].is_up):
            target = self.home.base.target(name)
            if target is not None and target.allocation is not None and isinstance(target.allocation.state, Granted):
                self.connected.add(name)
                self.report(self.runners[name].attached())

    def disconnect(self) -> None:
        """The way to one breaks."""
        for name in self.some(lambda name: name in self.connected):
            self.connected.discard(name)
            self.report(Unreachable(name, "the step ended"))

    def launch(self) -> None:
        """Jobs are launched where there is room; what is said to a runner may get lost with its connection."""
        for name in self.some(lambda name: name in self.connected):
            tokens: list[str] = []

            def record(draft: Draft, name: str = name, tokens: list[str] = tokens) -> None:
                target = draft.targets.get(name)
                if target is not None and is_open(target):
                    for job in plan(draft, self.queue, target, ahead=2):
                        launch(draft, job, place=name)
                        tokens.append(f"home.{job.id}.{job.attempt + 1}")

            self.tick(record)
            if self.random.random() < 0.8:
                for token in tokens:
                    self.runners[name].queue(token)
            elif tokens:
                self.connected.discard(name)
                self.report(Unreachable(name, "the step ended"))

    def work(self) -> None:
        """Runners start and end attempts, also those that only the controller has lost."""
        for runner in self.runners.values():
            runner.start_some(self.home.now)
            for token in runner.tokens("running"):
                if self.random.random() < 0.5:
                    runner.end(token, self.home.now, self.random)

    def say(self) -> None:
        """A runner tells its news."""
        for name in self.some(lambda name: name in self.connected):
            runner = self.runners[name]
            known = [token for token in runner.attempts if self.random.random() < 0.8]
            self.report(Reported(name, runner.say(known)))

    def die(self) -> None:
        """A runner is killed; its launcher starts it again."""
        for name in self.some(lambda name: name in self.connected):
            self.connected.discard(name)
            self.runners[name].die(self.home.now)
            self.report(Unreachable(name, "its runner died"))

    def end(self, *, surely: bool = False) -> None:
        """An allocation is over: in good order, killed, or lost to the controller while it runs on."""
        for name in [name for name in self.runners if surely] or self.some(lambda name: self.runners[name].is_up):
            target = self.home.base.target(name)
            allocation = None if target is None else target.allocation
            if allocation is None or not isinstance(allocation.state, Asked | Granted):
                continue
            self.runners[name].is_up = False
            if self.random.random() < 0.6 and isinstance(allocation.state, Granted):
                self.runners[name].close(self.home.now)
                if name in self.connected and self.random.random() < 0.5:
                    self.report(Reported(name, self.runners[name].say(list(self.runners[name].attempts))))
            self.connected.discard(name)
            token = f"home.{allocation.number}.0"
            self.report(Reported("cluster", (AttemptStatus(token, "ended", how="killed", error="over", word="X"),)))

    def settle(self) -> None:
        """What the runner of one that is over wrote is read, maybe twice."""
        for name, runner in self.runners.items():
            target = self.home.base.target(name)
            if target is not None and target.allocation is not None and isinstance(target.allocation.state, Over):
                settled = runner.journal_says(self.home.now)
                self.report(settled)
                if self.random.random() < 0.3:
                    self.report(settled)

    def cancel(self) -> None:
        """A person cancels a job; a runner that hears of it stops or revokes it."""
        live = [job.id for job in self.home.base.records.jobs.values() if not isinstance(job.state, FINAL)]
        if live and self.random.random() < 0.2:
            self.tick(lambda draft: decide(draft, Cancel((self.random.choice(live),))))

    def pass_time(self) -> None:
        """Back-offs end."""
        self.home.now += 1_000_000
        for job in list(self.home.base.records.jobs.values()):
            if isinstance(job.state, Delayed):
                self.home.now = max(self.home.now, job.state.due_at)
                self.home.wake(job.id)
                woken = self.home.base.records.jobs[job.id]
                if isinstance(woken.state, Ready):
                    self.queue.push(woken)

    def some(self, which: Callable[[str], bool]) -> list[str]:
        """One of the allocations of which that is so."""
        found = [name for name in self.runners if which(name)]
        return [self.random.choice(found)] if found else []

    def live_through(self) -> None:
        """Many things in any order, and then let all come to its end."""
        actions = [self.ask, self.grant, self.connect, self.launch, self.work, self.say, self.pass_time] * 3
        actions += [self.disconnect, self.die, self.end, self.settle, self.cancel]
        for _ in range(ACTIONS):
            self.random.choice(actions)()
        for _ in range(200):
            if all(isinstance(job.state, FINAL) for job in self.home.base.records.jobs.values()):
                return
            for action in (self.settle, self.ask, self.grant, self.pass_time):
                action()
            for _ in self.runners:
                for action in (self.connect, self.launch, self.work, self.say):
                    action()
            if self.random.random() < 0.1:
                self.end(surely=True)
        raise AssertionError([job for job in self.home.base.records.jobs.values() if not isinstance(job.state, FINAL)])


@pytest.mark.parametrize("seed", range(60))
def test_p2_p3_whatever_happens_to_allocations_all_jobs_end_and_none_ran_that_was_given_back(seed: int) -> None:
    day = Day(seed)
    day.live_through()
    started = {token for runner in day.runners.values() for token in runner.started}
    for job in day.home.base.records.jobs.values():
        if isinstance(job.state, Succeeded):
            assert f"home.{job.id}.{job.attempt}" in started


def test_the_random_days_see_every_event_of_allocations_and_every_way_out_of_them() -> None:
    logs: list[facts.Event] = []
    for seed in range(20):
        day = Day(seed)
        day.live_through()
        logs += [event for _, event in day.home.base.log]
    seen = {type(event) for event in logs}
    assert seen >= {
        facts.AllocationRequested,
        facts.AllocationGranted,
        facts.AllocationEnded,
        facts.AllocationRetired,
        facts.AttemptRevoked,
        facts.AttemptUnreachable,
        facts.AttemptReached,
    }
    assert {"lost", "exited"} <= {event.outcome.how for event in logs if isinstance(event, facts.AttemptEnded)}
