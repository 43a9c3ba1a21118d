"""What people and programs read of jobs on a cluster: `show`, `show --script`, `explain`, `hosts` and `log`."""

from __future__ import annotations

import hashlib
import json

from holdfast.events.facts import AllocationEnded, AllocationGranted, AllocationRequested, AllocationRetired, BatchWaits
from holdfast.events.hosts import Down
from holdfast.events.spec import JobSpec, PilotSpec, SlurmSpec, SshSpec

from .clusters import CLUSTER, SCRIPT, ClusterStage
from .commands import Caller
from .staging import SECOND_US, Stage, job

SHA256 = hashlib.sha256(SCRIPT.encode()).hexdigest()


def there(name: str, **fields: object) -> JobSpec:
    """A job for the cluster."""
    return job(name, ("true",), target=CLUSTER, cwd="", **fields)


def conclusion(call: Caller, name: str) -> str:
    """The sentences in which `explain` ends, without those about the supervisor that is not there."""
    said = call("explain", name)
    assert said.code == 0
    return said.out.rsplit("\n\n", 1)[1].partition(" No supervisor is running")[0].strip()


def test_a_job_in_the_queue_says_which_it_is_there_and_why_it_waits(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"), there("b"))
    cluster.submitted(1, 2, reason="Priority")
    told = conclusion(call, "b")
    assert told.startswith("Attempt 1 of the job is in the queue of cluster as Slurm's job 4711_1 since ")
    assert told.endswith(": jobs of higher priority are before it (Priority).")
    (held_by,) = json.loads(call("explain", "b", "--json").out)["held_by"]
    assert held_by["kind"] == "slurm"
    assert held_by["what"] == "cluster: jobs of higher priority are before it (Priority)"


def test_a_job_that_runs_there_says_where(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"))
    cluster.submitted(1)
    assert "why it waits, Slurm has not said yet" in conclusion(call, "a")
    cluster.says(1, "running", started_at=stage.now)
    assert " on cluster as Slurm's job 4711, attempt 1 (event " in conclusion(call, "a")


def test_a_job_of_which_nobody_knows_whether_slurm_has_it_says_so_and_what_is_done(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"))
    batch = cluster.unclear(1)
    cluster.says(1, "unclear", error="sbatch timed out")
    told = conclusion(call, "a")
    assert "Socket timed out on send/recv operation" in told
    assert "It is looked up there by its name" in told
    assert "submitted again only once cluster has answered" in told
    cluster.absent(batch)
    cluster.says(1, "queued")
    assert conclusion(call, "a").startswith("Attempt 1 of the job is about to be submitted to cluster")


def test_a_controller_that_does_not_answer_makes_a_job_neither_running_nor_ended(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"))
    cluster.submitted(1)
    cluster.says(1, "running", started_at=stage.now)
    cluster.says(1, "unclear", error="squeue: the controller does not answer")
    told = conclusion(call, "a")
    assert told.startswith("How attempt 1 of the job as Slurm's job 4711 stands is not known since ")
    assert "squeue: the controller does not answer. It counts neither as running nor as ended" in told


def test_a_job_that_its_cluster_lets_wait_for_others_names_them(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage, SlurmSpec(native_dependencies=True))
    stage.submit(there("a"), there("b", after=["a"]))
    cluster.submitted(1, number="4711")
    cluster.submitted(2, number="4712", reason="Dependency", after={"0badcafe.1.1": "after"})
    told = conclusion(call, "b")
    assert told.startswith("Attempt 1 of the job is in the queue of cluster as Slurm's job 4712 since ")
    assert told.endswith("(Dependency). cluster was told to wait for job 1 (a) to succeed.")
    assert "attempt 1 launched on cluster, to wait there for job 1 (a) to succeed" in call("explain", "b").out


def test_a_batch_that_was_not_taken_yet_says_why_in_its_own_words(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"))
    batch = cluster.planned(1)
    cluster.happens(BatchWaits(CLUSTER, batch, "your limit of jobs in the queue is reached"))
    told = conclusion(call, "a")
    assert told == (
        "Attempt 1 of the job waits here: cluster has not taken it yet: your limit of jobs in the queue is reached. "
        "It is tried again."
    )


def test_a_launch_that_is_in_no_batch_says_what_is_wrong_with_the_way(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage, ssh=SshSpec("login"))
    stage.submit(there("a"))
    stage.launch(1)
    assert "it has not been submitted yet" in conclusion(call, "a")
    cluster.is_(Down(stage.now, "no route to host", stage.now + SECOND_US))
    assert "Its host cluster is down: no route to host" in conclusion(call, "a")


def test_a_ready_job_waits_for_room_under_max_queued(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage, SlurmSpec(max_queued=2))
    stage.submit(there("a"), there("b"), there("c", needs={"cpus": 10_000}))
    cluster.submitted(1, 2)
    told = conclusion(call, "c")
    assert "2 attempts are with cluster, and max_queued allows 2" in told
    assert "cpus" not in told  # Slurm counts them, not the target


def test_show_has_all_that_slurm_says_and_where_the_script_is(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage, SlurmSpec(templates={"gpu": "x"}))
    hours_us = 7200 * SECOND_US
    stage.submit(there("a", timeout_us=hours_us, sbatch={"qos": "long"}, template="gpu", variables={"modules": "gcc"}))
    batch = cluster.submitted(1, reason="Resources")
    said = call("show", "a")
    assert "output kept" not in said.out
    for words in (
        "sbatch        qos = long",
        "template      gpu",
        "variable      modules=gcc",
        "folder        the target's workdir",
        "launched; in Slurm's queue",
        "2 h, then as long as its cluster gives it to end by itself",
        "submitted: it is next, and waits for free nodes (Resources)",
        f"batch 1.1, submitted; its script has the SHA-256 {SHA256}",
    ):
        assert words in said.out, words
    cluster.says(1, "running", started_at=stage.now)
    assert "running\n" in call("show", "a").out
    ending = {"how": "killed", "word": "OUT_OF_MEMORY", "nodes": "n[1-2]", "queued_us": 12 * SECOND_US}
    cluster.says(1, "ended", ended_at=stage.now, started_at=stage.now, error="it took too much memory", **ending)
    cluster.closed(batch)
    said = call("show", "a")
    assert "failed: it took too much memory" in said.out
    assert "Slurm's job 4711, 12 s in its queue, on n[1-2], ended as OUT_OF_MEMORY" in said.out
    shown = json.loads(call("show", "a", "--json").out)
    assert (shown["sbatch"], shown["template"], shown["variables"]) == ({"qos": "long"}, "gpu", {"modules": "gcc"})
    (attempt,) = shown["attempts"]
    assert (attempt["word"], attempt["nodes"], attempt["queued_us"]) == ("OUT_OF_MEMORY", "n[1-2]", 12 * SECOND_US)
    assert attempt["slurm"] == {
        "batch": batch,
        "index": None,
        "id": "4711",
        "state": "closed",
        "reason": None,
        "sha256": SHA256,
    }


def test_explain_tells_what_happened_to_the_batch_but_not_each_reason_that_passed(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"), there("b"), there("c"))
    batch = cluster.submitted(1, 2, reason="Priority")
    cluster.happens(BatchWaits(CLUSTER, batch, "Resources"))
    cluster.submitted(3, number="4712")
    events = json.loads(call("explain", "b", "--json").out)["events"]
    assert [each["type"] for each in events] == [
        "job_submitted",
        "attempt_launched",
        "batch_planned",
        "attempt_batched",
        "batch_submitted",
        "batch_waits",
    ]
    assert events[-1]["what"] == ("target cluster: batch 1.1 waits: it is next, and waits for free nodes (Resources)")


def test_the_script_comes_out_as_it_was_submitted(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"), there("b"), there("c"), job("here"))
    batch = cluster.submitted(1, 2)
    said = call("show", "b", "--script")
    assert (said.code, said.out) == (0, SCRIPT)
    assert said.err == f"holdfast: attempt 1 of job 2, batch 1.1 of 2, SHA-256 {SHA256}\n"
    line = {"job": 2, "attempt": 1, "batch": batch, "size": 2, "sha256": SHA256, "script": SCRIPT}
    assert json.loads(call("show", "b", "--script", "--json").out) == line
    for name, number in (("c", 3), ("here", 4)):
        said = call("show", name, "--script")
        assert (said.code, said.out) == (2, "")
        assert f"job {number} has no script: none of its attempts was given to a cluster" in said.err


def test_jobs_says_why_what_is_in_the_queue_waits_and_replay_and_programs_get_what_they_ever_got(
    stage: Stage, call: Caller
) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"), there("b"), there("c"), there("d"), job("here"))
    cluster.submitted(1, reason="PartitionTimeLimit")
    cluster.submitted(2, number="4712")
    cluster.planned(3)
    stage.launch(4, 5)
    whys = [line.rpartition("  ")[2].strip() for line in call("jobs").out.splitlines()[1:]]
    assert whys[0].startswith("its partition doesn't give so much time")
    assert whys[1:3] == ["in the cluster's queue", "to be submitted"]
    assert call("jobs", "--json").out == call("replay", "--json").out
    assert [json.loads(line)["reason"] for line in call("jobs", "--json").out.splitlines()] == [None] * 5


def test_a_priority_has_no_effect_on_what_is_in_the_queue_and_that_is_said(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"), there("b"))
    cluster.submitted(1)
    stage.close()
    assert "in a cluster's queue the cluster decides" in call("priority", "5", "a", "b").err
    assert "the cluster decides" not in call("priority", "6", "b").err


def test_a_cluster_that_never_answered_is_no_place_to_be_launched_on_soon(stage: Stage, call: Caller) -> None:
    ClusterStage(stage)
    stage.submit(there("a"))
    assert "Slurm on cluster has not answered yet (`holdfast doctor cluster` says what is wrong)" in conclusion(
        call, "a"
    )


def test_the_log_tells_what_happened_to_batches(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"), there("b"))
    cluster.closed(cluster.submitted(1, reason="Priority"))
    cluster.absent(cluster.unclear(2, reason="sbatch timed out"))
    said = call("log").out
    for words in (
        "target cluster is a cluster of Slurm's",
        f"batch 1.1 of 1 attempt is to be submitted, with a script of SHA-256 {SHA256[:12]}...",
        "attempt 1 is to be submitted in batch 1.1",
        "batch 1.1 is Slurm's job 4711",
        "batch 1.1 waits: jobs of higher priority are before it (Priority)",
        "batch 1.1 is over: all its attempts have ended",
        "batch 2.1 was submitted, and whether it arrived is not known: sbatch timed out",
        "batch 2.1 is not there, so it is submitted again",
    ):
        assert words in said, words


def test_clusters_are_listed_with_what_they_queue_and_run(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage, SlurmSpec(partition="main"))
    stage.submit(there("a"), there("b"), there("c"))
    cluster.submitted(1, 2, 3)
    cluster.says(1, "running", started_at=stage.now)
    cluster.says(2, "unclear", error="it does not answer")
    said = call("hosts")
    assert [line.split()[0] for line in said.out.splitlines()] == ["NAME", "cluster"]
    assert "this machine, Slurm main" in said.out
    (line,) = [json.loads(each) for each in call("hosts", "--json").out.splitlines()]
    assert {name: line[name] for name in ("name", "host", "kind", "partition", "queued", "unclear", "running")} == {
        "name": "cluster",
        "host": None,
        "kind": "slurm",
        "partition": "main",
        "queued": 1,
        "unclear": 1,
        "running": 3,
    }
    assert line["reason"] == "it does not answer"


def test_a_cluster_that_does_not_take_what_it_is_given_says_why(stage: Stage, call: Caller) -> None:
    cluster = ClusterStage(stage)
    stage.submit(there("a"))
    batch = cluster.planned(1)
    cluster.happens(BatchWaits(CLUSTER, batch, "your limit of jobs in the queue is reached"))
    assert json.loads(call("hosts", "--json").out)["reason"] == "your limit of jobs in the queue is reached"


def test_allocations_are_listed_until_they_are_done_with(stage: Stage, call: Caller) -> None:
    ClusterStage(stage, SlurmSpec(pilot=PilotSpec()))
    stage.submit(there("a", needs={"cpus": 4}))
    assert "no allocation of cluster is there yet." in conclusion(call, "a")
    stage.tick(lambda draft: draft.record(AllocationRequested("cluster/1", CLUSTER, 1, {"cpus": 2}, 60 * SECOND_US)))
    assert "no allocation of cluster is there yet; asked for: 1." in conclusion(call, "a")

    def line() -> dict[str, object]:
        (found,) = [
            each for each in map(json.loads, call("hosts", "--json").out.splitlines()) if each["name"] != CLUSTER
        ]
        return {name: found[name] for name in ("name", "kind", "host", "state")}

    assert line() == {"name": "cluster/1", "kind": "allocation", "host": None, "state": "asked"}
    stage.tick(lambda draft: draft.record(AllocationGranted("cluster/1", "4712", "n1", stage.now)))
    assert line()["host"] == "n1"
    assert "cluster/1 has no room for it." in conclusion(call, "a")
    stage.tick(lambda draft: draft.record(AllocationEnded("cluster/1", "its time was over", "TIMEOUT")))
    assert line()["state"] == "over"
    stage.tick(lambda draft: draft.record(AllocationRetired("cluster/1")))
    assert [json.loads(each)["name"] for each in call("hosts", "--json").out.splitlines()] == [CLUSTER]
    said = call("log").out
    for words in (
        "allocation cluster/1 is to be asked for, for 1 min, with cpus 2",
        "allocation cluster/1 is Slurm's job 4712 and runs on n1",
        "allocation cluster/1 is over: its time was over (TIMEOUT)",
        "allocation cluster/1 is done with",
    ):
        assert words in said, words
