"""A home put back from a backup: what the cluster did since shows it, so nothing new is told or submitted (P8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.system.marks import MARK
from tests.system.place import until
from tests.system.processes import kill, runners_of

from .clusters import Clusters
from .submitting import Places, Submitting, jobs


def put_back(place: Submitting, kept: Path) -> None:
    """Let the home be what it was, and nobody live who could know better."""
    for pid in (*runners_of(place.home.path), *place.runners()):
        kill(pid)
    shutil.rmtree(place.home.path)
    shutil.copytree(kept, place.home.path, symlinks=True)


def the_folder(place: Submitting) -> Path:
    """Holdfast's folder on the cluster."""
    (attempts,) = place.workdir.glob(".holdfast/*/attempts")
    return attempts.parent


@pytest.mark.parametrize("purged", [True, False], ids=["after-slurm-forgot", "while-slurm-knows"])
def test_p8_a_home_that_is_put_back_from_a_backup_is_refused(
    own_cluster: Clusters,
    at: Places,
    tmp_path: Path,
    purged: bool,  # noqa: FBT001
) -> None:
    cluster = own_cluster(MinJobAge=2 if purged else 300)
    place = at(cluster)
    assert place.run("run", place.flow(place.target() + jobs(["first"]))).code == 0
    kept = tmp_path / "kept"
    shutil.copytree(place.home.path, kept, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
    later = jobs(["second"], f"{MARK}; exit 7") + jobs(["third"], f"{MARK}; exit 8", 'timeout = "1h"')
    assert place.run("run", place.flow(place.target() + later)).code == 1
    if purged:
        until(lambda: cluster.jobs() == [], "Slurm has forgotten them")
    put_back(place, kept)
    # The numbers that its jobs get now are those of others, which have run.
    new = place.run("run", place.flow(place.target() + jobs(["x"]) + jobs(["y"], MARK, 'timeout = "1h"')))
    assert new.code == 3
    assert "put the newest log back" in new.err
    assert "begin a new home" in new.err
    assert {place.state(name) for name in ("x", "y")} <= {"ready", "launching"}
    assert len(place.marks()) == 3
    place.check_submitted(3)


def test_p8_a_home_that_is_put_back_is_refused_also_where_nothing_was_tidied(
    own_cluster: Clusters, at: Places, tmp_path: Path
) -> None:
    cluster = own_cluster(MinJobAge=2)
    place = at(cluster)
    assert place.run("run", place.flow(place.target() + jobs(["first"]))).code == 0
    kept = tmp_path / "kept"
    shutil.copytree(place.home.path, kept, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
    folder = the_folder(place)
    claim = folder / "attempts" / "2.1"
    command = f"{MARK}; cp {claim} {tmp_path}/by; exit 7"
    assert place.run("run", place.flow(place.target() + jobs(["second"], command))).code == 1
    # As after a supervisor that was killed as soon as the end was in its log.
    (folder / "receipt").unlink()
    claim.write_text((tmp_path / "by").read_text() + "status 7\nbegan 1.000000\nended 2.000000\n")
    until(lambda: cluster.jobs() == [], "Slurm has forgotten it")
    put_back(place, kept)
    new = place.run("run", place.flow(place.target() + jobs(["x"])))
    assert new.code == 3
    assert "by a plan that is not in this log" in new.err
    assert place.state("x") in {"launching", "running"}
    assert len(place.marks()) == 2


def test_what_a_run_leaves_on_the_cluster_are_its_claims(own_cluster: Clusters, at: Places) -> None:
    place = at(own_cluster())
    assert place.run("run", place.flow(place.target() + jobs(["first", "second"]))).code == 0
    folder = the_folder(place)
    left = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    clocks = {name for name in left if name.startswith("clocks/")}
    assert left.keys() - clocks == {"id", "receipt", "attempts/1.1", "attempts/2.1"}
    assert left["attempts/1.1"] == left["attempts/2.1"] == 0
