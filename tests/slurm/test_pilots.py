"""Many small jobs in allocations that start the runner: each runs once, and an allocation takes nothing with it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from holdfast.events import facts
from holdfast.events.records import Granted
from tests.system.place import until, wait_s
from tests.system.processes import kill

from .cluster import Cluster
from .piloted import NAME, WAITING, Piloted, numbered


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Piloted]:
    """A place of the test's own, with the cluster that tests share."""
    made = Piloted(tmp_path, cluster)
    yield made
    made.close()


def test_many_jobs_go_through_few_allocations_and_each_runs_once(place: Piloted) -> None:
    flow = place.flow(place.target({"max": 2}) + place.jobs_of(numbered("j", 500)))
    assert place.run("run", flow).code == 0
    assert place.check_ran_once() == {"succeeded": 500}
    assert place.asked_for() <= 2
    assert len(place.cluster.submissions(place.jobs()[0].name)) == 0


@pytest.mark.thorough
def test_ten_small_jobs_ask_for_one_allocation(place: Piloted) -> None:
    flow = place.flow(place.target({"max": 4, "cpus": 2}) + place.jobs_of(numbered("j", 10)))
    assert place.run("run", flow).code == 0
    assert place.asked_for() == 1


def test_an_allocation_that_has_nothing_to_do_is_given_back(place: Piloted) -> None:
    serve = place.serve()
    place.submit_flow(place.target({"idle": "1s"}) + place.jobs_of(["a"]))
    place.until_state("a", "succeeded")
    until(lambda: place.allocations() == [], "it is given back")
    (number,) = place.ids()
    place.cluster.until_state(number, "CANCELLED", "COMPLETED")
    assert "pilots/1" not in place.run("hosts").out
    # Its output is there all the same.
    assert place.run("logs", "a").code == 0
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


def test_an_allocation_that_is_cancelled_loses_what_ran_there_and_that_goes_elsewhere_only_by_its_policy(
    place: Piloted,
) -> None:
    serve = place.serve()
    again = 'retries = 1\nretry_on = ["lost"]\nretry_delay = "0.1s"'
    place.submit_flow(
        place.target({"cpus": 4}) + place.jobs_of(["a", "b"], WAITING) + place.jobs_of(["c", "d"], WAITING, again)
    )
    place.until_marked(4)
    place.cluster.run("scancel", place.ids()[0])
    for name in ("a", "b"):
        place.until_state(name, "lost")
    place.until_marked(6)
    place.go()
    for name in ("c", "d"):
        place.until_state(name, "succeeded")
    assert place.check_ran_once() == {"lost": 2, "succeeded": 2}
    assert place.asked_for() == 2
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


def test_what_waits_in_an_allocation_that_ends_was_never_begun_and_uses_up_no_try(place: Piloted) -> None:
    serve = place.serve()
    place.submit_flow(
        place.target({"cpus": 1}) + place.jobs_of(numbered("j", 300), "sleep 0.01; echo $HOLDFAST_TOKEN >> marks")
    )
    place.until_marked(50)
    place.cluster.run("scancel", place.ids()[0])
    place.until_unfinished(0)
    counts = place.check_ran_once()
    # At most the one that ran just then.
    assert counts["lost"] <= 1
    assert counts["succeeded"] == 300 - counts["lost"]
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


@pytest.mark.thorough
def test_an_allocation_takes_no_job_that_it_has_no_time_for_and_ends_what_runs_before_slurm_does(
    place: Piloted,
) -> None:
    serve = place.serve()
    place.submit_flow(place.target({"time": "1m", "cpus": 3}) + place.jobs_of(["a"], WAITING))
    place.until_marked(1)
    began_at = time.monotonic()
    wait_s(10.0)
    place.submit_flow(place.jobs_of(["b"], more='timeout = "48s"') + place.jobs_of(["c"], more='timeout = "1s"'))
    place.until_state("c", "succeeded")
    assert place.state("b") == "ready"
    until(lambda: place.state("a") == "lost", "it is ended", 90.0)
    assert time.monotonic() - began_at < 60.0
    assert "allocation" in (place.job("a").reason or "")
    place.until_state("b", "succeeded")
    place.check_ran_once()
    words = [event.word for event in place.events() if isinstance(event, facts.AllocationEnded)]
    assert words == ["COMPLETED"]
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


def test_a_supervisor_that_is_killed_is_followed_by_one_that_goes_on(place: Piloted) -> None:
    flow = place.flow(
        place.target({"max": 2}) + place.jobs_of(numbered("j", 300), "echo $HOLDFAST_TOKEN >> marks; sleep 0.05")
    )
    for marks in (20, 100, 200):
        run = place.start("run", flow)
        place.until_marked(marks)
        run.kill()
    assert place.run("run").code == 0
    assert place.check_ran_once() == {"succeeded": 300}
    assert place.asked_for() <= 2


@pytest.mark.parametrize("what", ["step", "runner", "login"])
@pytest.mark.thorough
def test_what_leads_into_an_allocation_may_be_killed(place: Piloted, what: str) -> None:
    jobs = place.jobs_of(numbered("j", 300), "echo $HOLDFAST_TOKEN >> marks; sleep 0.05")
    run = place.start("run", place.flow(place.target({}) + jobs))
    for marks in (20, 100):
        place.until_marked(marks)
        (allocation,) = place.allocations()
        assert isinstance(allocation.state, Granted)
        word = {"step": f"--jobid={allocation.state.id}", "runner": f"/pilots/{allocation.number}", "login": "--detach"}
        until(partial(_pids, place, word[what]), "it is there")  # maybe it was killed just now
        for pid in _pids(place, word[what]):
            kill(pid)
    run.finish(120)
    counts = place.check_ran_once()
    assert place.asked_for() == 1
    # What a runner ran is there after it, but nobody sees any more how it ends.
    assert counts["lost"] <= (8 if what == "runner" else 0)
    assert counts["succeeded"] == 300 - counts["lost"]


def _pids(place: Piloted, word: str) -> list[int]:
    """The processes with a word that ends so, of this place; the launcher, a shell, is not meant."""
    configuration = f"SLURM_CONF={place.cluster.environ['SLURM_CONF']}"
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
            environ = (path.parent / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        is_here = configuration in environ or any(each.startswith(f"{place.workdir}/") for each in words)
        if is_here and any(each.endswith(word) for each in words) and not words[0].endswith("sh"):
            found.append(int(path.parent.name))
    return found


@pytest.mark.thorough
def test_an_allocation_of_a_whole_node_offers_all_of_its_processors(place: Piloted) -> None:
    names = numbered("j", 9)
    run = place.start("run", place.flow(place.target({"cpus": None}) + place.jobs_of(names, WAITING)))
    place.until_marked(8)  # which is what nodes of this cluster have
    assert sum(state == "running" for state in place.states().values()) <= 8
    place.go()
    assert run.finish().code == 0
    assert place.check_ran_once() == {"succeeded": 9}


def test_cancel_hold_and_pause_are_as_with_any_target(place: Piloted) -> None:
    serve = place.serve()
    place.submit_flow(place.target({"cpus": 1}) + place.jobs_of(["a", "b", "c", "d"], WAITING))
    place.until_marked(1)
    assert place.run("hold", "b").code == 0
    assert place.run("cancel", "c").code == 0
    assert place.run("pause", NAME).code == 0
    assert place.run("cancel", "a").code == 0
    place.until_state("a", "cancelled")
    assert place.states() == {"a": "cancelled", "b": "held", "c": "cancelled", "d": "ready"}
    place.go()
    assert place.run("resume", NAME).code == 0
    place.until_state("d", "succeeded")
    assert place.run("release", "b").code == 0
    place.until_state("b", "succeeded")
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0
    assert place.check_ran_once() == {"cancelled": 2, "succeeded": 2}


@pytest.mark.thorough
def test_ctrl_c_takes_back_what_waits_and_leaves_when_what_runs_has_ended(place: Piloted) -> None:
    run = place.start("run", place.flow(place.target({"cpus": 2}) + place.jobs_of(numbered("j", 40), WAITING)))
    place.until_marked(2)
    run.signal(signal.SIGINT)
    until(lambda: "interrupt" in run.err or not run.running, "it says so")
    place.go()
    assert run.finish().code == 130
    assert place.run("run").code == 0
    assert place.check_ran_once() == {"succeeded": 40}
    assert place.asked_for() == 1
