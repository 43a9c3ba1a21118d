"""What goes wrong for a user of a cluster is said in one sentence with the remedy; what passes is waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.system.marks import MARK
from tests.system.place import until
from tests.tools import refuse

from .cluster import Cluster
from .clusters import Clusters
from .commands import COUNTED
from .submitting import Places, Submitting, jobs

ENFORCED: Final = "associations,limits,qos"


def sbatch(**options: str) -> str:
    """The options of a job, as a flow has them."""
    return "sbatch = { " + ", ".join(f'{name} = "{value}"' for name, value in options.items()) + " }"


def test_what_a_cluster_will_never_take_fails_in_one_sentence_with_the_remedy(
    own_cluster: Clusters, at: Places
) -> None:
    cluster = own_cluster(accounting=True, AccountingStorageEnforce=ENFORCED, EnforcePartLimits="ALL")
    place = at(cluster)
    place.serve_impatiently()
    wrong = {
        "account": (sbatch(account="physics"), "see the job's `sbatch.account`, or `account` of the target"),
        "qos": (sbatch(qos="none"), "see its `sbatch.qos`"),
        "partition": (sbatch(partition="nowhere"), "see the job's `sbatch.partition`, or `partition` of the target"),
        "feature": (sbatch(constraint="avx1024"), "see its `sbatch.constraint`"),
        "reservation": (sbatch(reservation="none"), "see its `sbatch.reservation`"),
        "cpus": ("needs = { cpus = 100 }", "see its `needs.cpus`"),
        "memory": ('needs = { memory = "1TB" }', "lower its `needs`"),
        "licence": ("needs = { ansys = 1 }", "the cluster has no such licence"),
        "time": (sbatch(partition="small") + '\ntimeout = "1h"', "`timeout`"),
    }
    flow = place.target() + "".join(jobs([name], MARK, more) for name, (more, _) in wrong.items())
    # Slurm takes what its QOS never lets start, and tells why it waits.
    run = place.hand_over(flow + jobs(["right"]) + jobs(["long"], MARK, sbatch(qos="short"), 'timeout = "1h"'))
    until(lambda: place.unfinished() == 1, "all but one have ended")
    until(lambda: place.waits_for("QOSMaxWallDurationPerJobLimit"), "why that one waits is known")
    assert "it asks for more than the time that its QOS allows for one job; lower its `timeout`" in place.explained(
        "long"
    )
    assert place.run("cancel", "long").code == 0
    assert run.finish(90).code == 1
    reasons = {name: place.job(name).reason or "" for name in wrong}
    assert {name: remedy for name, (_, remedy) in wrong.items() if remedy not in reasons[name]} == {}, reasons
    assert [reason for reason in reasons.values() if "\n" in reason or len(reason) > 400] == []
    ended = place.check_ran_once(states={"failed", "succeeded", "cancelled"})
    assert ended == {"failed": len(wrong), "succeeded": 1, "cancelled": 1}
    assert place.state("right") == "succeeded"
    place.check_submitted(2)


def test_limits_of_accounts_and_qos_are_waited_for_and_then_all_run(own_cluster: Clusters, at: Places) -> None:
    cluster = own_cluster(accounting=True, AccountingStorageEnforce=ENFORCED)
    place = at(cluster)
    place.serve_impatiently()
    gated = f"{MARK}; until [ -e go ]; do sleep 0.1; done"
    flow = place.target() + jobs(["free"])
    # Of an account five may be there, of a QOS two of one user: each has a batch of its own here.
    for number in range(7):
        flow += jobs([f"a{number}"], gated, sbatch(account="chem"), f'timeout = "{number + 1}m"')
    for number in range(3):
        flow += jobs([f"q{number}"], gated, sbatch(qos="short"), f'timeout = "{number + 1}m"')
    run = place.hand_over(flow)
    until(lambda: len(place.marks()) == 5 + 2 + 1, "as many run as may")
    place.until_state("free", "succeeded")
    until(lambda: sum(state == "running" for state in place.states().values()) == 5 + 2, "as many are seen to run")
    waiting = [name for name, state in place.states().items() if state not in {"running", "succeeded"}]
    assert len(waiting) == 3
    assert "Limit" in place.explained(waiting[0])
    place.touch("go")
    assert run.finish(90).code == 0
    assert place.check_ran_once() == {"succeeded": 11}
    place.check_submitted(11)


def test_without_sbatch_there_jobs_wait_and_the_reason_says_where_it_is_looked_for(
    cluster: Cluster, at: Places, tmp_path: Path
) -> None:
    place = at(cluster)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for program in Path(folder).iterdir():
            if program.name not in COUNTED and not (bin_ / program.name).is_symlink():
                (bin_ / program.name).symlink_to(program)
    place.environment["PATH"] = str(bin_)
    run = place.start("run", place.flow(place.target() + jobs(["a"])))
    until(lambda: "was not found" in run.err, "the reason is said")
    (said,) = [line for line in run.err.splitlines() if "was not found" in line][:1]
    assert "the program 'scontrol' was not found: it must be in a folder of the PATH" in said
    assert place.state("a") == "ready"
    assert "has not answered yet (`holdfast doctor cluster` says what is wrong)" in place.explained("a")
    run.signal(signal.SIGINT)
    assert run.finish().code == 130
    found = place.run("doctor", "cluster")
    assert found.code == 1
    assert "was not found" in found.out
    place.check_submitted(0)


@pytest.fixture
def small(at: Places, cluster: Cluster) -> Iterator[Submitting]:
    """A place whose workdir is on a disk of its own with little room."""
    if sys.platform != "linux" or os.geteuid() != 0:
        refuse("a small disk of its own for the workdir can be mounted by root on Linux only")
    place = at(cluster)
    words = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", str(place.workdir)]
    mounted = subprocess.run(words, check=False, capture_output=True, text=True)
    if mounted.returncode:
        refuse(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    yield place
    place.close()
    cluster.cancel_all()
    subprocess.run(["umount", "-l", str(place.workdir)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def test_a_full_disk_on_the_cluster_is_said_with_the_remedy(small: Submitting) -> None:
    small.serve_impatiently()
    small.hand_over(small.target() + jobs(["before"]))
    small.until_done()
    # What the first one had noted goes when it is over, and would leave room for the second.
    claims = list(small.workdir.glob(".holdfast/*/attempts/*"))
    until(lambda: not any(claim.stat().st_size for claim in claims), "nothing is left of what it noted")
    filler = fill(small.workdir)
    small.hand_over(jobs(["during"]))
    small.until_done()
    assert small.state("during") == "failed"
    assert small.outcome("during").how == "not_started"
    assert "the target's `workdir` must have room" in (small.job("during").reason or "")
    filler.unlink()
    assert small.run("retry", "during").code == 0
    small.until_done()
    assert small.check_ran_once() == {"succeeded": 2}


def test_p10_secrets_that_find_no_room_are_waited_for(small: Submitting) -> None:
    small.environment["API_KEY"] = "x" * 100_000
    small.serve_impatiently()
    small.hand_over(small.target() + jobs(["before"]))
    small.until_done()
    filler = fill(small.workdir)
    small.hand_over(jobs(["during"], f'{MARK}; test "${{#API_KEY}}" = 100000', 'secrets = ["API_KEY"]'))
    until(lambda: "see that it has room and is writable" in small.explained("during"), "it is said")
    assert list(small.workdir.glob(".holdfast/*/secrets/*")) == []
    filler.unlink()
    small.until_done()
    assert list(small.workdir.glob(".holdfast/*/secrets/*")) == []
    assert small.check_ran_once() == {"succeeded": 2}


def test_a_workdir_that_cannot_be_written_is_said(small: Submitting) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small.workdir)], check=True)
    small.serve_impatiently()
    small.hand_over(small.target() + jobs(["a"]))
    until(lambda: "ead-only" in small.explained("a"), "it is said")
    assert "choose another workdir for this target" in small.explained("a")
    subprocess.run(["mount", "-o", "remount,rw", str(small.workdir)], check=True)
    small.until_done()
    assert small.states() == {"a": "succeeded"}
