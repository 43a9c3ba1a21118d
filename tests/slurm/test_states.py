"""Every way in which a job leaves Slurm becomes an end of its attempt, with Slurm's own word, by accounting or without.

One flow has a job for each of them, on one cluster: Slurm looks at time limits every 30 s, which is waited for once.
"""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.events.records import Outcome
from tests.system.marks import MARK
from tests.system.place import until

from .cluster import Cluster
from .clusters import Clusters
from .submitting import Places, Submitting, jobs

LATER: Final = 'sbatch = { begin = "now+1hour" }'
LARGE: Final = f"{MARK}; x=$(head -c 100M /dev/zero | tr '\\0' x); sleep 600"
ARRAY: Final = ("w0", "w1", "w2")

FLOW: Final = (
    jobs(["ok"])
    + jobs(["seven"], f"{MARK}; exit 7")
    + jobs(["segv"], f"{MARK}; kill -SEGV $$")
    + jobs(["theirs", "ours"], f"{MARK}; sleep 600")
    + jobs(["memory"], LARGE, 'needs = { memory = "20MB" }')
    + jobs(["slow"], f"{MARK}; sleep 600", 'timeout = "1m"')
    + jobs(ARRAY, MARK, LATER)
    + jobs(["alone"], MARK, LATER, 'timeout = "1h"')
    + jobs(["mine"], MARK, LATER, 'timeout = "2h"')
    + jobs(["large"], MARK, 'sbatch = { partition = "small" }', 'timeout = "3h"')
)
RUN: Final = 7  # of them run before anybody does anything

# The job's state; how its attempt ended, Slurm's word, the exit code, the signal; a part of the reason. What we took
# out before it began has ended, or was never begun, as accounting or the queue comes first.
ENDS: Final[dict[str, tuple[str, tuple[str, str | None, int | None, int | None] | None, str]]] = {
    "ok": ("succeeded", ("exited", "COMPLETED", 0, None), ""),
    "seven": ("failed", ("exited", "FAILED", 7, None), "exit code 7"),
    "segv": ("failed", ("exited", "FAILED", None, 11), "killed by signal 11"),
    "theirs": ("cancelled", ("stopped", "CANCELLED", None, 15), "cancelled on the cluster"),
    "ours": ("cancelled", ("stopped", "CANCELLED", None, 15), "cancelled"),
    "memory": ("failed", ("exited", "FAILED", None, 9), "more memory than it asked for"),
    "slow": ("failed", ("timeout", "TIMEOUT", None, 15), "it ran into its time limit; raise its `timeout`"),
    "w0": ("cancelled", None, "cancelled"),
    "w1": ("cancelled", ("stopped", None, None, None), "somebody took it out of the cluster's queue"),
    "w2": ("succeeded", ("exited", "COMPLETED", 0, None), ""),
    "alone": ("cancelled", ("stopped", "CANCELLED", None, None), "cancelled on the cluster"),
    "mine": ("cancelled", None, "cancelled"),
    "large": ("cancelled", None, "cancelled"),
}


def shown(outcome: Outcome) -> tuple[str, str | None, int | None, int | None]:
    """What of an outcome is in the table."""
    return outcome.how, outcome.word, outcome.exit_code, outcome.signal


@pytest.mark.parametrize("accounting", [True, False], ids=["with-accounting", "without-accounting"])
def test_every_end_has_its_own_word(own_cluster: Clusters, at: Places, accounting: bool) -> None:  # noqa: FBT001
    cluster = own_cluster(accounting=accounting)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + FLOW)
    until(lambda: all(map(place.slurm_id, ENDS)), "all are submitted")
    until(lambda: len(place.marks()) == RUN, "what can run runs")
    if accounting:  # it is told of new jobs every 5 s, and then of their ends at once
        until(lambda: place.slurm_id("theirs") in {row.id for row in cluster.recorded()}, "accounting knows of them")
    cluster.hurry(place.slurm_id("slow"))
    for name in ("theirs", "alone", "w1"):
        assert cluster.run("scancel", place.slurm_id(name)).returncode == 0
    until(lambda: place.waits_for("PartitionTimeLimit"), "why the large one waits is known")
    assert "its partition doesn't give so much time; lower its `timeout`" in place.explained("large")
    assert "its time to begin has not come yet (BeginTime)" in place.explained("w2")
    assert place.run("cancel", "ours", "mine", "w0", "large").code == 0
    assert cluster.run("scontrol", "update", f"JobId={place.slurm_id('w2')}", "StartTime=now").returncode == 0
    place.until_done()
    states = {name: place.state(name) for name in ENDS}
    assert states == {name: state for name, (state, _, _) in ENDS.items()}
    outcomes = {name: shown(place.outcome(name)) for name, (_, outcome, _) in ENDS.items() if outcome is not None}
    assert outcomes == {name: outcome for name, (_, outcome, _) in ENDS.items() if outcome is not None}
    for name, (_, _, reason) in ENDS.items():
        assert reason in (place.job(name).reason or ""), name
    place.check_ran_once(states={"succeeded", "failed", "cancelled"})
    place.check_submitted(len(ENDS))
    check_figures(place, accounting=accounting)


def check_figures(place: Submitting, *, accounting: bool) -> None:
    """Where it ran, and how long it waited; what it used is known to accounting alone."""
    for name in ("ok", "seven", "theirs", "slow", "w2"):
        outcome = place.outcome(name)
        assert outcome.nodes in {"n1", "n2"}, name
        assert outcome.queued_us is not None, name
        assert outcome.started_at is not None, name
        assert outcome.started_at <= outcome.ended_at, name
    assert (place.outcome("w2").queued_us or 0) >= 1_000_000
    if accounting:
        memory, slow = place.outcome("memory"), place.outcome("slow")
        assert memory.memory_bytes is not None
        assert memory.memory_bytes > 20_000_000
        assert slow.cpu_us is not None
        assert slow.memory_bytes is not None
        assert "user with the number 0" in (place.job("theirs").reason or "")


def test_a_run_says_of_what_waits_in_vain_what_can_be_done(cluster: Cluster, at: Places) -> None:
    place = at(cluster)
    large = jobs(["large", "as_large"], "true", 'timeout = "3h"')
    run = place.hand_over(place.target('partition = "small"') + large)
    until(lambda: place.waits_for("PartitionTimeLimit"), "why it waits is known")
    assert place.run("cancel", "large", "as_large").code == 0
    said = run.finish().err
    (line,) = [each for each in said.splitlines() if "PartitionTimeLimit" in each]
    assert line.startswith("job 1 (large) and 1 like it wait in the queue of cluster: its partition doesn't give so ")
