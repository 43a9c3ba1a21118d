"""What starts where in a cluster that works by allocations: in those that answer, and nowhere else."""

from __future__ import annotations

from random import Random

from holdfast.actors.live import Live
from holdfast.actors.runner import CLOSING
from holdfast.actors.targets.messages import Connected
from holdfast.actors.world import SystemClock
from holdfast.events import facts
from holdfast.events.draft import Draft
from holdfast.events.messages import Attached, AttemptStatus, Reported, Submit, Unreachable
from holdfast.events.records import Target
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, TargetSpec

from .test_launching import Recorded

CLUSTER = Connected(1, Attached("cluster", "journal", "boot", 301))
HOUR_US = 3_600_000_000


def small(cpus: int = 1, timeout_us: int | None = None) -> JobSpec:
    return JobSpec(("true",), target="cluster", cwd=".", needs={"cpus": cpus}, timeout_us=timeout_us)


def granted(*jobs: JobSpec, cpus: int = 2, ago_us: int = 0, times: int = 1) -> Recorded:
    """A scheduler to be, whose cluster runs that many allocations, since so long; their runners are to answer yet."""
    pilot = PilotSpec(cpus=cpus, max=times, time_us=HOUR_US)
    recorded = Recorded()
    recorded.first.append(CLUSTER)
    flow = FlowSpec(jobs, targets={"cluster": TargetSpec({}, slurm=SlurmSpec(pilot=pilot))})
    draft = recorded.stage.draft(Submit(flow))
    for number in range(1, times + 1):
        name, token = f"cluster/{number}", f"home.{number}.0"
        capacity = {"cpus": cpus} if cpus else dict[str, int]()
        draft.record(facts.AllocationRequested(name, "cluster", number, capacity, HOUR_US))
        draft.record(facts.BatchPlanned("cluster", token, 1, "", ""))
        draft.record(facts.BatchSubmitted("cluster", token, str(number)))
        draft.record(facts.AllocationGranted(name, str(number), "n1", SystemClock().now() - ago_us))
    recorded.stage.store.commit([draft])
    return recorded


def answers(number: int, cpus: int | None = None) -> Connected:
    """The runner of an allocation does."""
    return Connected(1, Attached(f"cluster/{number}", f"journal-{number}", "boot", 302, cpus=cpus))


def targets_of(recorded: Recorded) -> dict[int, str]:
    """Where each job's newest attempt was launched."""
    launched = [event for _, event in recorded.stage.store.events() if isinstance(event, facts.AttemptLaunched)]
    return {event.job: event.target for event in launched}


def allocations(recorded: Recorded) -> list[Target]:
    """All there ever were."""
    return [target for target in recorded.stage.store.base.targets() if target.allocation is not None]


def test_jobs_are_launched_in_the_allocations_that_answer_as_many_as_fit() -> None:
    recorded = granted(*[small()] * 5, times=2)
    recorded.run(lambda each: each.stage.scheduler.tell_nowait(answers(1)))
    assert targets_of(recorded) == {1: "cluster/1", 2: "cluster/1"}
    recorded = granted(*[small()] * 5, times=2)
    recorded.first += [answers(1), answers(2)]
    recorded.run(lambda _: None)
    assert targets_of(recorded) == {1: "cluster/1", 2: "cluster/1", 3: "cluster/2", 4: "cluster/2"}


def test_nothing_is_launched_where_the_way_is_broken() -> None:
    recorded = granted(*[small()] * 5)
    recorded.first += [answers(1), Unreachable("cluster/1", "the step ended")]
    recorded.run(lambda each: each.stage.scheduler.tell_nowait(Reported("cluster", ())))
    assert targets_of(recorded) == {}


def test_an_allocation_that_is_about_to_end_is_sent_no_job_twice_nor_any_other() -> None:
    recorded = granted(*[small()] * 5)
    recorded.first += [answers(1)]
    given_back = AttemptStatus("home.1.1", "revoked", error=CLOSING)
    recorded.run(lambda each: each.stage.scheduler.tell_nowait(Reported("cluster/1", (given_back,))))
    launched = [event for _, event in recorded.stage.store.events() if isinstance(event, facts.AttemptLaunched)]
    assert [(event.job, event.attempt) for event in launched] == [(1, 1), (2, 1)]


def test_p3_a_job_that_goes_to_another_allocation_in_one_commit_is_counted_there_and_not_where_it_was() -> None:
    stage = granted(small(cpus=2), times=2).stage
    live = Live(stage.store.base)
    launched = [facts.AttemptLaunched(1, each, f"home.1.{each}", f"cluster/{each}", {}) for each in (1, 2)]
    for events in ((launched[0],), (facts.AttemptRevoked(1, 1, CLOSING, "ready"), launched[1])):
        draft = Draft(live, SystemClock().now(), Random(1), "scheduler")
        for event in events:
            draft.record_job(event)
        stage.store.commit([draft])
        live.apply(draft)
    assert [live.used(f"cluster/{each}") for each in (1, 2)] == [{}, {"cpus": 2}]
    assert [live.flying(f"cluster/{each}") for each in (1, 2)] == [0, 1]


def test_a_job_that_may_take_longer_than_what_is_left_waits_and_those_behind_it_do_not() -> None:
    recorded = granted(small(timeout_us=HOUR_US // 2), small(timeout_us=1_000_000), small(), ago_us=HOUR_US // 2)
    recorded.first.append(answers(1))
    recorded.run(lambda _: None)
    assert targets_of(recorded) == {2: "cluster/1", 3: "cluster/1"}


def test_one_whose_time_is_over_takes_nothing_more() -> None:
    recorded = granted(small(), ago_us=HOUR_US)
    recorded.first.append(answers(1))
    recorded.run(lambda _: None)
    assert targets_of(recorded) == {}


def test_a_job_too_large_for_a_whole_node_asks_for_no_allocation_after_the_other() -> None:
    recorded = granted(small(cpus=64), cpus=0)
    recorded.first.append(answers(1, cpus=8))

    def scenario(each: Recorded) -> None:
        over = AttemptStatus("home.1.0", "ended", ended_at=5, how="stopped", error="over")
        each.stage.scheduler.tell_nowait(Reported("cluster", (over,)))

    recorded.run(scenario)
    assert targets_of(recorded) == {}
    assert [target.name for target in allocations(recorded)] == ["cluster/1"]


def test_short_jobs_are_on_their_way_to_an_allocation_before_the_ends_that_they_follow_are_heard_of() -> None:
    recorded = granted(*[small()] * 200, cpus=20)
    recorded.first.append(answers(1))

    def scenario(recorded: Recorded) -> None:
        statuses = [
            AttemptStatus(f"home.{job}.1", "ended", ended_at=5, how="exited", exit_code=0) for job in range(1, 21)
        ]
        recorded.stage.scheduler.tell_nowait(Reported("cluster/1", tuple(statuses)))

    recorded.run(scenario)
    # 20 in a quarter of a second, for 20 ms and the 50 that a step of Slurm's counts for.
    assert len(targets_of(recorded)) == 20 + 20 + int(20 / 0.25 * 0.070)
