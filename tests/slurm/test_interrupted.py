"""Ctrl-C of `run` while a cluster has jobs: they go on by themselves, so nobody waits; the next `run` follows them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.place import until

from .cluster import Cluster
from .piloted import WAITING, Piloted


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Piloted]:
    """A place with the cluster that tests share."""
    made = Piloted(tmp_path, cluster)
    yield made
    made.close()


def table(place: Piloted) -> str:
    """A cluster without allocations."""
    return f'[targets.cluster]\nkind = "slurm"\nworkdir = "{place.workdir}"\npoll = "1s"\n'


def test_run_leaves_at_once_what_the_cluster_has_and_the_next_one_follows_it(place: Piloted) -> None:
    flow = place.flow(f'{table(place)}[jobs.a]\nrun = "echo begun; {WAITING}"\ntarget = "cluster"\n')
    run = place.start("run", flow)
    until(lambda: place.marks() != [], "it has begun")
    until(lambda: place.jobs()[0].state == "running", "and that is recorded")
    began = time.monotonic()
    run.signal(signal.SIGINT)
    left = run.finish()
    assert (left.code, time.monotonic() - began < 5.0) == (130, True)
    assert "interrupted; 1 unfinished, of which 1 goes on with cluster: `holdfast run` goes on with them" in left.err
    # Slurm's commands are on this machine, and so is the folder that its nodes share: nobody has to fetch anything.
    said = place.run("logs", "a")
    assert (said.code, said.out, said.err) == (0, "begun\n", "")
    place.go()
    again = place.run("run")
    assert again.code == 0, again.err
    assert place.run("logs", "a").out == "begun\n"
    assert place.check_ran_once() == {"succeeded": 1}


def test_run_waits_for_what_runs_here_and_not_for_what_the_cluster_has(place: Piloted) -> None:
    here = '[jobs.here]\nrun = "touch here; until [ -e go ]; do sleep 0.05; done"\n'
    run = place.start("run", place.flow(f'{table(place)}{here}[jobs.a]\nrun = "{WAITING}"\ntarget = "cluster"\n'))
    until(lambda: place.marks() != [] and (place.folder / "here").exists(), "both have begun")
    run.signal(signal.SIGINT)
    until(lambda: "waiting for 1 running job (" in run.err, "it waits for the one that runs here")
    (place.folder / "go").touch()
    left = run.finish()
    assert left.code == 130
    assert "1 unfinished, of which 1 goes on with cluster" in left.err
    place.go()
    assert place.run("run").code == 0
