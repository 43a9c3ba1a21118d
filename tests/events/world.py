"""A small world around the pure part: clients, queues, limits, a runner and a cluster; what can go wrong goes wrong.

After every commit `invariants.check` holds what is there against the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from holdfast.events.capacity import counted, fits
from holdfast.events.decide import decide, wake
from holdfast.events.draft import Draft
from holdfast.events.launches import MANY, launch, plan
from holdfast.events.limits import Denial, LimitTable
from holdfast.events.messages import Attached, Command, Release, Report, Reported, Resume, Staged, Submit, Unreachable
from holdfast.events.native import behind, was_refused
from holdfast.events.outcomes import decide_report
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Job
from holdfast.events.spec import HERE, FlowSpec, JobSpec, LimitSpec, TargetSpec
from holdfast.events.staging import StagedFile
from holdfast.events.states import FINAL, Delayed, Held

from .cluster_side import CLUSTER, SPEC, ClusterSide
from .fake_runner import FakeRunner
from .home import Home
from .invariants import Observer
from .memory_base import MemoryBase

LIMITS: Final = {
    "seats": LimitSpec(concurrent=2),
    "api": LimitSpec(interval_us=50, burst=2),
    "both": LimitSpec(concurrent=1, interval_us=20),
}
CAPACITY: Final = {"cpus": 4, "memory": 10}
TARGETS: Final = {name: TargetSpec(CAPACITY) for name in HERE} | {CLUSTER: SPEC}


class World:
    """All of it, driven by calls, each of which is one tick at most."""

    def __init__(self, seed: int, *, keeps_unmet: bool) -> None:
        self.random = Random(seed)
        self.home = Home(MemoryBase(keeps_unmet=keeps_unmet))
        self.observer = Observer(self.home.base, LIMITS, TARGETS)
        self.queues = {name: ReadyQueue() for name in TARGETS}
        self.limits = LimitTable(LIMITS)
        self.runner = FakeRunner()
        self.cluster = ClusterSide(self.home, self.random, self._report, self._commit)
        self.connected = False
        self.connect()

    @property
    def jobs(self) -> list[int]:
        """All jobs there ever were."""
        return list(self.home.base.records.jobs)

    # What clients do.

    def submit(self, jobs: Sequence[JobSpec], name: str = "", digest: str | None = None) -> None:
        """Submit a flow."""
        self.command(Submit(FlowSpec(tuple(jobs), name, digest, limits=LIMITS, targets=TARGETS)))

    def command(self, *commands: Command) -> None:
        """Decide commands in one tick."""
        draft = self.home.draft()
        for command in commands:
            decide(draft, command)
        self._commit(draft)

    def command_in_vain(self, command: Command) -> None:
        """A tick whose commit fails: what it pushed to the queue stays there, and nothing else."""
        draft = self.home.draft()
        decide(draft, command)
        for job in draft.ready:
            self._queue(job).push(job)

    def _queue(self, job: Job) -> ReadyQueue:
        return self.queues[job.policy.target]

    # What time does.

    def pass_time(self, passed_us: int) -> None:
        """Let time go by, and wake whoever waited for it."""
        self.home.now += passed_us
        draft = self.home.draft()
        for job in self.home.base.records.jobs.values():
            if isinstance(job.state, Delayed):
                wake(draft, job.id)
        self._commit(draft)

    def launch(self, *, in_vain: bool = False, unsent: bool = False) -> None:
        """Launch what fits. `in_vain`: the commit fails; `unsent`: the link breaks before the runner hears of it."""
        if not self.connected:
            return
        launched = self._launch_on("local", MANY, in_vain=in_vain)
        if unsent and not in_vain:
            self.disconnect()
        else:
            self._send(launched)

    def launch_there(self, *, in_vain: bool = False) -> None:
        """Launch on the cluster what may be in its queue."""
        assert SPEC.slurm is not None
        room = SPEC.slurm.max_queued - len(self.home.base.in_flight(CLUSTER))
        for job in self._launch_on(CLUSTER, room, in_vain=in_vain):
            self.cluster.cluster.queue(self.home.token(job.id))

    def launch_behind(self, *, in_vain: bool = False) -> None:
        """Launch to the cluster's queue what can wait there for what it depends on."""
        draft, launched = self.home.draft(), dict[str, dict[str, str]]()
        target = draft.targets.get(CLUSTER)
        assert SPEC.slurm is not None
        room = SPEC.slurm.max_queued - len(self.home.base.in_flight(CLUSTER))
        if target is None or target.paused:
            return
        for job in list(self.home.base.records.jobs.values()):
            after = behind(draft, job, self.cluster.is_there) if job.policy.target == CLUSTER else None
            if after is None or (was_refused(draft, job, after) and self.random.random() < 0.8):
                continue
            if len(launched) < room and fits(
                draft.used(CLUSTER), counted(job.policy.needs, target.capacity), target.capacity
            ):
                launch(draft, job, after=after)
                launched[f"{self.home.base.home}.{job.id}.{job.attempt + 1}"] = after
        if not in_vain:
            self._commit(draft)
            for token, after in launched.items():
                self.cluster.cluster.queue(token, after)

    def _launch_on(self, name: str, most: int, *, in_vain: bool) -> list[Job]:
        queue = self.queues[name]
        for key in queue.parked_keys():
            queue.unpark(key)
        draft = self.home.draft()
        target = draft.targets.get(name)
        if target is None:
            return []
        picked = plan(draft, queue, target, 0, most=most)
        launched = [job for job in picked if self._launch(draft, job)]
        if in_vain:
            for job in launched:
                queue.push(job)
                self.limits.release(job.policy.limits)
            return []
        self._commit(draft)
        return launched

    def _launch(self, draft: Draft, job: Job) -> bool:
        answer = self.limits.acquire(job.policy.limits, draft.now)
        if isinstance(answer, Denial):
            self._queue(job).park(job, answer.key)
            return False
        launch(draft, job, answer)
        return True

    def _send(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self.runner.queue(self.home.token(job.id))

    # What the runner and the link to it do.

    def start_one(self) -> None:
        """An attempt starts, which nobody is told of yet."""
        queued = self.runner.tokens("queued")
        if queued:
            self.runner.start(self.random.choice(queued), self.home.now)

    def end_one(self) -> None:
        """An attempt ends, which nobody is told of yet."""
        alive = self.runner.tokens("queued") + self.runner.tokens("running")
        if alive:
            self.runner.end(self.random.choice(alive), self.home.now, self.random)

    def report(self, *, all_of_it: bool = False) -> None:
        """The runner tells some of what it has."""
        if self.connected:
            tokens = [token for token in self.runner.attempts if all_of_it or self.random.random() < 0.7]
            self._report(Reported("local", self.runner.say(tokens)))

    def stage(self) -> None:
        """Files of an attempt are brought there or back, also of one that nobody waits for any more."""
        if self.connected and self.runner.attempts:
            token = self.random.choice(list(self.runner.attempts))
            self._report(Staged("local", token, (StagedFile("a", 1, "00"),), back=self.random.random() < 0.5))

    def report_late(self) -> None:
        """Old news come again, in any order, with a token that never was."""
        for name, runner in (("local", self.runner), (CLUSTER, self.cluster.cluster)):
            if runner.said and (name != "local" or self.connected):
                said = self.random.choices(runner.said, k=3)
                known = [status for status in said if runner.attempts.get(status.token, status) == status]
                over = [status for status in said if status.token not in runner.attempts]
                self._report(Reported(name, (*known, *over, *runner.say([]))))

    def disconnect(self) -> None:
        """The link breaks."""
        self.connected = False
        self._report(Unreachable("local", "no answer"))

    def connect(self) -> None:
        """The link stands again, and the runner says all it has."""
        self.connected = True
        self._report(self.runner.attached())

    def restart_runner(self) -> None:
        """Its process is another, its journal the same."""
        self.runner.pid += 1
        self.connect()

    def replace_runner(self) -> None:
        """Its journal is gone."""
        self.runner.lose_journal()
        self.connect()

    def forget_one(self) -> None:
        """The runner attaches without something it was told, or has started and said so."""
        said = {status.token for status in self.runner.said if status.state == "running"}
        for token in self.runner.tokens("queued")[:1]:
            del self.runner.attempts[token]
            self.runner.journal.discard(token)
        for token in [each for each in self.runner.tokens("running") if each in said][:1]:
            del self.runner.attempts[token]
        self.connect()

    def _report(self, report: Report) -> None:
        draft = self.home.draft()
        send = decide_report(draft, report)
        self._commit(draft)
        self.runner.acknowledge(draft.acknowledged.get("local", []))
        self.cluster.cluster.acknowledge(draft.acknowledged.get(CLUSTER, []))
        if isinstance(report, Attached):
            self._send(send)

    def _commit(self, draft: Draft) -> None:
        for job in draft.released:
            self.limits.release(job.policy.limits)
        for job in draft.ready:
            self._queue(job).push(job)
        self.home.commit(draft)
        self.observer.check(draft, self.limits)

    # The end of it all.

    def finish(self) -> None:
        """Undo what keeps jobs from running, and let everything run to its end."""
        self.command(Resume())
        self.command(Release(tuple(job.id for job in self._live() if isinstance(job.state, Held))))
        self.connect()
        for _ in range(20 * len(self.jobs) + 20):
            if not self._live():
                break
            self.pass_time(5_000)
            self.launch()
            while self.runner.tokens("queued"):
                self.start_one()
            while self.runner.tokens("running"):
                self.end_one()
            self.report(all_of_it=True)
            self.launch_there()
            self.launch_behind()
            self.cluster.go_on()
        self.cluster.go_on()
        self.observer.check_end()

    def _live(self) -> list[Job]:
        return [job for job in self.home.base.records.jobs.values() if not isinstance(job.state, FINAL)]
