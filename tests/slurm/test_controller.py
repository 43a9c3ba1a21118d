"""Slurm's daemons hang, die, come back, and forget: jobs are unknown meanwhile, never failed, and run once (P2)."""

from __future__ import annotations

from typing import Final

import pytest

from tests.store.faults.scope import ALL
from tests.system.marks import MARK
from tests.system.place import until

from .clusters import Clusters
from .commands import slow
from .submitting import Places, jobs, numbered

# A daemon that hangs takes commands as long as they have patience, a minute: nearly all of it idle.
WAYS: Final = ("stop", "kill") if ALL else ("stop",)
GATED: Final = f"{MARK}; until [ -e go ]; do sleep 0.1; done"


def test_p2_a_controller_that_hangs_makes_jobs_unknown_and_all_run_once(own_cluster: Clusters, at: Places) -> None:
    cluster = own_cluster(MessageTimeout=2)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(numbered("before", 2), GATED))
    until(lambda: len(place.marks()) == 2, "jobs run")
    # It hangs in the middle of a submission, which takes effect when it goes on; and of polls.
    cluster.commands.misbehave("sbatch", slow(0.5), times=1)
    run = place.hand_over(jobs(numbered("during", 3)))
    until(lambda: len(cluster.calls("sbatch")) == 2, "they are being submitted")
    cluster.controller.stop()
    for name in ("before0", "during2"):
        place.until_state(name, "unknown")
    explained = " ".join(place.run("explain", "during2").out.split())
    assert "timed out" in explained, explained
    cluster.controller.continue_()
    place.touch("go")
    assert run.finish(120).code == 0
    place.until_done()
    assert place.check_ran_once() == {"succeeded": 5}
    place.check_submitted(5)


def test_p2_a_controller_that_is_killed_and_started_again_has_each_job_once(own_cluster: Clusters, at: Places) -> None:
    cluster = own_cluster(accounting=True)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(numbered("before", 2), GATED))
    until(lambda: len(place.marks()) == 2, "jobs run")
    cluster.restart_controller()  # so that it has saved what it knows
    cluster.controller.kill()
    run = place.hand_over(jobs(numbered("during", 3)))
    place.until_state("before0", "unknown")
    cluster.controller.start()
    place.touch("go")
    assert run.finish(120).code == 0
    place.until_done()
    assert place.check_ran_once() == {"succeeded": 5}
    place.check_submitted(5)


def test_p2_a_controller_that_forgets_and_reuses_ids_mixes_no_jobs_up(own_cluster: Clusters, at: Places) -> None:
    cluster = own_cluster(nodes=1, cpus=1)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["runs"], GATED))
    until(lambda: len(place.marks()) == 1, "the first runs")
    place.hand_over(jobs(["waits"], f"{MARK}; exit 3", "timeout = '1h'"))
    until(lambda: len(cluster.submissions(place.home_id)) == 2, "the second waits")
    ids = [each.id for each in cluster.submissions(place.home_id)]
    cluster.restart_controller(forget=True)
    place.hand_over(jobs(["after"], f"{MARK}; exit 4"))
    place.until_done()
    again = [each.id for each in cluster.submissions(place.home_id)[2:]]
    assert set(again) & set(ids), "ids were given again"
    place.check_ran_once(states={"failed", "lost"})
    assert place.job("waits").exit_code == 3
    # A node that is still ending the job that had its id may refuse it: then nobody has seen it run, and it says so.
    assert (place.job("after").exit_code, place.state("after")) in {(4, "failed"), (None, "lost")}
    assert len(place.marks()) == (3 if place.state("after") == "failed" else 2)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_accounting_that_is_away_fails_no_job(own_cluster: Clusters, at: Places, how: str) -> None:
    cluster = own_cluster(accounting=True, MessageTimeout=2)
    place = at(cluster)
    place.serve_impatiently()
    getattr(cluster.accounting, how)()
    run = place.hand_over(place.target() + jobs(numbered("a", 2)) + jobs(["bad"], f"{MARK}; exit 3"))
    assert run.finish(180).code == 1
    place.check_ran_once(states={"succeeded", "failed"})
    assert place.states() == {"a0": "succeeded", "a1": "succeeded", "bad": "failed"}
    assert place.job("bad").exit_code == 3
    place.check_submitted(3)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.thorough
def test_p2_without_munge_jobs_are_unknown_and_each_runs_once(own_cluster: Clusters, at: Places, how: str) -> None:
    cluster = own_cluster(MessageTimeout=2)
    place = at(cluster)
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(numbered("before", 2), GATED))
    until(lambda: len(place.marks()) == 2, "jobs run")
    getattr(cluster.munge, how)()
    run = place.hand_over(jobs(numbered("during", 3)))
    until(lambda: place.state("before0") == "unknown", "what ran is unknown", 120)
    if how == "stop":
        cluster.munge.continue_()
    else:
        cluster.munge.start()
    place.touch("go")
    assert run.finish(180).code == 0
    place.until_done()
    assert place.check_ran_once() == {"succeeded": 5}
    place.check_submitted(5)
