"""What nodes do to jobs: they die, have no workdir, run out of memory; and administrators put jobs back."""

from __future__ import annotations

from typing import Final

from tests.system.marks import MARK
from tests.system.place import until

from .cluster import Cluster
from .clusters import Clusters
from .submitting import Places, Submitting, jobs

GATED: Final = f"{MARK}; until [ -e go ]; do sleep 0.1; done; echo over >> ends"


def scontrol(cluster: Cluster, *words: str) -> None:
    """As an administrator."""
    ran = cluster.run("scontrol", *words)
    assert ran.returncode == 0, ran.stderr


def ends(place: Submitting) -> int:
    """How many commands came to their own end, whatever Slurm thinks of them."""
    path = place.workdir / "ends"
    return path.read_text().count("over") if path.exists() else 0


def logs(place: Submitting) -> str:
    """What Slurm's own logs of the scripts say."""
    return "".join(path.read_text() for path in place.workdir.glob(".holdfast/*/slurm/*.log"))


def test_p2_a_node_that_fails_leaves_its_job_lost_and_another_attempt_only_by_policy(
    own_cluster: Clusters, at: Places
) -> None:
    cluster = own_cluster(SlurmdTimeout=3)
    place = at(cluster)
    place.serve_impatiently()
    on_first = 'sbatch = { nodelist = "n1" }'
    again = 'retries = 1\nretry_on = ["lost"]\nretry_delay = "0s"\nsbatch = { nodelist = "n1" }\ntimeout = "5m"'
    place.hand_over(place.target() + jobs(["once"], GATED, on_first) + jobs(["again"], GATED, again))
    until(lambda: len(place.marks()) == 2, "both run")
    cluster.nodes["n1"].kill()
    until(lambda: place.state("once") == "lost", "the first is lost")
    outcome = place.outcome("once")
    assert (outcome.how, outcome.word) == ("lost", "NODE_FAIL")
    assert "its node failed" in (place.job("once").reason or "")
    until(lambda: place.job("again").attempt == 2, "the other one has a second attempt")
    place.touch("go")
    until(lambda: ends(place) == 2, "what ran on that node has run on")
    cluster.nodes["n1"].start()
    place.until_done()
    assert ends(place) == 3
    assert place.states() == {"once": "lost", "again": "succeeded"}
    place.check_ran_once(states={"lost", "succeeded"})
    place.check_submitted(3)
    assert len(place.marks()) == 3


def test_p2_a_job_that_an_administrator_requeues_is_stopped_by_the_fence_and_says_so(
    own_cluster: Clusters, at: Places
) -> None:
    cluster = own_cluster(accounting=True, JobRequeue=1)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["a"], GATED))
    until(lambda: len(place.marks()) == 1, "it runs")
    job = place.slurm_id("a")
    scontrol(cluster, "update", f"JobId={job}", "Requeue=1")
    scontrol(cluster, "requeue", job)
    cluster.until_state(job, "PENDING")
    scontrol(cluster, "update", f"JobId={job}", "StartTime=now+2")  # nodes refuse it within a second
    place.until_done()
    place.check_ran_once(states={"failed"})
    assert len(place.marks()) == 1
    outcome = place.outcome("a")
    assert (outcome.how, outcome.word, outcome.signal) == ("killed", "REQUEUED", 15)
    assert "put back into the cluster's queue while it ran" in (place.job("a").reason or "")
    assert "this second copy of it" in logs(place)
    place.check_submitted(1)


def test_a_node_without_the_workdir_starts_nothing_and_the_reason_says_what_to_look_at(
    own_cluster: Clusters, at: Places
) -> None:
    cluster = own_cluster()
    place = at(cluster)
    scontrol(cluster, "update", "PartitionName=main", "State=DOWN")
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["a"]))
    until(lambda: place.slurm_id("a"), "it waits")
    away = place.workdir.with_name("away")
    place.workdir.rename(away)
    scontrol(cluster, "update", "PartitionName=main", "State=UP")
    job = place.slurm_id("a")
    cluster.until_state(job, "FAILED")
    away.rename(place.workdir)
    place.until_done()
    assert place.outcome("a").how == "not_started"
    assert "workdir" in (place.job("a").reason or "")


def test_a_job_beyond_its_memory_is_out_of_memory_where_the_kernel_counts(own_cluster: Clusters, at: Places) -> None:
    cluster = own_cluster(nodes=1, cgroup=True)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(
        place.target() + jobs(["a"], f"{MARK}; head -c 200M /dev/zero | tail", 'needs = { memory = "20MB" }')
    )
    place.until_done()
    outcome = place.outcome("a")
    assert (outcome.how, outcome.word) == ("killed", "OUT_OF_MEMORY")
    assert "raise `needs.memory`" in (place.job("a").reason or "")


def test_a_job_that_another_one_displaces_is_killed_and_says_so(own_cluster: Clusters, at: Places) -> None:
    cluster = own_cluster(nodes=1, cpus=1, PreemptType="preempt/partition_prio", PreemptMode="CANCEL")
    scontrol(cluster, "update", "PartitionName=small", "PriorityTier=10")
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["a"], GATED))
    until(lambda: len(place.marks()) == 1, "it runs")
    cluster.submit("dear", "true", "--partition=small")
    place.until_done()
    outcome = place.outcome("a")
    assert (outcome.how, outcome.word) == ("killed", "PREEMPTED")
    assert "another job took its place" in (place.job("a").reason or "")
