"""What a cluster says of an allocation, and what that means for the jobs that were launched in it."""

from __future__ import annotations

import pytest

from holdfast.events import facts
from holdfast.events.errors import LogCutOff
from holdfast.events.launches import launch
from holdfast.events.messages import Attached, AttemptStatus, Cancel, Reported, Settled, Submit
from holdfast.events.outcomes import decide_report, record_batches
from holdfast.events.records import Asked, Granted, Over, Retired, Target
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, TargetSpec
from holdfast.events.states import Cancelled, Lost, Ready, Running, Succeeded

from .home import Home, status

NAME, TOKEN = "cluster/1", "home.1.0"
CLUSTER = TargetSpec({}, slurm=SlurmSpec(pilot=PilotSpec(cpus=4)))


def asked(*jobs: JobSpec) -> Home:
    """A home with a cluster, one allocation of which was asked for."""
    home = Home()
    one = JobSpec(("true",), name="a", target="cluster", cwd=".")
    home.do(Submit(FlowSpec(jobs or (one,), targets={"cluster": CLUSTER})))
    draft = home.draft()
    draft.record(facts.AllocationRequested(NAME, "cluster", 1, {"cpus": 4}, 60))
    record_batches(
        draft,
        "cluster",
        (facts.BatchPlanned("cluster", TOKEN, 1, "script", "hash"), facts.BatchSubmitted("cluster", TOKEN, "17")),
        (facts.AttemptBatched(1, 0, TOKEN),),
    )
    home.commit(draft)
    return home


def granted(*jobs: JobSpec) -> Home:
    """The same, and the cluster runs it."""
    home = asked(*jobs)
    home.report(Reported("cluster", (status(TOKEN, "running", nodes="n1", started_at=5),)))
    home.report(Attached(NAME, "journal", "boot", 7))
    return home


def at(home: Home) -> Target:
    """The allocation's target."""
    target = home.base.target(NAME)
    assert target is not None
    return target


def state(home: Home) -> object:
    """How the allocation stands."""
    allocation = at(home).allocation
    assert allocation is not None
    return allocation.state


def begin(home: Home, *jobs: int) -> None:
    """Launch jobs in the allocation."""
    draft = home.draft()
    for job in jobs:
        launch(draft, draft.known_job(job), place=NAME)
    home.commit(draft)


def over(home: Home) -> None:
    """The cluster says that it has it no more."""
    home.report(Reported("cluster", (status(TOKEN, "ended", how="killed", error="its time was over", word="TIMEOUT"),)))


def test_it_is_granted_where_the_cluster_runs_it_and_its_batch_says_under_which_id() -> None:
    home = asked()
    assert isinstance(state(home), Asked)
    for each in ("queued", "unclear", "running", "running"):
        home.report(Reported("cluster", (status(TOKEN, each, nodes="n1", started_at=5),)))
    assert state(home) == Granted(5, "17", "n1")


def test_what_it_has_of_a_whole_node_is_known_when_its_runner_answers() -> None:
    home = asked()
    home.report(Reported("cluster", (status(TOKEN, "running", nodes="n1", started_at=5),)))
    home.report(Attached(NAME, "journal", "boot", 7, cpus=64))
    assert at(home).capacity == {"cpus": 4}  # it was asked for with these
    draft = home.draft()
    draft.record(facts.AllocationRequested("cluster/2", "cluster", 2, {"gpus": 1}, 60))
    home.commit(draft)
    home.report(Attached("cluster/2", "journal", "boot", 7, cpus=64))
    second = home.base.target("cluster/2")
    assert second is not None
    assert second.capacity == {"gpus": 1, "cpus": 64}
    assert second.allocation is not None


def test_a_job_in_an_allocation_is_in_flight_and_counted_there_and_nowhere_else() -> None:
    home = granted()
    begin(home, 1)
    assert [job.id for job in home.base.in_flight(NAME)] == [1]
    assert list(home.base.in_flight("cluster")) == []
    assert home.base.used(NAME) == {"cpus": 1}
    assert home.job(1).policy.target == "cluster"
    assert home.job(1).place == NAME


def test_one_with_nothing_in_flight_is_retired_as_soon_as_it_is_over() -> None:
    home = granted()
    over(home)
    assert isinstance(state(home), Retired)
    assert [type(event) for event in home.events] == [facts.AllocationEnded, facts.AllocationRetired]
    over(home)
    assert home.events == []


def three() -> list[JobSpec]:
    return [JobSpec(("true",), name=name, target="cluster", cwd=".") for name in "abc"]


@pytest.mark.parametrize("closed", [True, False])
def test_what_its_runner_wrote_settles_what_was_in_flight_there(*, closed: bool) -> None:
    home = granted(*three())
    begin(home, 1, 2, 3)
    home.report(Reported(NAME, (status("home.2.1", "running", pid=3, process_start=1, started_at=6),)))
    over(home)
    assert isinstance(state(home), Over)
    wrote = (status("home.1.1", "ended", how="exited", exit_code=0, started_at=5, ended_at=6),)
    home.report(Settled(NAME, wrote, closed))
    assert home.state(1) == Succeeded(5, 6)
    # It ran when last heard of, and nobody saw it end.
    assert isinstance(home.state(2), Lost)
    # Never heard of: its runner would have written that it began, if it is known to have written all.
    assert isinstance(home.state(3), Ready if closed else Lost)
    assert isinstance(state(home), Retired)


def test_one_that_is_cancelled_and_never_began_is_cancelled() -> None:
    home = granted()
    begin(home, 1)
    home.do(Cancel((1,)))
    over(home)
    home.report(Settled(NAME, (), closed=True))
    assert isinstance(home.state(1), Cancelled)


def test_what_was_lost_goes_elsewhere_by_its_policy_alone() -> None:
    home = granted(JobSpec(("true",), target="cluster", cwd=".", retries=1, retry_on=("lost",)))
    begin(home, 1)
    over(home)
    home.report(Settled(NAME, (), closed=False))
    home.now += 3_600_000_000
    home.wake(1)
    assert isinstance(home.state(1), Ready)


def test_reports_of_the_runner_itself_count_until_it_is_settled() -> None:
    home = granted()
    begin(home, 1)
    home.report(Reported(NAME, (status("home.1.1", "running", pid=3, process_start=1, started_at=6),)))
    assert isinstance(home.state(1), Running)
    over(home)
    home.report(Reported(NAME, (status("home.1.1", "ended", how="exited", exit_code=0, ended_at=6),)))
    home.report(Settled(NAME, (), closed=True))
    assert isinstance(home.state(1), Succeeded)
    assert isinstance(state(home), Retired)


def test_p8_an_allocation_that_the_log_never_asked_for_proves_that_the_log_was_cut_off() -> None:
    home = asked()
    draft = home.draft()
    with pytest.raises(LogCutOff, match=r"home\.9\.0"):
        decide_report(draft, Reported("cluster", (AttemptStatus("home.9.0", "running"),)))
    assert decide_report(draft, Reported("cluster", (AttemptStatus("other.9.0", "running"),))) == []
