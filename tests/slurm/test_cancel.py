"""A cancel on a cluster is looked up, not assumed: also where it is in doubt what there is to be cancelled."""

from __future__ import annotations

from typing import Final

import pytest

from tests.store.faults.scope import ALL
from tests.system.marks import MARK
from tests.system.place import until

from .cluster import Cluster
from .commands import dies, times_out
from .submitting import Places, jobs, numbered

GATED: Final = f"{MARK}; until [ -e go ]; do sleep 0.1; done"
# Where it had no effect it is said again half a minute later.
EFFECTS: Final = {"it-took-effect": True} | ({"it-did-not": False} if ALL else {})


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_cancel_that_timed_out_is_looked_up(cluster: Cluster, at: Places, effect: str) -> None:
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(numbered("a", 2), GATED))
    for name in numbered("a", 2):
        place.until_state(name, "running")
    cluster.commands.misbehave("scancel", times_out("scancel", works=EFFECTS[effect]), times=1)
    assert place.run("cancel", "a0").code == 0
    place.until_state("a0", "cancelled")
    assert place.outcome("a0").word == "CANCELLED"
    assert len(cluster.calls("scancel")) == (1 if EFFECTS[effect] else 2)
    assert place.state("a1") == "running"  # the other task of the array goes on
    place.touch("go")
    place.until_done()
    assert place.states() == {"a0": "cancelled", "a1": "succeeded"}


@pytest.mark.parametrize("works", [True, False], ids=["it-took-effect", "it-did-not"])
def test_p2_a_job_that_is_cancelled_while_its_submission_is_in_doubt_does_not_run_afterwards(
    cluster: Cluster,
    at: Places,
    works: bool,  # noqa: FBT001
) -> None:
    place = at(cluster)
    place.serve_impatiently()
    cluster.commands.misbehave("sbatch", dies(after=works), times=1)
    place.hand_over(place.target() + jobs(["a"], GATED, 'sbatch = { begin = "now+2" }'))
    place.until_state("a", "unknown")
    assert place.run("cancel", "a").code == 0
    place.until_done()
    assert place.state("a") == "cancelled"
    cluster.wait_idle()
    assert len(place.marks()) <= works
    place.check_submitted(int(works))
    assert len(cluster.calls("sbatch")) == 1


def test_many_that_wait_are_cancelled_at_once_and_what_runs_with_them_goes_on(cluster: Cluster, at: Places) -> None:
    place = at(cluster)
    place.serve_impatiently()
    later = 'sbatch = { begin = "now+1hour" }'
    place.hand_over(place.target() + jobs(numbered("w", 40), MARK, later) + jobs(["runs"], GATED))
    until(lambda: len(cluster.jobs(place.home_id)) == 41, "all are in the queue")
    place.until_state("runs", "running")
    assert place.run("cancel", *numbered("w", 39)).code == 0
    until(lambda: place.unfinished() == 2, "they are cancelled")
    assert len(cluster.calls("scancel")) <= 2
    assert {place.state("w39"), place.state("runs")} == {"launching", "running"}
    assert place.run("cancel", "w39").code == 0
    place.touch("go")
    place.until_done()
    assert place.state("runs") == "succeeded"
    place.check_ran_once(states={"succeeded", "cancelled"})
