"""The options that may be given to sbatch are options of a real sbatch, with values that it takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from holdfast.actors.slurm import sacct
from holdfast.events.sbatch import OPTIONS, check_options, options
from holdfast.events.spec import JobSpec, SlurmSpec
from tests.system.place import until

from .cluster import Cluster
from .questions import accounts, ask, shown

pytestmark = pytest.mark.slow

# A value of each option; most are not to be had on this cluster, and yet are read.
VALUES: Final = {
    "account": "chem",
    "begin": "now+2hours",
    "constraint": "[avx2|ib]",
    "contiguous": "",
    "cores-per-socket": "2",
    "cpus-per-gpu": "2",
    "deadline": "2037-01-31T20:00",
    "distribution": "block:cyclic",
    "exclude": "n[1-3,7],gpu01",
    "exclusive": "user",
    "gpus": "a100:2",
    "gpus-per-node": "a100:2,h100:1",
    "gpus-per-task": "2",
    "gres": "gpu:2",
    "gres-flags": "enforce-binding",
    "hint": "nomultithread",
    "mcs-label": "secret",
    "mem-per-cpu": "4G",
    "mem-per-gpu": "500M",
    "mincpus": "2",
    "nice": "5",
    "nodelist": "n1",
    "ntasks-per-core": "1",
    "ntasks-per-gpu": "2",
    "ntasks-per-node": "8",
    "ntasks-per-socket": "2",
    "overcommit": "",
    "oversubscribe": "",
    "partition": "main,small",
    "qos": "long",
    "reservation": "class_1",
    "sockets-per-node": "1",
    "spread-job": "",
    "switches": "1@30:00",
    "threads-per-core": "1",
    "tmp": "500M",
    "use-min-nodes": "",
    "wckey": "project.7",
}


def words(given: Iterable[tuple[str, str]]) -> list[str]:
    return [f"--{name}={value}" if value else f"--{name}" for name, value in given]


def test_each_option_has_a_value_here() -> None:
    assert VALUES.keys() == OPTIONS.keys()
    check_options(VALUES, "sbatch")


@pytest.mark.parametrize("name", VALUES)
def test_sbatch_knows_the_option_and_its_value(cluster: Cluster, name: str) -> None:
    finished = ask(cluster, ("sbatch", "--test-only", *words([(name, VALUES[name])]), "--wrap=true"))
    said = finished.stderr.decode()
    assert finished.exit_code != 255, said
    for problem in ("unrecognized", "doesn't allow an argument", "Invalid numeric", f"--{name} specification"):
        assert problem not in said


def test_needs_are_what_the_controller_was_asked_for(cluster: Cluster) -> None:
    needs = {"cpus": 2, "memory": 300 * 2**20 - 1, "gpus": 2, "nodes": 2, "tasks": 2, "matlab": 1}
    job = JobSpec("true", needs=needs, timeout_us=90_000_000, sbatch={"exclusive": "true", "nice": "7"})
    given = options(job, SlurmSpec(partition="main", account="chem", sbatch={"constraint": "avx2"}))
    number = cluster.submit("tok.needs", "env | grep ^SLURM_ >&2", *words(given), "--hold")
    told = cluster.run("scontrol", "-o", "show", "job", str(number)).stdout
    for fact in (
        *("NumNodes=2", "NumTasks=2", "CPUs/Task=2", "MinMemoryNode=300M", "TimeLimit=00:02:00", "Licenses=matlab:1"),
        *("TresPerJob=gres:gpu:2", "Partition=main", "Account=chem", "Features=avx2", "Nice=7", "OverSubscribe=NO"),
    ):
        assert fact in told
    assert shown(cluster, number).reason == "JobHeldUser"
    cluster.run("scancel", str(number))
    (asked,) = sacct.argv([number])
    until(lambda: [each.state for each in accounts(cluster, asked)] == ["CANCELLED"], "accounting has its end")
