"""Clusters and what jobs say to them, from Python: recorded as a flow file would have it, or refused at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

import holdfast
from holdfast.events.spec import PilotSpec, SlurmSpec, SshSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader

TEMPLATE = "{{ header }}\n{{ claim }}\nmodule load {{ modules | words }}\n{{ command }}\n"


def target(home: Path) -> tuple[dict[str, int], SshSpec | None, SlurmSpec | None]:
    """The cluster as it is recorded."""
    with Reader(Home(home)) as reader:
        found = reader.lookups.target("cluster")
    assert found is not None
    return found.capacity, found.ssh, found.slurm


def test_a_cluster_on_this_machine_needs_nothing_but_to_be_one(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        assert hf.offer("cluster", slurm=holdfast.Slurm()).targets == ("cluster",)
    assert target(home) == ({}, None, SlurmSpec())


def test_a_cluster_says_all_that_a_flow_file_can(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.sh.j2"
    file.write_text("# räksmörgås\n")
    slurm = holdfast.Slurm(
        partition="main",
        account="chem",
        sbatch={"qos": "long", "exclusive": True, "nice": 100},
        poll=timedelta(seconds=30),
        max_queued=20,
        templates={"gpu": TEMPLATE, "other": file},
        template="gpu",
        pilot=holdfast.Pilot(time="2h", max=4, cpus=8, idle="30s"),
    )
    with holdfast.open_sync(home) as hf:
        hf.offer("cluster", {"licence": 2}, host="login", workdir="/shared/ada", slurm=slurm)
        hf.offer("cluster", {"licence": 3})
    assert target(home) == (
        {"licence": 3},
        SshSpec("login", "/shared/ada"),
        SlurmSpec(
            partition="main",
            account="chem",
            sbatch={"qos": "long", "exclusive": "true", "nice": "100"},
            poll_us=30_000_000,
            max_queued=20,
            templates={"gpu": TEMPLATE, "other": "# räksmörgås\n"},
            template="gpu",
            pilot=PilotSpec(time_us=7_200_000_000, max=4, cpus=8, idle_us=30_000_000),
        ),
    )


def test_without_a_host_the_workdir_is_the_clusters_own(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.offer("cluster", workdir="/shared/ada", slurm=holdfast.Slurm())
    assert target(home) == ({}, None, SlurmSpec(workdir="/shared/ada"))


def test_a_job_says_options_a_template_and_variables(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.offer("cluster", workdir="/nowhere/at/all", slurm=holdfast.Slurm(templates={"gpu": TEMPLATE}))
        hf.pause("cluster")
        job = hf.submit(
            "x",
            target="cluster",
            needs={"memory": "8GB"},
            sbatch={"constraint": "avx2", "contiguous": True},
            template="gpu",
            variables={"modules": "gcc/12 fftw", "threads": 4},
        )
    with Reader(Home(home)) as reader:
        spec = reader.lookups.specs([job.id])[job.id]
    assert spec.sbatch == {"constraint": "avx2", "contiguous": "true"}
    assert (spec.template, spec.variables) == ("gpu", {"modules": "gcc/12 fftw", "threads": "4"})


Wrong = Callable[[holdfast.SyncHoldfast], object]


def offered(**fields: object) -> Wrong:
    """Somebody offers a cluster with these fields, whatever types they are of."""
    make = cast("Callable[..., holdfast.Slurm]", holdfast.Slurm)
    return lambda hf: hf.offer("cluster", slurm=make(**fields))


WRONG: list[tuple[Wrong, str]] = [
    (offered(sbatch={"qoss": "x"}), "targets.cluster.sbatch.qoss: 'qoss' is none of the options"),
    (offered(sbatch={"qos": ["x"]}), r"targets.cluster.sbatch.qos: \['x'\] is no plain value"),
    (offered(sbatch="x"), "targets.cluster.sbatch: 'x' is no mapping"),
    (offered(partition=4), "targets.cluster: a value is of the wrong type"),
    (offered(poll=10), "targets.cluster.poll: 10 is of the wrong type for a duration"),
    (offered(poll="1ms"), "targets.cluster.poll: "),
    (offered(max_queued=0), "targets.cluster.max_queued: 0 is out of bounds"),
    (offered(template="gpu"), "targets.cluster.template: there is no template 'gpu'"),
    (offered(templates={"gpu": Path("/nowhere/at/all")}), "targets.cluster.templates.gpu: it can't be read"),
    (offered(templates={"gpu": "x"}, template="gpu"), "gpu: {{ header }} stands in it 0 times"),
    (lambda hf: hf.offer("cluster", slurm=cast("holdfast.Slurm", "main")), "'main' is no cluster; give a holdfast"),
    (lambda hf: hf.offer("cluster", python="/x", slurm=holdfast.Slurm()), "targets.cluster.host: .*give the host"),
    (lambda hf: hf.offer("local", slurm=holdfast.Slurm()), "the target 'local' is this machine"),
    (lambda hf: hf.submit("x", sbatch={"qos": "long"}), "jobs.1.sbatch: the target 'local' is no cluster"),
    (lambda hf: hf.submit("x", target="there", sbatch={"qos": "a b"}), "sbatch.qos: 'a b' can't be its value"),
    (lambda hf: hf.submit("x", target="there", template="cpu"), "there is no template 'cpu'; the target has gpu"),
    (lambda hf: hf.submit("x", target="there", template="gpu"), "jobs.1: gpu:3: "),
    (lambda hf: hf.submit("x", target="there", variables={"a": 1}), "variables"),
    (lambda hf: hf.submit("x", target="there", env={"a-b": "1"}), "'a-b' can't be the name of a variable"),
]


@pytest.mark.parametrize("wrong, says", WRONG)
def test_p7_what_can_not_be_right_is_refused_and_nothing_is_done(home: Path, wrong: Wrong, says: str) -> None:
    with holdfast.open_sync(home) as hf:
        hf.offer("there", workdir="/nowhere/at/all", slurm=holdfast.Slurm(templates={"gpu": TEMPLATE}))
        before = hf.status().seq
        with pytest.raises(holdfast.BadInput, match=says):
            wrong(hf)
        with Reader(Home(home)) as reader:
            new = [stored for stored, _ in reader.events(before) if "cluster" in json.loads(stored.data).values()]
            assert list(reader.jobs()) == []
    assert new == []
