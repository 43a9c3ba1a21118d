"""What flows may say of clusters, and jobs of them: checked against what the home has, all else is refused (P7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import pytest

from holdfast.events.errors import BadInput
from holdfast.events.facts import (
    AllocationEnded,
    AllocationEvent,
    AllocationGranted,
    AllocationRequested,
    AllocationRetired,
    TargetConfigured,
)
from holdfast.events.messages import Changed, Configure, Reported, Submit
from holdfast.events.spec import FlowSpec, JobSpec, SlurmSpec, SshSpec, TargetSpec

from .home import Home

SLURM: Final = SlurmSpec(partition="main", templates={"gpu": "x"})
CLUSTER: Final = TargetSpec({}, None, SLURM)
LOGIN: Final = SshSpec("login")


def job(target: str = "cluster", cwd: str = "", more: Mapping[str, object] = {}) -> JobSpec:
    return msgspec.convert({"run": ("true",), "cwd": cwd, "target": target, **more}, JobSpec)


def submit(home: Home, *jobs: JobSpec, **targets: TargetSpec) -> None:
    home.do(Submit(FlowSpec(jobs, targets=targets)))


def refusal(home: Home, *jobs: JobSpec, **targets: TargetSpec) -> str:
    """What is said of such a flow; nothing of it is recorded."""
    before = len(home.base.records.jobs), dict(home.base.records.targets)
    with pytest.raises(BadInput) as raised:
        submit(home, *jobs, **targets)
    assert (len(home.base.records.jobs), dict(home.base.records.targets)) == before
    return str(raised.value)


def happens(home: Home, event: AllocationEvent) -> None:
    home.tick(lambda draft: draft.record(event))


def recorded(home: Home) -> TargetSpec:
    target = home.base.records.targets["cluster"]
    return TargetSpec(target.capacity, target.ssh, target.slurm)


def test_a_cluster_is_declared_with_its_first_job_and_only_recorded_anew_where_it_changed() -> None:
    home = Home()
    configured = TargetConfigured("cluster", {}, None, SLURM)
    submit(home, job(), cluster=CLUSTER)
    assert configured in home.events
    submit(home, job(), cluster=CLUSTER)
    assert configured not in home.events
    submit(home, job())
    assert configured not in home.events


def test_host_and_cluster_are_one_way_so_that_what_says_one_says_whether_there_is_the_other() -> None:
    home = Home()
    submit(home, job(), cluster=TargetSpec({}, LOGIN, SLURM))
    submit(home, job(), cluster=TargetSpec({"licence": 1}))
    assert recorded(home) == TargetSpec({"licence": 1}, LOGIN, SLURM)
    submit(home, job(), cluster=CLUSTER)
    assert recorded(home) == TargetSpec({"licence": 1}, None, SLURM)
    submit(home, job(more={"needs": {}}), cluster=TargetSpec({"cpus": 4}, LOGIN))
    assert recorded(home) == TargetSpec({"licence": 1, "cpus": 4}, LOGIN)


def test_configure_sets_the_same() -> None:
    home = Home()
    configure = Configure({"cluster": {}}, {"cluster": LOGIN}, {"cluster": SLURM})
    assert home.do(configure) == Changed(targets=("cluster",))
    assert home.do(configure) == Changed()
    assert recorded(home) == TargetSpec({}, LOGIN, SLURM)


def test_a_cluster_can_become_another_only_while_nothing_is_there() -> None:
    home = Home()
    submit(home, job(), cluster=CLUSTER)
    home.launch(1)
    for other in (TargetSpec({}, LOGIN, SLURM), TargetSpec({}, None, SlurmSpec(workdir="/w")), TargetSpec({}, LOGIN)):
        assert "it has jobs in flight, which are found by the kind, the host and the workdir" in refusal(
            home, job(more={"needs": {}}), cluster=other
        )
    submit(home, job(), cluster=TargetSpec({}, None, SlurmSpec(partition="small", max_queued=5)))
    home.report(Reported("cluster", (home.status(1, "ended", how="exited", exit_code=0),)))
    submit(home, job(), cluster=TargetSpec({}, LOGIN, SLURM))


def test_an_allocation_that_is_not_done_with_keeps_its_cluster_where_it_is() -> None:
    home = Home()
    submit(home, job(), cluster=CLUSTER)
    other = TargetSpec({}, LOGIN, SLURM)
    for event in (
        AllocationRequested("cluster/1", "cluster", 1, {"cpus": 1}, 60_000_000),
        AllocationGranted("cluster/1", "7", "n1", home.now),
        AllocationEnded("cluster/1", "its time was over"),
    ):
        happens(home, event)
        assert "in flight" in refusal(home, job(), cluster=other)
    happens(home, AllocationRetired("cluster/1"))
    submit(home, job(), cluster=other)


@pytest.mark.parametrize("workdir", ["data", "~other/data", "/data/../etc", "/data\nx", ""])
def test_p7_a_workdir_that_not_everybody_finds_is_refused(workdir: str) -> None:
    assert "targets.cluster.workdir" in refusal(Home(), job(), cluster=TargetSpec({}, None, SlurmSpec(workdir=workdir)))


def test_p7_this_machine_can_not_be_declared_to_be_a_cluster() -> None:
    assert "targets.local.kind" in refusal(Home(), job("local", cwd="/"), local=CLUSTER)


def test_a_login_node_may_have_a_target_for_each_partition_and_one_for_itself() -> None:
    home = Home()
    login = TargetSpec({}, LOGIN, SLURM)
    other = TargetSpec({}, LOGIN, SlurmSpec(partition="gpu"))
    submit(home, job(), job("other"), cluster=login, other=other, itself=TargetSpec({"cpus": 1}, LOGIN))
    assert {each.ssh for each in home.base.records.targets.values() if each.name != "local"} == {LOGIN}
    another = TargetSpec({"cpus": 1}, LOGIN)
    assert "the target 'itself' has the host 'login' already" in refusal(home, job(), another=another)


@pytest.mark.parametrize("name", ["cluster/1", "cluster/x"])
def test_p7_names_of_allocations_are_not_to_be_had(name: str) -> None:
    home = Home()
    wanted = TargetSpec({"cpus": 1}, SshSpec("gpu1"))
    told = "names that begin with 'cluster/' are those of the allocations of the target 'cluster'"
    assert told in refusal(home, job(), **{"cluster": CLUSTER, name: wanted})
    submit(home, job(name), **{name: wanted})
    assert told in refusal(home, job(), cluster=CLUSTER)


@pytest.mark.parametrize(
    "fields, where",
    [
        ({"sbatch": {"qos": "a b"}}, "jobs.1.sbatch.qos: "),
        ({"sbatch": {"gpus": "2"}, "needs": {"gpus": 1}}, "jobs.1: needs.gpus is 1, and sbatch.gpus asks for 2"),
        ({"needs": {"a b": 1}}, "jobs.1.needs.a b: "),
        ({"needs": {"cpus": 1_000_000}}, "jobs.1.needs.cpus: 1000000 is more than Slurm can count"),
        ({"template": "cpu"}, "jobs.1.template: the target 'cluster' has no template 'cpu'; it has: gpu"),
        ({"variables": {"a": "1"}}, "jobs.1.variables: variables are for templates, and the job has none"),
        ({"cwd": "/tmp"}, "jobs.1.cwd: "),
        ({"max_output_bytes": 1_000}, "jobs.1.max_output: nothing cuts the output of a job in the queue of"),
    ],
)
def test_p7_what_a_job_asks_of_its_cluster_must_fit_it(fields: dict[str, object], where: str) -> None:
    assert refusal(Home(), job(more=fields), cluster=CLUSTER).startswith(where)


@pytest.mark.parametrize("fields", [{"sbatch": {"qos": "x"}}, {"template": "gpu"}, {"variables": {"a": "1"}}])
@pytest.mark.parametrize("target", ["local", "gpu"])
def test_p7_what_is_for_slurm_is_refused_of_a_job_that_goes_elsewhere(target: str, fields: dict[str, object]) -> None:
    gpu = TargetSpec({"cpus": 1}, SshSpec("gpu1"))
    (key,) = fields
    told = refusal(Home(), job(target, "/" if target == "local" else "", fields), gpu=gpu)
    assert told.startswith(f"jobs.1.{key}: the target {target!r} is no cluster that Slurm manages")


def test_needs_that_the_target_does_not_count_are_for_slurm_to_count() -> None:
    home = Home()
    submit(home, job(more={"needs": {"cpus": 500, "licence": 1}}), cluster=TargetSpec({"licence": 2}, None, SLURM))
    assert "jobs.1.needs.licence" in refusal(home, job(more={"needs": {"licence": 3}}))
