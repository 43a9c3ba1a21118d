"""The fence (P2): of all copies of an attempt that ever start, one runs its command; the others say they don't."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from holdfast.actors.slurm.script import SECOND_COPY, sbatch_argv
from tests.system.place import until, wait_s

from .batchfolder import HOME, SHELLS, BatchFolder, order
from .cluster import Cluster
from .clusters import Clusters

MARK = 'echo ran >>"$HOLDFAST_TOKEN.marks"'


@pytest.fixture
def place(tmp_path: Path) -> BatchFolder:
    return BatchFolder(tmp_path / "work")


def marks(place: BatchFolder, work: str) -> int:
    """How often the command of an attempt was started."""
    file = place.workdir / f"{HOME}.{work}.marks"
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_p2_of_two_copies_at_once_exactly_one_runs(place: BatchFolder) -> None:
    for number in range(1, 201):
        script = place.script(order(number, run=MARK))
        shells = SHELLS[number % len(SHELLS)], SHELLS[number % 2]
        copies = [place.start(script, shell=shell, job=job) for job, shell in enumerate(shells, 11)]
        for copy in copies:
            copy.communicate(timeout=60)
        codes = [copy.returncode for copy in copies]
        found = place.read(f"{number}.1")[f"{number}.1"]
        assert sorted(codes) == [0, SECOND_COPY]
        assert marks(place, f"{number}.1") == 1
        assert found.claim is not None
        assert found.claim.slurm_id == 11 + codes.index(0)
        assert found.seconds == (f"{11 + codes.index(SECOND_COPY)}.0",)
        assert found.exit is not None


def test_p2_a_copy_that_comes_after_one_that_was_killed_never_runs_the_command_again(place: BatchFolder) -> None:
    random, ran, cut_short = Random(6), 0, 0
    for number in range(1, 101):
        work = f"{number}.1"
        script = place.script(order(number, run=MARK))
        first = place.start(script, job=11)
        try:
            first.wait(random.uniform(0, 0.015))
        except subprocess.TimeoutExpired:
            os.kill(first.pid, signal.SIGKILL)  # what it started goes on, as on a node that is only out of reach
        first.communicate(timeout=60)
        code, _ = place.end(script, job=12)
        claimed = code == SECOND_COPY
        assert claimed or code == 0
        assert marks(place, work) <= 1 if claimed else marks(place, work) == 1
        ran += marks(place, work)
        cut_short += claimed and place.read(work)[work].exit is None
    assert 0 < cut_short < 100  # kills came at different moments
    assert ran > 0


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_p2_a_requeued_copy_is_a_second_one(place: BatchFolder, shell: Sequence[str]) -> None:
    script = place.script(order(run=f"{MARK}; exit 3"))
    assert place.end(script, shell=shell, job=11)[0] == 3
    code, log = place.end(script, shell=shell, job=11, restart=1)
    assert code == SECOND_COPY
    assert "attempt 7.1 was claimed before; this second copy of it (11.1) ends without running the command" in log
    found = place.read("7.1")["7.1"]
    assert found.seconds == ("11.1",)
    assert found.exit is not None
    assert found.exit.exit_code == 3
    assert marks(place, "7.1") == 1


def submit(cluster: Cluster, script: str) -> int:
    """Submit a script as the adapter does; return its id."""
    ran = cluster.run(*sbatch_argv(script), data=script)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


@pytest.fixture
def unfinished(place: BatchFolder) -> Iterator[Path]:
    """A file that commands wait for; it comes with the end of the test at the latest."""
    file = place.workdir / "go on"
    yield file
    file.touch()


def log_of(place: BatchFolder, job: int) -> str:
    """What Slurm's log of a job says."""
    file = place.folder / "slurm" / f"{job}.log"
    return file.read_text() if file.exists() else ""


@pytest.mark.slow
def test_p2_a_batch_that_was_submitted_twice_runs_once(cluster: Cluster, place: BatchFolder) -> None:
    script = place.script(order(run=MARK))
    ids = [submit(cluster, script), submit(cluster, script)]
    for each in ids:
        cluster.until_state(each, "COMPLETED", "FAILED")
    assert sorted(cluster.state(each) for each in ids) == ["COMPLETED", "FAILED"]
    second = next(each for each in ids if cluster.state(each) == "FAILED")
    assert f"ExitCode={SECOND_COPY}:0" in cluster.run("scontrol", "show", "job", str(second)).stdout
    assert "was claimed before" in log_of(place, second)
    assert place.read("7.1")["7.1"].seconds == (f"{second}.0",)
    assert marks(place, "7.1") == 1


@pytest.mark.slow
def test_p2_slurms_own_requeue_runs_nothing_again(cluster: Cluster, place: BatchFolder, unfinished: Path) -> None:
    script = place.script(order(run=f'{MARK}; until [ -e "{unfinished}" ]; do sleep 0.1; done'))
    job = submit(cluster, script)
    until(lambda: marks(place, "7.1"), "it runs")
    assert cluster.run("scontrol", "requeue", str(job)).returncode != 0, "the script goes with --no-requeue"
    # An administrator can do it all the same.
    assert cluster.run("scontrol", "update", f"JobId={job}", "Requeue=1").returncode == 0
    assert cluster.run("scontrol", "requeue", str(job)).returncode == 0
    cluster.until_state(job, "PENDING")
    wait_s(3.0)  # a node refuses what it has only just killed
    assert cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now").returncode == 0  # else in two minutes
    cluster.until_state(job, "FAILED")
    assert place.read("7.1")["7.1"].seconds == (f"{job}.1",)
    assert "ends without running the command" in log_of(place, job)
    assert marks(place, "7.1") == 1


@pytest.mark.slow
def test_p2_a_controller_put_back_to_an_older_state_runs_nothing_again(
    own_cluster: Clusters, place: BatchFolder, unfinished: Path
) -> None:
    cluster = own_cluster()
    script = place.script(order(run=f'{MARK}; until [ -e "{unfinished}" ]; do sleep 0.1; done'))
    job = submit(cluster, script)
    cluster.keep_state()  # it waits, or has just begun
    until(lambda: marks(place, "7.1"), "it runs")
    unfinished.touch()
    cluster.until_state(job, "COMPLETED")
    cluster.restart_controller(forget=True)
    again = submit(cluster, script)
    cluster.until_state(again, "FAILED")
    assert f"{again}.0" in place.read("7.1")["7.1"].seconds
    until(lambda: cluster.state(job) in {"COMPLETED", "FAILED", "NODE_FAIL", "CANCELLED"}, "the old one is settled")
    assert marks(place, "7.1") == 1


@pytest.mark.slow
def test_a_cancelled_command_ends_in_its_own_way_and_how_is_written_down(cluster: Cluster, place: BatchFolder) -> None:
    command = "trap 'echo handled; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    job = submit(cluster, place.script(order(run=command)))
    until(lambda: place.output() == b"ready\n", "it runs")
    assert cluster.run("scancel", str(job)).returncode == 0
    until(lambda: place.read("7.1")["7.1"].exit, "its end is written down")
    cluster.until_state(job, "CANCELLED")
    end = place.read("7.1")["7.1"].exit
    assert end is not None
    assert end.exit_code == 3
    assert place.output() == b"ready\nhandled\n"


@pytest.mark.slow
@pytest.mark.parametrize("command, expected", [("exit 7", "7:0"), ("kill -SEGV $$", "139:0"), ("true", "0:0")])
def test_slurm_hears_the_commands_own_exit_code(
    cluster: Cluster, place: BatchFolder, command: str, expected: str
) -> None:
    job = submit(cluster, place.script(order(run=command)))
    cluster.until_state(job, "COMPLETED", "FAILED")
    assert f" ExitCode={expected}" in cluster.run("scontrol", "show", "job", str(job)).stdout


@pytest.mark.slow
def test_a_login_that_has_its_own_mind_changes_nothing_of_a_batch(cluster: Cluster, place: BatchFolder) -> None:
    script = place.script(order(run=MARK))
    own = {
        "SBATCH_JOB_NAME": "other",
        "SBATCH_REQUEUE": "1",
        "SBATCH_OUTPUT": "/dev/null",
        "SBATCH_OPEN_MODE": "truncate",
    }
    argv = ["env", *(f"{name}={value}" for name, value in own.items()), *sbatch_argv(script)]
    ran = cluster.run(*argv, data=script)
    assert ran.returncode == 0, ran.stderr
    shown = cluster.run("scontrol", "show", "job", ran.stdout.strip()).stdout
    assert f"JobName={HOME}.7.1\n" in shown
    assert "Requeue=0 " in shown
    assert f"StdOut={place.folder}/slurm/{ran.stdout.strip()}.log\n" in shown
