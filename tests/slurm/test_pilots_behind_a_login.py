"""Allocations of a cluster behind a login node: what leads into them goes beside the connection that there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.hosts.elsewhere import Elsewhere
from tests.hosts.lab import Lab
from tests.system.place import wait_s

from .cluster import Cluster
from .piloted import NAME, Piloted, numbered


class Behind(Piloted):
    """A place with a cluster that is reached through a host of the lab."""

    def __init__(self, folder: Path, cluster: Cluster, lab: Lab) -> None:
        super().__init__(folder, cluster)
        way = Elsewhere(folder, lab)
        self.environment = {**way.environment}
        self.lab = lab

    def target(self, pilot: Mapping[str, str | int | None], *lines: str) -> str:
        """See `Piloted`."""
        return super().target(pilot, 'host = "login"', *lines)


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster, lab: Lab) -> Iterator[Behind]:
    """A place of the test's own."""
    made = Behind(tmp_path, cluster, lab)
    yield made
    made.close()


@pytest.mark.parametrize("sessions", [1, 10])
def test_the_runner_is_reached_through_the_login_node(place: Behind, sessions: int) -> None:
    place.cluster.login(place.lab, "login", MaxSessions=sessions)
    names = numbered("j", 200)
    run = place.run("run", place.flow(place.target({"max": 2}) + place.jobs_of(names)))
    assert run.code == 0, run.err
    assert place.check_ran_once() == {"succeeded": 200}
    assert place.run("hosts").out.count(NAME) >= 1


def test_a_login_node_that_is_gone_for_a_while_takes_nothing_with_it(place: Behind) -> None:
    host = place.cluster.login(place.lab, "login")
    run = place.start(
        "run",
        place.flow(place.target({}) + place.jobs_of(numbered("j", 200), "echo $HOLDFAST_TOKEN >> marks; sleep 0.05")),
    )
    place.until_marked(20)
    host.kill_listener()
    host.kill_sessions()
    wait_s(1.0)
    host.listen_again()
    finished = run.finish(120)
    assert finished.code == 0
    assert place.check_ran_once() == {"succeeded": 200}
    assert place.asked_for() == 1
