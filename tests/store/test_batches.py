"""Batches as every store keeps them: those of which something is to be expected, their scripts, and who is in them."""

from holdfast.events.decide import decide
from holdfast.events.facts import (
    AttemptBatched,
    BatchAbsent,
    BatchClosed,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
)
from holdfast.events.launches import launch
from holdfast.events.messages import Cancel, Configure, Submit
from holdfast.events.outcomes import record_batches
from holdfast.events.records import Batch, ClosedBatch, PlannedBatch, SubmittedBatch, UnclearBatch
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore

from .batch_steps import CLUSTER, SLURM
from .histories import START
from .stores import HOME_ID, draft_on, findings, lines_of

OTHER = "other"
FIRST, SECOND = f"{HOME_ID}.1.1", f"{HOME_ID}.3.1"


def planned(batch: str, size: int = 1, target: str = CLUSTER) -> BatchPlanned:
    return BatchPlanned(target, batch, size, f"#!/bin/sh\n# {batch} 'ä'\n", "00")


def record(store: Store, *news: BatchEvent, members: tuple[AttemptBatched, ...] = ()) -> None:
    draft = draft_on(store)
    record_batches(draft, CLUSTER, news, members)
    store.commit([draft])


def fill(store: Store, jobs: int = 3) -> None:
    """Launch that many jobs on a cluster."""
    draft = draft_on(store)
    decide(draft, Configure({CLUSTER: {}, OTHER: {}}, slurm={CLUSTER: SLURM, OTHER: SLURM}))
    decide(draft, Submit(FlowSpec(tuple(JobSpec(("true",), target=CLUSTER, cwd="") for _ in range(jobs)))))
    for job in range(1, jobs + 1):
        launch(draft, draft.known_job(job))
    store.commit([draft])


def test_a_home_without_batches_has_none(store: Store) -> None:
    fill(store)
    assert store.base.batch(FIRST) is None
    assert store.base.open_batches(CLUSTER) == []
    assert store.base.script(FIRST) is None
    assert store.base.batched([1, 2, 99]) == {}


def test_what_became_of_a_batch_is_its_record(store: Store) -> None:
    fill(store)
    expected: list[tuple[BatchEvent, PlannedBatch | UnclearBatch | SubmittedBatch | ClosedBatch]] = [
        (planned(FIRST, 2), PlannedBatch()),
        (BatchWaits(CLUSTER, FIRST, "not just now"), PlannedBatch("not just now")),
        (BatchUnclear(CLUSTER, FIRST, "timed out"), UnclearBatch(START, "timed out")),
        (BatchAbsent(CLUSTER, FIRST, "asked twice"), PlannedBatch()),
        (BatchUnclear(CLUSTER, FIRST, "timed out"), UnclearBatch(START, "timed out")),
        (BatchSubmitted(CLUSTER, FIRST, "25", found=True), SubmittedBatch(START, "25")),
        (BatchWaits(CLUSTER, FIRST, "Priority"), SubmittedBatch(START, "25", "Priority")),
        (BatchClosed(CLUSTER, FIRST, "all have ended"), ClosedBatch(START, "all have ended", "25")),
    ]
    for event, state in expected:
        record(store, event)
        assert store.base.batch(FIRST) == Batch(FIRST, CLUSTER, 2, START, state)
    assert {line.author for line in lines_of(store) if line.type.startswith("batch_")} == {"target:cluster"}


def test_open_batches_are_those_of_one_target_that_are_not_closed_by_name(store: Store) -> None:
    fill(store)
    record(store, planned(SECOND), planned(FIRST), planned("elsewhere", target=OTHER))
    assert [batch.name for batch in store.base.open_batches(CLUSTER)] == [FIRST, SECOND]
    assert [batch.name for batch in store.base.open_batches(OTHER)] == ["elsewhere"]
    assert store.base.open_batches("local") == []
    record(store, BatchSubmitted(CLUSTER, FIRST, "25"))
    record(store, BatchClosed(CLUSTER, SECOND, "it was refused"))
    assert store.base.open_batches(CLUSTER) == [Batch(FIRST, CLUSTER, 1, START, SubmittedBatch(START, "25"))]
    record(store, BatchClosed(CLUSTER, FIRST, "all have ended"))
    assert store.base.open_batches(CLUSTER) == []
    assert store.base.batch(FIRST) is not None


def test_the_script_of_a_batch_is_kept_as_it_was_planned_also_once_it_is_closed(store: Store) -> None:
    fill(store)
    record(store, planned(FIRST))
    record(store, BatchClosed(CLUSTER, FIRST, "it was refused"))
    assert store.base.script(FIRST) == planned(FIRST).script
    assert store.base.script(SECOND) is None


def test_a_batch_that_is_planned_and_closed_in_one_commit_is_there(store: Store) -> None:
    fill(store)
    record(store, planned(FIRST), BatchSubmitted(CLUSTER, FIRST, "25"), BatchClosed(CLUSTER, FIRST, "all have ended"))
    assert store.base.open_batches(CLUSTER) == []
    assert store.base.batch(FIRST) == Batch(FIRST, CLUSTER, 1, START, ClosedBatch(START, "all have ended", "25"))


def test_of_each_job_the_newest_batch_is_known(store: Store) -> None:
    fill(store)
    members = AttemptBatched(1, 1, FIRST, 0), AttemptBatched(2, 1, FIRST, 1)
    record(store, planned(FIRST, 2), members=members)
    assert store.base.batched([1, 2, 3, 99]) == {1: members[0], 2: members[1]}
    again = AttemptBatched(2, 1, SECOND)
    record(store, BatchClosed(CLUSTER, FIRST, "it was refused"), planned(SECOND), members=(again,))
    assert store.base.batched([1, 2]) == {1: members[0], 2: again}
    assert store.base.batched([]) == {}


def test_the_batches_of_many_jobs_are_found_at_once(store: Store) -> None:
    fill(store, 1_200)
    members = tuple(AttemptBatched(job, 1, FIRST, job) for job in range(1, 1_201))
    record(store, planned(FIRST, 1_200), members=members)
    assert store.base.batched(range(1, 1_201)) == {each.job: each for each in members}


def test_news_that_can_not_be_leaves_no_trace(store: Store) -> None:
    fill(store)
    record(store, planned(FIRST))
    before = lines_of(store)
    draft = draft_on(store)
    record_batches(draft, CLUSTER, (BatchAbsent(CLUSTER, FIRST, "asked twice"),), ())
    assert draft.entries == []
    assert draft.batches.changed == {}
    store.commit([draft])
    assert lines_of(store) == before
    assert store.base.batch(FIRST) == Batch(FIRST, CLUSTER, 1, START, PlannedBatch())


def test_the_view_of_batches_is_whole(sqlite_store: SqliteStore, home: Home) -> None:
    fill(sqlite_store)
    record(sqlite_store, planned(FIRST), planned(SECOND), members=(AttemptBatched(1, 1, FIRST),))
    record(sqlite_store, BatchSubmitted(CLUSTER, FIRST, "25"), BatchClosed(CLUSTER, SECOND, "it was refused"))
    assert findings(home.path) == []


def test_the_names_of_secrets_are_those_of_jobs_that_have_not_ended(store: Store) -> None:
    assert store.base.secret_names() == set()
    draft = draft_on(store)
    decide(draft, Configure({"local": {"cpus": 4}}))
    flow = FlowSpec(
        (JobSpec(("true",), secrets=("API_KEY", "TOKEN")), JobSpec(("true",), secrets=("TOKEN",)), JobSpec(("true",)))
    )
    decide(draft, Submit(flow))
    store.commit([draft])
    assert store.base.secret_names() == {"API_KEY", "TOKEN"}
    draft = draft_on(store)
    decide(draft, Cancel((1,)))
    store.commit([draft])
    assert store.base.secret_names() == {"TOKEN"}
