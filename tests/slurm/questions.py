"""Questions to a real Slurm, asked in Holdfast's words and read by its parsers."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.actors.slurm import sacct, scontrol, squeue
from holdfast.actors.slurm.refusals import judge
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.site import Finished

from .cluster import Cluster

ROOT = "0"


def ask(cluster: Cluster, argv: Sequence[str], data: str = "") -> Finished:
    """Run a command there to its end, uncounted."""
    ran = cluster.run(*argv, data=data)
    return Finished(ran.returncode, ran.stdout.encode(), ran.stderr.encode())


def answer(cluster: Cluster, argv: Sequence[str]) -> bytes:
    """What it printed; it must have succeeded."""
    finished = ask(cluster, argv)
    assert judge(finished) is None, finished.stderr
    return finished.stdout


def queue(cluster: Cluster, job: int) -> list[squeue.Row]:
    """The rows of a job or an array."""
    return [row for row in squeue.parse(answer(cluster, squeue.argv(ROOT))) if row.batch_id == str(job)]


def accounts(cluster: Cluster, argv: Sequence[str]) -> list[Account]:
    """What accounting has of those that are asked for."""
    return sacct.parse(answer(cluster, argv))


def shown(cluster: Cluster, job: int) -> Account:
    """What the controller has of one job."""
    (found,) = scontrol.parse_jobs(answer(cluster, (*scontrol.JOBS, str(job))))
    return found
