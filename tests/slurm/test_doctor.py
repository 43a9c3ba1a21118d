"""`holdfast doctor TARGET` on a real cluster: what works and what does not, and nothing is submitted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cluster import Cluster
from .clusters import Clusters
from .commands import COUNTED
from .piloted import Piloted

ENFORCED = "associations,limits,qos"


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Piloted]:
    """A place with the cluster that tests share."""
    made = Piloted(tmp_path, cluster)
    yield made
    made.close()


def flow(place: Piloted, *lines: str) -> str:
    """A flow that declares the cluster so, and is not run."""
    table = ["[targets.cluster]", 'kind = "slurm"', f'workdir = "{place.workdir}"', *lines]
    return place.flow("\n".join([*table, "[jobs.a]", 'run = "true"', 'target = "cluster"']))


def doctor(place: Piloted, *lines: str) -> tuple[int, str]:
    """What it says, and its exit code."""
    said = place.run("doctor", "cluster", "--flow", flow(place, *lines))
    assert "Traceback" not in said.err, said.err
    return said.code, said.out + said.err


def test_a_sound_cluster_is_looked_at_without_a_supervisor_and_with_one(place: Piloted) -> None:
    before = len(place.cluster.submissions())
    code, told = doctor(place, 'partition = "main"')
    assert (code, "wrong" in told) == (0, False)
    for words in (
        "ok       the runner of cluster on this machine answers",
        "Slurm 22.05",
        "answers squeue in",
        "ok       accounting answers in",
        "ok       the partition main is up, with 2 nodes",
        "ok       sbatch would take a job with --partition=main",
    ):
        assert words in told, told
    serve = place.serve()
    again = place.run("doctor", "cluster")
    assert (again.code, "ok       accounting answers in" in again.out) == (0, True)
    serve.signal(signal.SIGTERM)
    assert serve.finish().code == 0
    assert len(place.cluster.submissions()) == before
    assert place.jobs() == []


def test_the_supervisor_that_it_starts_launches_nothing(place: Piloted) -> None:
    assert place.run("submit", "--", "true").code == 0
    assert doctor(place)[0] == 0
    assert place.run("submit", "--target", "cluster", "--", "true").code == 0
    for _ in range(3):
        assert place.run("doctor", "cluster").code == 0
    assert {job.state for job in place.jobs()} == {"ready"}


def test_a_partition_that_is_not_there_is_wrong_and_the_others_are_named(place: Piloted) -> None:
    code, told = doctor(place, 'partition = "nope"')
    assert code == 1
    assert "wrong    there is no partition 'nope'\n         give one as partition: main, small" in told
    assert "wrong    sbatch would refuse a job with --partition=nope" in told


def test_a_job_that_no_node_could_run_is_wrong_before_it_is_submitted(place: Piloted) -> None:
    table = f'[targets.cluster]\nkind = "slurm"\nworkdir = "{place.workdir}"\n'
    small, big = (f'[jobs.{name}]\nrun = "true"\ntarget = "cluster"\n' for name in ("small", "big"))
    said = place.run("doctor", "cluster", "--flow", place.flow(f"{table}{small}{big}needs = {{ cpus = 500 }}\n"))
    assert said.code == 1
    assert "wrong    sbatch would refuse the job 'big' with --cpus-per-task=500: " in said.out
    assert "'small'" not in said.out
    assert place.run("jobs").out == ""


def test_what_an_account_and_a_qos_do_not_allow_is_wrong(own_cluster: Clusters, tmp_path: Path) -> None:
    place = Piloted(tmp_path, own_cluster(accounting=True, AccountingStorageEnforce=ENFORCED))
    try:
        code, told = doctor(place, 'account = "chem"', 'sbatch = { qos = "long" }')
        assert (code, "ok       root may use the account chem with the qos long" in told) == (0, True), told
        code, told = doctor(place, 'account = "phys"')
        assert (code, "wrong    root may not use the account 'phys'" in told) == (1, True), told
        code, told = doctor(place, 'account = "chem"', 'sbatch = { qos = "nope" }')
        assert (code, "wrong    root may not use the qos 'nope'" in told) == (1, True), told
    finally:
        place.close()


def test_without_accounting_it_says_what_that_means(own_cluster: Clusters, tmp_path: Path) -> None:
    place = Piloted(tmp_path, own_cluster(MinJobAge=5))
    try:
        code, told = doctor(place)
        assert code == 0
        assert "warning  there is no accounting: Slurm knows an ended job for 5 s" in told
    finally:
        place.close()


def test_a_controller_that_is_gone_is_wrong_and_is_soon_told(own_cluster: Clusters, tmp_path: Path) -> None:
    cluster = own_cluster()
    place = Piloted(tmp_path, cluster)
    try:
        cluster.controller.shut_down()
        code, told = doctor(place)
        assert code == 1
        assert "wrong    Slurm's controller does not answer at " in told
        assert "partition" not in told
    finally:
        cluster.controller.start()
        place.close()


def test_commands_that_are_not_there_are_wrong(place: Piloted, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for each in Path("/usr/bin").iterdir():
        if each.name not in COUNTED:
            (path / each.name).symlink_to(each)
    place.environment["PATH"] = str(path)
    code, told = doctor(place)
    assert code == 1
    assert "wrong    sbatch, squeue, scancel, scontrol can't be run: " in told
    assert "let a login without a terminal have a PATH with Slurm's commands on it" in told


def test_a_target_that_is_not_known_is_refused_with_how_to_declare_it(place: Piloted) -> None:
    said = place.run("doctor", "cluster")
    assert (said.code, said.out) == (2, "")
    assert "`holdfast doctor cluster --flow FLOW` takes it from a flow that declares it" in said.err
    said = place.run("doctor", "other", "--flow", flow(place))
    assert (said.code, "the flow declares no target 'other'" in said.err) == (2, True)
    said = place.run("doctor", "--flow", flow(place))
    assert (said.code, "name the target to look at" in said.err) == (2, True)


def test_a_login_node_that_is_not_there_is_wrong_and_ends_with_3(place: Piloted) -> None:
    code, told = doctor(place, 'host = "nowhere.invalid"')
    assert code == 3
    assert told.startswith("wrong    nowhere.invalid can't be reached: ")
    assert "see that `ssh nowhere.invalid` works" in told
