"""What a cluster reports: which attempts go into its batches, what is out of its sight, and ends in its own words."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.events.batches import Recorded
from holdfast.events.errors import BadInput, LogCutOff
from holdfast.events.facts import (
    AllocationRequested,
    AttemptBatched,
    AttemptReached,
    AttemptUnreachable,
    BatchAbsent,
    BatchClosed,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
)
from holdfast.events.messages import AttemptStatus, Cancel, Configure, Reported, Unreachable
from holdfast.events.outcomes import decide_report, record_batches
from holdfast.events.records import Batch, Ended, Outcome, PlannedBatch, Started, UnclearBatch
from holdfast.events.spec import SlurmSpec
from holdfast.events.states import Cancelled, Delayed, Failed, Launching, Lost, Running, Succeeded, Unknown

from .home import SECOND_US, Home, spec

CLUSTER: Final = "cluster"
BATCH: Final = "home.1.1"
PLANNED: Final = BatchPlanned(CLUSTER, BATCH, 2, "#!/bin/sh\n", "00")


def launched(count: int = 1, **fields: object) -> tuple[Home, tuple[int, ...]]:
    """A home with that many jobs launched on a cluster."""
    home = Home()
    home.do(Configure({CLUSTER: {}}, slurm={CLUSTER: SlurmSpec()}))
    jobs = home.submit(*(spec(f"job{number}", target=CLUSTER, cwd="", **fields) for number in range(count)))
    home.launch(*jobs)
    return home, jobs


def says(home: Home, job: int, state: str, **fields: object) -> None:
    home.report(Reported(CLUSTER, (home.status(job, state, **fields),)))


def record(home: Home, *news: BatchEvent, members: tuple[AttemptBatched, ...] = ()) -> Recorded:
    return home.tick(lambda draft: record_batches(draft, CLUSTER, news, members))


def test_attempts_go_into_a_batch_that_is_planned_in_the_same_commit() -> None:
    home, jobs = launched(2)
    members = AttemptBatched(jobs[0], 1, BATCH, 0), AttemptBatched(jobs[1], 1, BATCH, 1)
    assert record(home, PLANNED, members=members) == Recorded()
    assert home.events == [PLANNED, *members]
    assert {entry.author for entry in home.entries} == {"target:cluster"}
    assert home.names(*jobs) == ["launching", "launching"]


@pytest.mark.parametrize("wish", [None, Cancel])
def test_one_that_is_unknown_or_shall_be_cancelled_is_still_to_come_and_goes_along(wish: type[Cancel] | None) -> None:
    home, (job,) = launched()
    says(home, job, "unclear")
    if wish is not None:
        home.do(wish((job,)))
    before = home.state(job)
    assert record(home, PLANNED, members=(AttemptBatched(job, 1, BATCH),)) == Recorded()
    assert home.state(job) == before


def test_what_is_over_or_runs_already_is_left_out_and_named() -> None:
    home, jobs = launched(7, retries=1, retry_delay_us=0)
    there, ended, cancelled, running, again, taken_back, lost = jobs
    says(home, ended, "ended", how="exited", exit_code=0, ended_at=home.now)
    home.do(Cancel((cancelled,)))
    says(home, cancelled, "revoked")
    says(home, running, "running", started_at=home.now)
    says(home, again, "ended", how="exited", exit_code=1, ended_at=home.now)
    home.wake(again)
    home.launch(again)
    says(home, taken_back, "revoked")
    says(home, lost, "ended", how="lost", ended_at=home.now)
    assert home.names(*jobs) == ["launching", "succeeded", "cancelled", "running", "launching", "ready", "lost"]
    members = tuple(AttemptBatched(job, 1, BATCH, index) for index, job in enumerate((*jobs, 99)))
    assert record(home, PLANNED, members=members).over == {(job, 1) for job in (*jobs, 99)} - {(there, 1)}
    assert home.events == [PLANNED, members[0]]


def test_an_attempt_that_is_over_is_told_apart_from_the_next_one_in_the_same_batch() -> None:
    home, (job,) = launched()
    says(home, job, "revoked")
    home.launch(job)
    members = AttemptBatched(job, 1, BATCH, 0), AttemptBatched(job, 2, BATCH, 1)
    assert record(home, PLANNED, members=members).over == {(job, 1)}
    assert home.events == [PLANNED, members[1]]


@pytest.mark.parametrize(
    "news",
    [
        (BatchSubmitted(CLUSTER, "home.2.1", "25"),),
        (BatchAbsent(CLUSTER, BATCH, "asked twice"),),
        (BatchSubmitted(CLUSTER, BATCH, "25"), BatchUnclear(CLUSTER, BATCH, "timed out")),
        (BatchSubmitted(CLUSTER, BATCH, "25"), BatchSubmitted(CLUSTER, BATCH, "26")),
        (BatchClosed(CLUSTER, BATCH, "all have ended"), BatchSubmitted(CLUSTER, BATCH, "25")),
    ],
    ids=["of a batch that there is not", "absent, and never sent", "unclear, and there", "another id", "closed"],
)
def test_news_of_a_batch_that_can_not_be_leave_no_trace_and_are_named_and_end_no_scheduler(
    news: tuple[BatchEvent, ...],
) -> None:
    home, (job,) = launched()
    record(home, PLANNED)
    draft = home.draft()
    recorded = record_batches(draft, CLUSTER, news, (AttemptBatched(job, 1, BATCH),))
    assert [event for event, _ in recorded.refused] == [news[-1]]
    assert getattr(news[-1], "batch", "") in recorded.refused[0][1]
    assert [entry.event for entry in draft.entries] == [*news[:-1], AttemptBatched(job, 1, BATCH)]


def test_p2_a_batch_that_is_planned_twice_is_refused_with_all_that_was_to_go_into_it() -> None:
    home, jobs = launched(2)
    record(home, PLANNED, BatchClosed(CLUSTER, BATCH, "taken back"))
    members = AttemptBatched(jobs[0], 1, BATCH, 0), AttemptBatched(jobs[1], 1, BATCH, 1)
    recorded = record(home, PLANNED, members=members)
    assert recorded == Recorded(refused=((PLANNED, f"the batch {BATCH} was planned twice"),))
    assert home.events == []


@pytest.mark.parametrize(
    "news",
    [
        (BatchSubmitted(CLUSTER, BATCH, "25"), BatchSubmitted(CLUSTER, BATCH, "25", found=True)),
        (BatchClosed(CLUSTER, BATCH, "all have ended"), BatchClosed(CLUSTER, BATCH, "all have ended")),
        (BatchClosed(CLUSTER, BATCH, "all have ended"), BatchWaits(CLUSTER, BATCH, "Priority")),
    ],
    ids=["submitted twice", "closed twice", "waiting, and closed meanwhile"],
)
def test_what_is_said_twice_or_was_overtaken_is_no_trouble(news: tuple[BatchEvent, ...]) -> None:
    home, _ = launched()
    record(home, PLANNED)
    assert record(home, *news) == Recorded()
    assert home.events == [news[0]]


def test_a_batch_that_was_out_of_sight_and_is_absent_may_be_submitted_again() -> None:
    home, _ = launched()
    record(home, PLANNED, BatchUnclear(CLUSTER, BATCH, "timed out"))
    assert home.base.batch(BATCH) == Batch(BATCH, CLUSTER, 2, home.now, UnclearBatch(home.now, "timed out"))
    record(home, BatchAbsent(CLUSTER, BATCH, "asked twice"))
    assert home.base.batch(BATCH) == Batch(BATCH, CLUSTER, 2, home.now, PlannedBatch())


def test_an_attempt_that_is_out_of_sight_is_unknown_and_claimed_to_be_nothing() -> None:
    home, (queued, running) = launched(2)
    says(home, running, "running", started_at=home.now)
    started_at = home.now
    home.now += 5
    for job in (queued, running):
        says(home, job, "unclear", error="the controller does not answer")
        assert home.events == [AttemptUnreachable(job, 1, "the controller does not answer")]
    assert home.state(queued) == Unknown(home.now, "the controller does not answer")
    assert home.state(running) == Unknown(home.now, "the controller does not answer", started_at)
    since = home.now
    home.now += 5
    says(home, queued, "unclear", error="it still does not")
    assert home.events == []
    assert home.state(queued) == Unknown(since, "the controller does not answer")


def test_p8_a_log_that_never_launched_what_a_cluster_has_is_told_what_to_do_about_a_cluster() -> None:
    home, _ = launched()
    status = AttemptStatus(f"{home.base.home}.77.1", "queued")
    with pytest.raises(LogCutOff, match=r"the cluster cluster has the attempt home\.77\.1.*begin a new home"):
        home.report(Reported(CLUSTER, (status,)))


def test_what_another_target_sees_in_the_queue_that_both_have_says_nothing_of_an_attempt() -> None:
    home, (job,) = launched()
    home.do(Configure({"other": {}}, slurm={"other": SlurmSpec(partition="small")}))
    says(home, job, "unclear", error="the controller does not answer")
    home.report(Reported("other", (home.status(job, "queued"),)))
    assert home.names(job) == ["unknown"]
    says(home, job, "queued")
    assert home.names(job) == ["launching"]


def test_out_of_sight_for_no_given_reason_has_one_in_words() -> None:
    home, (job,) = launched()
    says(home, job, "unclear")
    assert home.state(job) == Unknown(home.now, "what became of it is not known")


def test_an_attempt_out_of_sight_needs_no_acknowledgement_and_one_that_has_ended_stays_so() -> None:
    home, (job,) = launched()
    for _ in range(2):
        draft = home.draft()
        decide_report(draft, Reported(CLUSTER, (home.status(job, "unclear"),)))
        assert draft.acknowledged == {}
    says(home, job, "ended", how="exited", exit_code=0, ended_at=home.now)
    says(home, job, "unclear")
    assert home.events == []
    assert home.names(job) == ["succeeded"]


def test_what_comes_into_sight_again_is_what_it_is_seen_as() -> None:
    home, jobs = launched(4)
    queued, begun, running, ended = jobs
    says(home, running, "running", started_at=home.now)
    started_at = home.now
    for job in jobs:
        says(home, job, "unclear")
    home.now += 5
    says(home, queued, "queued")
    assert home.events == [AttemptReached(queued, 1)]
    assert home.state(queued) == Launching(home.now)
    says(home, begun, "running", started_at=home.now)
    assert home.state(begun) == Running(home.now)
    says(home, running, "running", started_at=started_at)
    assert home.events == [AttemptReached(running, 1)]
    assert home.state(running) == Running(started_at)
    says(home, ended, "ended", how="exited", exit_code=0, started_at=started_at, ended_at=home.now)
    assert home.state(ended) == Succeeded(started_at, home.now)


def test_a_cancellation_outlasts_a_time_out_of_sight() -> None:
    home, (job,) = launched()
    home.do(Cancel((job,)))
    says(home, job, "unclear")
    says(home, job, "queued")
    assert home.state(job) == Launching(home.now, cancelling=True)


def test_what_runs_on_a_cluster_has_no_process_that_is_known() -> None:
    home, (job,) = launched()
    says(home, job, "running", started_at=5)
    assert home.base.records.attempts[job, 1].phase == Started(5, None)


def test_an_end_keeps_the_clusters_word_the_nodes_and_the_time_in_the_queue() -> None:
    home, (job,) = launched()
    why = "it used more than it was given"
    told = {"word": "OUT_OF_MEMORY", "nodes": "node[1-2]", "queued_us": 7, "error": why}
    says(home, job, "ended", how="killed", started_at=5, ended_at=6, **told)
    expected = Outcome("killed", 6, 5, error=why, word="OUT_OF_MEMORY", nodes="node[1-2]", queued_us=7)
    assert home.base.records.attempts[job, 1].phase == Ended(expected)
    assert home.state(job) == Failed(6, why, 5)


def test_a_killed_attempt_has_failed_and_says_by_whom_if_nobody_says_why() -> None:
    home, (job,) = launched()
    says(home, job, "ended", how="killed", ended_at=home.now)
    assert home.state(job) == Failed(home.now, "ended by the cluster", None)


@pytest.mark.parametrize(
    "how,retry_on,expected",
    [
        ("killed", ("failed",), Delayed),
        ("killed", ("timeout", "lost"), Failed),
        ("timeout", ("timeout",), Delayed),
        ("lost", ("lost",), Delayed),
        ("lost", ("failed", "timeout"), Lost),
        ("stopped", ("failed", "timeout", "lost"), Cancelled),
    ],
)
def test_p2_what_the_cluster_ended_is_tried_again_only_where_the_retry_policy_says_so(
    how: str, retry_on: tuple[str, ...], expected: type
) -> None:
    home, (job,) = launched(retries=1, retry_on=retry_on, retry_delay_us=SECOND_US)
    says(home, job, "ended", how=how, ended_at=home.now)
    assert isinstance(home.state(job), expected)


def test_tries_that_the_cluster_killed_are_used_up() -> None:
    home, (job,) = launched(retries=1, retry_delay_us=0)
    says(home, job, "ended", how="killed", ended_at=home.now)
    home.wake(job)
    home.launch(job)
    says(home, job, "ended", how="killed", ended_at=home.now)
    assert home.names(job) == ["failed"]


@pytest.mark.parametrize(
    "error,reason", [("it was cancelled there by ada", "it was cancelled there by ada"), (None, "cancelled")]
)
def test_what_was_cancelled_on_the_cluster_says_by_whom_as_far_as_that_is_known(error: str | None, reason: str) -> None:
    home, (job,) = launched(retries=1)
    says(home, job, "ended", how="stopped", ended_at=home.now, error=error, word="CANCELLED")
    assert home.state(job) == Cancelled(home.now, reason)


def test_what_was_to_be_cancelled_and_the_cluster_killed_is_cancelled_and_not_tried_again() -> None:
    home, (job,) = launched(retries=1)
    home.do(Cancel((job,)))
    says(home, job, "ended", how="killed", ended_at=home.now, error="it was preempted")
    assert home.state(job) == Cancelled(home.now, "it was preempted")


def test_a_cluster_is_configured_again_beside_its_allocations() -> None:
    home, _ = launched()
    home.tick(lambda draft: draft.record(AllocationRequested("cluster/1", CLUSTER, 1, {"cpus": 4}, SECOND_US)))
    assert home.change(Configure({CLUSTER: {}}, slurm={CLUSTER: SlurmSpec()})).targets == ()
    assert home.change(Configure({CLUSTER: {}}, slurm={CLUSTER: SlurmSpec(partition="long")})).targets == (CLUSTER,)
    with pytest.raises(BadInput, match="names that begin with 'cluster/'"):
        home.do(Configure({"cluster/1": {}}, slurm={"cluster/1": SlurmSpec()}))


def test_what_a_cluster_called_running_and_nobody_had_claimed_was_never_started_and_is_not_lost() -> None:
    home, (running, away, cancelled) = launched(3, retries=1)
    for job in (running, away, cancelled):
        says(home, job, "running")
    home.do(Cancel((cancelled,)))
    home.report(Unreachable(CLUSTER, "no answer"))
    for job in (running, away, cancelled):
        says(home, job, "revoked")
    assert home.names(running, away, cancelled) == ["delayed", "delayed", "cancelled"]
    state = home.state(running)
    assert isinstance(state, Delayed)
    assert "before its command was started" in state.reason
