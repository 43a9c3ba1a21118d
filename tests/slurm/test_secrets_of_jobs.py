"""Promise P10 on a cluster: a secret is in its job's environment, and nowhere that Slurm or Holdfast keeps or shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.hosts.lab import Lab
from tests.system.marks import MARK
from tests.system.place import until
from tests.system.processes import carrying

from .cluster import Cluster
from .clusters import Clusters
from .submitting import Places, Submitting, jobs

VALUE: Final = "s3cr3t-9f27c1d4-value"
GOT: Final = f'{MARK}; printf %s "$API_KEY" > got.$HOLDFAST_JOB; until [ -e go ]; do sleep 0.1; done'
WITH: Final = 'secrets = ["API_KEY"]'
LATER: Final = 'sbatch = { begin = "now+1hour" }'


def holders(folders: Iterable[Path]) -> list[Path]:
    """The files below these folders in which the secret stands."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if VALUE.encode() in path.read_bytes()]


def records_of(cluster: Cluster) -> str:
    """All that Slurm tells about its jobs: the controller, and the accounting with scripts and environments."""
    shown = [cluster.run("scontrol", "show", "job", "--details").stdout]
    every = ("--allusers", "--starttime=2000-01-01")
    shown.append(cluster.run("sacct", *every, "--format=ALL", "--parsable2").stdout)
    for row in cluster.recorded():
        shown.append(cluster.run("sacct", "-j", row.id, "--batch-script").stdout)
        shown.append(cluster.run("sacct", "-j", row.id, "--env-vars").stdout)
    return "".join(shown)


def keep(place: Submitting) -> None:
    """Put the secret into its file."""
    place.home.path.mkdir(mode=0o700)
    place.home.secrets.mkdir(mode=0o700)
    path = place.home.secrets / "API_KEY"
    path.touch(0o600)
    path.write_text(VALUE)


@pytest.mark.parametrize("way", ["from-the-environment", "from-a-file-over-ssh"])
def test_p10_a_secret_reaches_its_job_and_neither_script_nor_argv_nor_slurm_nor_the_log(
    own_cluster: Clusters, at: Places, lab: Lab, way: str
) -> None:
    cluster = own_cluster(accounting=True)
    place = at(cluster)
    if way == "from-the-environment":
        place.environment["API_KEY"] = VALUE
        target = place.target()
    else:
        keep(place)
        place.log_in(lab)
        target = place.target('host = "login"')
    place.serve_impatiently()
    # Its own job, one without it in the same flow, and one that is cancelled while it waits.
    flow = target + jobs(["a"], GOT, WITH) + jobs(["b"], GOT) + jobs(["waits"], GOT, WITH, LATER)
    place.hand_over(flow)
    until(lambda: len(place.marks()) == 2, "two run")
    until(lambda: place.slurm_id("waits"), "the third waits")
    got = {path.name: path.read_text() for path in place.workdir.glob("got.*")}
    assert got == {f"got.{place.job('a').id}": VALUE, f"got.{place.job('b').id}": ""}
    # While one waits, its secret is in one private file, for its script.
    folder = next(place.workdir.glob(".holdfast/*/secrets"))
    assert [path.name for path in holders([place.workdir / ".holdfast"])] == [f"{place.job('waits').id}.1"]
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.parent.stat().st_mode & 0o077 == 0
    assert [pid for pid, where in carrying(VALUE.encode()) if where == "cmdline"] == []
    assert not [call for call in cluster.calls() if VALUE in "\0".join(call.words)]
    assert place.run("cancel", "waits").code == 0
    place.touch("go")
    place.until_done()
    assert place.states() == {"a": "succeeded", "b": "succeeded", "waits": "cancelled"}
    until(lambda: list(folder.iterdir()) == [], "nothing of it is left there")
    until(lambda: len(cluster.recorded(place.home_id)) == 2, "accounting has those that ran")
    # The controller's state has scripts and environments, and the calls of all commands are below its folder.
    cluster.restart_controller()
    assert holders([cluster.conf.parent, place.workdir / ".holdfast"]) == []
    assert [path for path in holders([place.home.path]) if path.parent != place.home.secrets] == []
    records = records_of(cluster)
    assert " '/bin/sh' " in records  # the scripts
    assert "SLURM_CONF=" in records  # the environments
    assert VALUE not in records
    said = [place.run(*words).out for words in (("log", "--json"), ("show", "a", "--script"), ("explain", "a"))]
    assert "API_KEY" in said[0]
    assert VALUE not in "".join(said)


def test_p10_a_secret_that_is_missing_fails_its_job_and_no_other(cluster: Cluster, at: Places) -> None:
    place = at(cluster)
    place.touch("go")
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["a"], GOT, WITH) + jobs(["b"], GOT))
    place.until_done()
    assert place.states() == {"a": "failed", "b": "succeeded"}
    assert "the secret API_KEY is neither in the supervisor's environment nor a file" in (place.job("a").reason or "")
    place.check_submitted(1)
