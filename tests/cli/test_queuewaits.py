"""What a run says of what waits in a cluster's queue until somebody does something about it."""

from __future__ import annotations

from holdfast.cli.running.queuewaits import QueueWaits
from holdfast.events.allocations import name_of, token_of
from holdfast.events.draft import Draft
from holdfast.events.facts import AllocationRequested, BatchPlanned, BatchSubmitted, BatchWaits
from holdfast.events.spec import PilotSpec, SlurmSpec
from holdfast.store.reader import Reader

from .clusters import CLUSTER, SCRIPT, ClusterStage
from .staging import SECOND_US, Stage, job

HELD = "it is held in Slurm; `scontrol release` lets it go (JobHeldUser)"


def waits(stage: Stage, told: QueueWaits, batch: str, reason: str) -> list[str]:
    """The lines that are said once a batch waits for this."""

    def record(draft: Draft) -> None:
        draft.record(BatchWaits(CLUSTER, batch, reason))
        told.note(draft)

    stage.tick(record, "target:cluster")
    with Reader(stage.home) as reader:
        return list(told.lines(reader))


def test_an_allocation_that_waits_in_vain_is_not_taken_for_the_job_of_its_number(stage: Stage) -> None:
    ClusterStage(stage, SlurmSpec(partition="main", pilot=PilotSpec(max=3)))
    batch = token_of("0badcafe", 3)
    stage.submit(job("plot"), job("draw"), job("unrelated"))

    def ask(draft: Draft) -> None:
        draft.record(AllocationRequested(name_of(CLUSTER, 3), CLUSTER, 3, {"cpus": 2}, 60 * SECOND_US))
        draft.record(BatchPlanned(CLUSTER, batch, 1, SCRIPT, "00"))
        draft.record(BatchSubmitted(CLUSTER, batch, "4712"))

    stage.tick(ask, "target:cluster")
    told = QueueWaits()
    assert waits(stage, told, batch, "JobHeldUser") == [f"allocation 3 of cluster waits in the queue: {HELD}"]
    assert waits(stage, told, batch, "Priority") == []
    assert waits(stage, told, batch, "JobHeldUser") == []


def test_jobs_that_wait_in_vain_are_said_by_the_first_of_them(stage: Stage) -> None:
    cluster = ClusterStage(stage)
    each = [job(name, ("true",), target=CLUSTER, cwd="") for name in ("a", "b", "c")]
    stage.submit(*each)
    both, alone = cluster.submitted(1, 2), cluster.submitted(3, number="4712")
    told = QueueWaits()
    said = waits(stage, told, both, "JobHeldUser")
    assert said == [f"job 1 (a) and 1 like it wait in the queue of cluster: {HELD}"]
    assert waits(stage, told, alone, "JobHeldUser") == [f"job 3 (c) waits in the queue of cluster: {HELD}"]
