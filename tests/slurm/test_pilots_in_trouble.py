"""Allocations while their cluster is in trouble: what runs goes on, and nothing is claimed that nobody saw."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.events import facts
from holdfast.events.records import Granted
from tests.system.place import until, wait_s

from .cluster import Cluster
from .clusters import Clusters
from .piloted import WAITING, Piloted, numbered


@pytest.fixture
def cluster(own_cluster: Clusters) -> Cluster:
    """One that the test may break, and that soon notices."""
    return own_cluster(SlurmdTimeout=5)


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Piloted]:
    """A place of the test's own."""
    made = Piloted(tmp_path, cluster)
    yield made
    cluster.controller.continue_()
    made.close()


def test_jobs_go_on_while_the_controller_is_silent(place: Piloted) -> None:
    serve = place.serve_impatiently()
    place.submit_flow(place.target({}) + place.jobs_of(["first"]))
    place.until_state("first", "succeeded")
    place.cluster.controller.stop()
    place.submit_flow(place.jobs_of(numbered("j", 200)))
    place.until_unfinished(0)
    wait_s(3.0)
    place.submit_flow(place.jobs_of(numbered("k", 200)))
    place.until_unfinished(0)
    place.cluster.controller.continue_()
    assert place.check_ran_once() == {"succeeded": 401}
    assert place.asked_for() == 1
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


@pytest.mark.thorough
def test_nothing_is_claimed_of_what_runs_on_a_node_that_the_controller_has_lost(place: Piloted) -> None:
    serve = place.serve_impatiently()
    again = 'retries = 1\nretry_on = ["lost"]\nretry_delay = "0.1s"'
    place.submit_flow(place.target({"cpus": 2}) + place.jobs_of(["a"], WAITING) + place.jobs_of(["b"], WAITING, again))
    place.until_marked(2)
    (state,) = [each.state for each in place.allocations()]
    assert isinstance(state, Granted)
    place.cluster.nodes[state.node].kill()
    until(lambda: place.state("a") == "lost", "the controller notices", 120.0)
    # Its processes run on; the other node is free.
    place.until_marked(3)
    place.go()
    place.until_state("b", "succeeded")
    assert place.check_ran_once() == {"lost": 1, "succeeded": 1}
    words = [event.word for event in place.events() if isinstance(event, facts.AllocationEnded)]
    assert words == ["NODE_FAIL"]
    place.cluster.nodes[state.node].start()
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


def test_a_cluster_that_refuses_allocations_is_not_asked_again_and_again(place: Piloted) -> None:
    serve = place.serve_impatiently()
    place.submit_flow(place.target({}, 'partition = "nowhere"') + place.jobs_of(["a"]))
    until(lambda: any(isinstance(each, facts.AllocationEnded) for each in place.events()), "it is refused")
    wait_s(3.0)
    assert place.asked_for() == 1
    assert place.state("a") == "ready"
    (ended,) = [each for each in place.events() if isinstance(each, facts.AllocationEnded)]
    assert "partition" in ended.reason
    assert "partition" in place.run("explain", "a").out
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0


@pytest.mark.thorough
def test_an_allocation_of_which_all_processes_are_killed_loses_what_ran(place: Piloted) -> None:
    serve = place.serve_impatiently()
    place.submit_flow(place.target({}) + place.jobs_of(["a"], WAITING))
    place.until_marked(1)
    (state,) = [each.state for each in place.allocations()]
    assert isinstance(state, Granted)
    place.cluster.run("scancel", "--full", "--signal=KILL", state.id)
    place.until_state("a", "lost")
    assert place.check_ran_once() == {"lost": 1}
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0
