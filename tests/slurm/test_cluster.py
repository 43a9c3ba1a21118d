"""The lab's Slurm is real: what a test does to it has the effect that it has at a site."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts.lab import Lab
from tests.system.place import until
from tests.system.processes import alive

from .cluster import Cluster
from .clusters import Clusters
from .queue import Row

ENFORCED = "associations,limits,qos"
NAMES = ("plain", 'it\'s "odd" %s `id` $HOME \\x41 é', "a|b,c")


def test_a_job_runs_and_queue_and_accounting_know_it(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.submit("ok", "hostname; exit 7", f"--output={tmp_path}/out")
    cluster.until_state(job, "FAILED")
    until(lambda: [row.state for row in cluster.recorded("ok")] == ["FAILED"], "accounting knows")
    assert cluster.state(job) == "FAILED"
    assert (tmp_path / "out").exists()


def test_a_database_that_starts_removes_no_temporary_files_of_others(cluster: Cluster) -> None:
    words = Path(f"/proc/{cluster.database.pid}/cmdline").read_bytes().split(b"\0")
    assert f"--tmpdir={cluster.short_folder}".encode() in words


def test_jobs_are_told_by_any_name_and_tasks_of_arrays_count_each(cluster: Cluster) -> None:
    for name in NAMES:
        cluster.submit(f"names {name}", "true", "--array=0-6:2,9%3", "--output=/dev/null")
    cluster.wait_idle()
    assert sorted({row.name for row in cluster.jobs("names")}) == sorted(f"names {name}" for name in NAMES)
    assert len(cluster.jobs("names")) == 5 * len(NAMES)
    assert [(each.name, each.tasks) for each in cluster.submissions("names")] == [
        (f"names {name}", 5) for name in NAMES
    ]
    assert cluster.submitted_count("names") == 5 * len(NAMES)


def test_what_was_refused_is_not_counted_though_many_submit_at_a_time(cluster: Cluster) -> None:
    def submit(number: int) -> int:
        where = "nowhere" if number % 4 == 0 else "main"
        name = f"--job-name=many{number}"
        return cluster.run("sbatch", name, "--output=/dev/null", f"--partition={where}", "--wrap=true").returncode

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(submit, range(40)))
    assert codes == [1 if number % 4 == 0 else 0 for number in range(40)]
    expected = sorted(f"many{number}" for number in range(40) if number % 4)
    assert sorted(each.name for each in cluster.submissions("many")) == expected
    assert len({each.id for each in cluster.submissions("many")}) == 30


def test_devices_and_licences_are_given_to_one_at_a_time(cluster: Cluster) -> None:
    gpus = [cluster.submit("gpus", "sleep 600", "--gres=gpu:2", "--nodelist=n1") for _ in range(2)]
    licences = [cluster.submit("licences", "sleep 600", "--licenses=matlab:2") for _ in range(2)]
    for first, second in (gpus, licences):
        cluster.until_state(first, "RUNNING")
        assert cluster.state(second) == "PENDING"


def test_a_controller_that_saves_forgets_nothing_and_goes_on_with_its_ids(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    first = cluster.submit("first", "sleep 600")
    cluster.until_state(first, "RUNNING")
    cluster.restart_controller()
    assert cluster.state(first) == "RUNNING"
    assert cluster.submit("second") > first


def test_a_controller_that_forgets_gives_the_same_ids_again(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    cluster.submit("kept", "sleep 600")
    cluster.keep_state()
    first = cluster.submit("first", "sleep 600")
    cluster.until_state(first, "RUNNING")
    cluster.restart_controller(forget=True)
    assert [row.name for row in cluster.jobs()] == ["kept"]
    assert cluster.submit("second") == first
    assert [each.name for each in cluster.submissions()] == ["kept", "first", "second"]


@pytest.mark.thorough
def test_a_controller_that_hangs_takes_jobs_and_says_nothing(own_cluster: Clusters) -> None:
    cluster = own_cluster(MessageTimeout=2)
    cluster.controller.stop()
    ran = cluster.run("sbatch", "--job-name=late", "--wrap=true")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Socket timed out" in ran.stderr
    cluster.controller.continue_()
    until(lambda: cluster.jobs("late"), "the job is there")
    assert cluster.submitted_count("late") == 1


@pytest.mark.thorough
def test_a_controller_that_was_killed_refuses_until_it_is_started(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    cluster.controller.kill()
    assert cluster.run("scontrol", "ping").returncode == 1
    cluster.controller.start()
    assert cluster.run("scontrol", "ping").returncode == 0
    cluster.submit("after")
    cluster.wait_idle()


def test_a_job_outlives_the_daemon_of_its_node(own_cluster: Clusters, tmp_path: Path) -> None:
    cluster = own_cluster(nodes=1)
    go, pid_file = tmp_path / "go", tmp_path / "pid"
    job = cluster.submit(
        "outlives", f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; until [ -e {go} ]; do sleep 0.1; done"
    )
    until(pid_file.exists, "the job runs")
    cluster.nodes["n1"].kill()
    assert alive(int(pid_file.read_text()))
    cluster.nodes["n1"].start()
    assert cluster.state(job) == "RUNNING"
    go.touch()
    cluster.until_state(job, "COMPLETED")


@pytest.mark.thorough
def test_without_munge_clients_wait_for_it(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    for end in (cluster.munge.kill, cluster.munge.stop):
        end()
        with pytest.raises(subprocess.TimeoutExpired):
            cluster.run("sinfo", timeout_s=1)
        if not cluster.munge.running:
            cluster.munge.start()
    cluster.munge.continue_()
    cluster.submit("after")
    cluster.wait_idle()


def test_without_accounting_sacct_fails_and_the_rest_works(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    cluster.submit("some")
    cluster.wait_idle()
    ran = cluster.run("sacct")
    assert ran.returncode == 1
    assert "accounting storage is disabled" in ran.stderr


@pytest.mark.thorough
def test_a_job_that_the_controller_has_purged_is_still_counted(own_cluster: Clusters) -> None:
    cluster = own_cluster(accounting=True, MinJobAge=2)
    job = cluster.submit("purged", "exit 3")
    cluster.until_state(job, "FAILED")
    until(lambda: not cluster.jobs(), "it is purged")
    until(lambda: cluster.recorded() == [Row(str(job), "FAILED", "purged")], "accounting has it")
    assert cluster.submitted_count("purged") == 1


@pytest.mark.thorough
def test_a_job_that_is_requeued_was_submitted_once(own_cluster: Clusters) -> None:
    cluster = own_cluster(accounting=True, JobRequeue=1)
    job = cluster.submit("again", "sleep 600", "--requeue")
    until(lambda: [row.state for row in cluster.recorded("again")] == ["RUNNING"], "the first run is recorded")
    assert cluster.run("scontrol", "requeue", str(job)).returncode == 0
    until(lambda: [row.state for row in cluster.recorded("again")] == ["REQUEUED"], "its end is recorded")
    cluster.until_state(job, "PENDING")
    assert cluster.submitted_count("again") == 1


@pytest.mark.parametrize("what", ["accounting", "database"])
@pytest.mark.thorough
def test_accounting_that_was_away_hears_of_it_later(own_cluster: Clusters, what: str) -> None:
    cluster = own_cluster(accounting=True)
    daemon = cluster.accounting if what == "accounting" else cluster.database
    daemon.kill()
    job = cluster.submit("away")
    cluster.until_state(job, "COMPLETED")
    daemon.start()
    sacct = ("sacct", "--allocations", "--noheader", "--format=State")
    until(lambda: cluster.run(*sacct).stdout.split() == ["COMPLETED"], "accounting knows")


@pytest.mark.thorough
def test_a_hurried_job_reaches_its_time_limit(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    job = cluster.submit("slow", "sleep 600", "--time=60")
    cluster.until_state(job, "RUNNING")
    cluster.hurry(job)
    cluster.until_state(job, "TIMEOUT")


def test_limits_hold_where_they_are_enforced_and_not_elsewhere(own_cluster: Clusters, cluster: Cluster) -> None:
    strict = own_cluster(accounting=True, AccountingStorageEnforce=ENFORCED, EnforcePartLimits="ALL")
    cases = {
        "--account=chem": (5, "AssocGrpSubmitJobsLimit"),
        "--qos=short": (2, "QOSMaxSubmitJobPerUserLimit"),
        "--account=physics": (0, "Invalid account"),
        "--qos=none": (0, "Invalid qos"),
    }
    for option, (most, word) in cases.items():
        for _ in range(most):
            strict.submit("limited", "sleep 600", option)
        ran = strict.run("sbatch", option, "--wrap=true")
        assert ran.returncode == 1
        assert word in ran.stderr
    assert "time limit" in strict.run("sbatch", "--partition=small", "--time=60", "--wrap=true").stderr
    for _ in range(6):
        cluster.submit("free", "true", "--account=chem", "--output=/dev/null")


@pytest.mark.thorough
def test_with_cgroup_a_job_beyond_its_memory_is_out_of_memory(own_cluster: Clusters) -> None:
    cluster = own_cluster(nodes=1, cgroup=True)
    fill = "head -c 200M /dev/zero | tail"
    job = cluster.submit("large", fill, "--mem=20M")
    cluster.until_state(job, "OUT_OF_MEMORY")


def test_who_is_logged_in_reaches_the_cluster_by_its_counted_commands(cluster: Cluster, lab: Lab) -> None:
    host = cluster.login(lab)
    ran = lab.ssh("login", "sbatch --parsable --job-name=login --wrap 'sleep 600'")
    assert ran.returncode == 0, ran.stderr
    cluster.until_state(int(ran.stdout), "RUNNING")
    assert len(cluster.calls("sbatch")) == 1
    assert host.commands() == []  # it runs on a node
    until((host.home / f"slurm-{int(ran.stdout)}.out").exists, "its output is where it was submitted")
