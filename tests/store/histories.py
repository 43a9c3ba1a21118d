"""Random histories: what people, targets and clocks may do to a home, in any order, through the real rules."""

from collections.abc import Callable, Iterable
from random import Random
from typing import TypeVar

from holdfast.events.decide import decide, wake
from holdfast.events.draft import Draft
from holdfast.events.errors import BadInput
from holdfast.events.launches import launch
from holdfast.events.limits import Grant
from holdfast.events.messages import (
    Attached,
    AttemptStatus,
    Cancel,
    Configure,
    Hold,
    Pause,
    Prioritise,
    Release,
    Reported,
    Resume,
    Retry,
    Submit,
    Unreachable,
)
from holdfast.events.outcomes import decide_report
from holdfast.events.records import Job, OutputRange
from holdfast.events.spec import LOCAL, FlowSpec, JobSpec, LimitSpec
from holdfast.events.states import Delayed, Ready, Running
from holdfast.store.contract import Store

from .allocation_steps import follow_allocation, places
from .batch_steps import CLUSTER, SLURM, cluster_status, follow_batch, plan_batch

T = TypeVar("T")

START = 1_700_000_000_000_000
_RUNNER = ("journal-1", "boot-1", 77)


class History:
    """Drives the first of `stores` by chance and commits the same drafts to all of them."""

    def __init__(self, random: Random, *stores: Store) -> None:
        self.random = random
        self.stores = stores
        self.base = stores[0].base
        self.now = START
        draft = self.draft()
        decide(draft, Configure({LOCAL: {"cpus": 4}, CLUSTER: {}}, slurm={CLUSTER: SLURM}))
        self.commit(draft)

    def draft(self) -> Draft:
        """A draft at the present, which moves on; now and then somebody sets the clock back."""
        self.now += self.random.choice((0, 1, 1_000, 2_000_000, 2_000_000, -3_000_000))
        return Draft(self.base, self.now, self.random, self.random.choice(("ada", "scheduler", "grace@host")))

    def commit(self, *drafts: Draft) -> None:
        """Commit to every store."""
        for store in self.stores:
            store.commit(drafts)

    def run(self, steps: int) -> None:
        """Take so many steps."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """Let one thing happen, or be refused."""
        steps: tuple[Callable[[Draft], None], ...] = (
            self._submit,
            self._submit,
            self._launch,
            self._launch,
            self._report,
            self._report,
            self._command,
            self._target,
            self._unreachable,
            self._attach,
            self._wake,
            self._batch,
            self._batch,
            self._batch,
            self._batch,
        )
        draft = self.draft()
        try:
            self.random.choice(steps)(draft)
        except BadInput:
            return
        self.commit(draft)

    def submit(self, flow: FlowSpec) -> tuple[int, ...]:
        """Submit a flow of one's own making; the ids."""
        draft = self.draft()
        submitted = decide(draft, Submit(flow))
        self.commit(draft)
        return submitted.jobs

    def _submit(self, draft: Draft) -> None:
        known = list(range(1, self.base.next_job()))
        jobs: list[JobSpec] = []
        for position in range(self.random.randrange(1, 5)):
            earlier: list[str | int] = [*(job.name for job in jobs if job.name), *self._some(known, 2)]
            jobs.append(self._job("" if self.random.random() < 0.2 else f"job {position} é", earlier))
        limits = {"licence": LimitSpec(concurrent=2, interval_us=self.random.choice((None, 500_000)))}
        name = self.random.choice(("", "nightly", "local", "licence"))
        digest = self.random.choice((None, "d1", "d2"))
        flow = FlowSpec(tuple(jobs), name, digest, again=self.random.random() < 0.7, limits=limits)
        decide(draft, Submit(flow))

    def _job(self, name: str, earlier: list[str | int]) -> JobSpec:
        chance = self.random
        target = chance.choice((LOCAL, LOCAL, CLUSTER))
        return JobSpec(
            run=chance.choice((("true",), "echo 'ä'; exit 1")),
            name=name,
            target=target,
            cwd="/" if target == LOCAL else "runs",
            after=tuple(self._some(earlier, 2)),
            after_any=tuple(self._some(earlier, 1)),
            after_failed=tuple(self._some(earlier, 1)) if chance.random() < 0.2 else (),
            needs={"cpus": chance.choice((1, 2))},
            limits=chance.choice(((), ("licence",), ("licence:a",))),
            priority=chance.choice((0, 0, 5, -1_000_000)),
            retries=chance.choice((0, 1)),
            retry_on=("failed", "lost", "timeout"),
            key=chance.choice((None, None, f"key {chance.randrange(50)}")),
            hold=chance.random() < 0.1,
        )

    def _some(self, things: Iterable[T], most: int) -> list[T]:
        there = list(things)
        return self.random.sample(there, min(len(there), self.random.randrange(most + 1)))

    def _launch(self, draft: Draft) -> None:
        ready = [job for job in self.base.live_jobs() if isinstance(job.state, Ready)]
        for job in self._some(ready, 3):
            grant = Grant(dict.fromkeys(job.policy.limits, draft.now + 500000))
            target = job.policy.target
            launch(draft, job, grant, self.random.choice(places(self.base)) if target == CLUSTER else target)

    def _report(self, draft: Draft) -> None:
        target = self.random.choice((LOCAL, *places(self.base)))
        statuses = [self._status(job) for job in self._some(self.base.in_flight(target), 3)]
        if statuses:
            decide_report(draft, Reported(target, tuple(statuses)))

    def _token(self, job: Job) -> str:
        return f"{self.base.home}.{job.id}.{job.attempt}"

    def _status(self, job: Job) -> AttemptStatus:
        token, chance = self._token(job), self.random
        if job.place == CLUSTER:
            return cluster_status(job, token, self.now, chance)
        if not isinstance(job.state, Running) and chance.random() < 0.5:
            state = chance.choice(("queued", "running", "running", "revoked"))
            pid = 4711 if state == "running" else None
            return AttemptStatus(token, state, pid=pid, process_start=12, started_at=self.now - 5)
        how = chance.choice(("exited", "exited", "exited", "timeout", "stopped", "not_started"))
        started_at = None if how == "not_started" else self.now - 1_000
        return AttemptStatus(
            token,
            "ended",
            started_at=started_at,
            ended_at=self.now,
            how=how,
            exit_code=chance.choice((0, 0, 1, 255)) if how == "exited" else None,
            signal=15 if how == "timeout" else None,
            error="no such file" if how == "not_started" else None,
            cpu_us=chance.choice((None, 1_200)),
            output=(OutputRange("0001.out", 0, 17),),
        )

    def _command(self, draft: Draft) -> None:
        jobs = tuple(self._some(range(1, self.base.next_job()), 3))
        kind = self.random.randrange(5)
        if kind == 0:
            decide(draft, Prioritise(jobs, self.random.randrange(-3, 4)))
        else:
            decide(draft, (Cancel, Retry, Hold, Release)[kind - 1](jobs))

    def _target(self, draft: Draft) -> None:
        amounts = {LOCAL: {"cpus": self.random.randrange(2, 6)}}
        decide(draft, self.random.choice((Pause(), Resume(), Configure(amounts))))

    def _unreachable(self, draft: Draft) -> None:
        decide_report(draft, Unreachable(self.random.choice((LOCAL, *places(self.base))), "it does not answer"))

    def _attach(self, draft: Draft) -> None:
        journal, boot, pid = _RUNNER if self.random.random() < 0.8 else ("journal-2", "boot-2", 78)
        known = [self._status(job) for job in self.base.in_flight(LOCAL) if self.random.random() < 0.7]
        decide_report(draft, Attached(LOCAL, journal, boot, pid, tuple(known)))

    def _batch(self, draft: Draft) -> None:
        self.random.choice((plan_batch, follow_batch, follow_allocation))(self.base, draft, self.random)

    def _wake(self, draft: Draft) -> None:
        for job in self.base.live_jobs():
            if isinstance(job.state, Delayed):
                wake(draft, job.id)
