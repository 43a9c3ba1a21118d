"""Ends as a real Slurm tells them: each has its meaning, in the queue, the accounts and the controller's record."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.actors.slurm import sacct
from holdfast.actors.slurm.attempt_folders import AttemptFolder, Claim
from holdfast.actors.slurm.reasons import waiting
from holdfast.actors.slurm.words import Meaning, ended, meaning_of
from tests.system.place import until

from .cluster import Cluster
from .clusters import Clusters
from .questions import accounts, queue, shown

pytestmark = pytest.mark.slow

NOTHING: Final = AttemptFolder(claimed=False)
TRAPS: Final = "trap 'exit 3' TERM; touch {0}; while :; do sleep 0.1; done"

# What is submitted, with which options, and how it ends: as Holdfast says, with which code or signal, in Slurm's word.
BY_THEMSELVES: Final[list[tuple[str, tuple[str, ...], str, int | None, int | None, str]]] = [
    ("true", (), "exited", 0, None, "COMPLETED"),
    ("exit 7", (), "exited", 7, None, "FAILED"),
    ("kill -SEGV $$", (), "exited", None, 11, "FAILED"),
    ("kill -KILL $$", (), "exited", None, 9, "FAILED"),
    ("exit 128", (), "exited", 128, None, "FAILED"),
    ("true", ("--output=/nonexistent/out",), "not_started", None, None, "FAILED"),
    ("true", ("--deadline=now",), "timeout", None, None, "DEADLINE"),
]


def _began(job: int) -> AttemptFolder:
    return AttemptFolder(claimed=True, claim=Claim(job, None, None, 0, "n1", 7, 0))


def _until_ended(cluster: Cluster, job: int) -> None:
    """Wait until the queue's and the accounts' words both mean an end."""
    (words,) = sacct.argv([job])
    until(
        lambda: (
            [meaning_of(row.state) for row in queue(cluster, job)] == [Meaning.ENDED]
            and [meaning_of(each.state) for each in accounts(cluster, words)] == [Meaning.ENDED]
        ),
        f"{job} has ended for everybody",
    )


@pytest.mark.parametrize("command,options,how,exit_code,signal,word", BY_THEMSELVES)
def test_an_end_is_the_same_in_the_accounts_and_in_the_controllers_record(
    cluster: Cluster,
    command: str,
    options: tuple[str, ...],
    how: str,
    exit_code: int | None,
    signal: int | None,
    word: str,
) -> None:
    job = cluster.submit("tok.end", command, *options)
    _until_ended(cluster, job)
    folder = _began(job) if how == "exited" else NOTHING
    (words,) = sacct.argv([job])
    for account in (*accounts(cluster, words), shown(cluster, job)):
        end = ended(account, folder)
        assert (end.how, end.exit_code, end.signal, end.word) == (how, exit_code, signal, word)
        assert folder.claim is None or account.is_of(folder.claim)


def test_accounting_takes_128_off_an_exit_code_and_the_controller_does_not(cluster: Cluster) -> None:
    job = cluster.submit("tok.code", "exit 139")
    _until_ended(cluster, job)
    (words,) = sacct.argv([job])
    (account,) = accounts(cluster, words)
    assert ended(account, _began(job)).exit_code == 11
    assert "139" in (ended(account, _began(job)).error or "")
    assert ended(shown(cluster, job), _began(job)).signal == 11


def test_one_that_is_cancelled_while_it_waits_or_runs_was_stopped_whatever_it_says_itself(
    cluster: Cluster, tmp_path: object
) -> None:
    marker = f"{tmp_path}/runs"
    held, runs = cluster.submit("tok.held", "true", "--hold"), cluster.submit("tok.traps", TRAPS.format(marker))
    until(lambda: cluster.run("test", "-e", marker).returncode == 0, "it runs")
    assert cluster.run("scancel", str(held), str(runs)).returncode == 0
    for job in (held, runs):
        _until_ended(cluster, job)
        (words,) = sacct.argv([job])
        (account,) = accounts(cluster, words)
        assert account.by == 0
        for each in (account, shown(cluster, job)):
            end = ended(each, _began(job) if job == runs else NOTHING)
            assert (end.how, end.exit_code, end.signal, end.word) == ("stopped", None, None, "CANCELLED")


@pytest.mark.thorough
def test_one_that_ran_out_of_time_timed_out(cluster: Cluster) -> None:
    job = cluster.submit("tok.slow", "sleep 600", "--time=1")
    cluster.until_state(job, "RUNNING")
    cluster.hurry(job)
    _until_ended(cluster, job)
    (words,) = sacct.argv([job])
    for account in (*accounts(cluster, words), shown(cluster, job)):
        end = ended(account, _began(job))
        assert (end.how, end.exit_code, end.signal, end.word) == ("timeout", None, None, "TIMEOUT")


@pytest.mark.thorough
def test_one_whose_node_is_gone_is_lost(own_cluster: Clusters) -> None:
    own = own_cluster(accounting=True, nodes=1, SlurmdTimeout=5)
    job = own.submit("tok.node", "sleep 600", "--no-requeue")
    own.until_state(job, "RUNNING")
    own.nodes["n1"].kill()
    _until_ended(own, job)  # the controller looks every few seconds, and waits for a second silence
    (words,) = sacct.argv([job])
    for account in (*accounts(own, words), shown(own, job)):
        assert (ended(account, _began(job)).how, ended(account, _began(job)).word) == ("lost", "NODE_FAIL")


@pytest.mark.thorough
def test_one_that_takes_too_much_memory_is_killed_even_if_its_script_ends_well(own_cluster: Clusters) -> None:
    own = own_cluster(accounting=True, nodes=1, cgroup=True)
    job = own.submit("tok.large", "python3 -c 'bytearray(10**9)'; exit 0", "--mem=100M")
    _until_ended(own, job)
    (words,) = sacct.argv([job])
    for account in (*accounts(own, words), shown(own, job)):
        end = ended(account, _began(job))
        assert (end.how, end.word) == ("killed", "OUT_OF_MEMORY")
        assert "needs.memory" in (end.error or "")


@pytest.mark.thorough
def test_one_whose_place_another_takes_is_killed(own_cluster: Clusters) -> None:
    own = own_cluster(accounting=True, nodes=1, cpus=1, PreemptType="preempt/qos", PreemptMode="CANCEL")
    assert own.run("sacctmgr", "-i", "modify", "qos", "long", "set", "preempt=short", "priority=9").returncode == 0
    job = own.submit("tok.meek", "sleep 600", "--qos=short", "--exclusive")
    own.until_state(job, "RUNNING")
    own.submit("tok.bold", "sleep 600", "--qos=long", "--exclusive")
    _until_ended(own, job)
    (words,) = sacct.argv([job])
    for account in (*accounts(own, words), shown(own, job)):
        assert (ended(account, _began(job)).how, ended(account, _began(job)).word) == ("killed", "PREEMPTED")


# Options with which a job waits, and a part of what is said of why.
WAITS: Final = [
    (("--hold",), "it is held in Slurm"),
    (("--begin=now+1hour",), "its time to begin"),
    (("--dependency=afterok:{job}",), "jobs that it depends on"),
    (("--nodes=1", "--ntasks=1", "--cpus-per-task=999"), "its partition can't give"),
    (("--licenses=matlab:2",), "it waits for licences"),
    (("--partition=small", "--time=60"), "lower its `timeout`"),
]


@pytest.mark.parametrize("options,said", WAITS)
def test_the_reason_why_a_job_waits_is_said_in_words(cluster: Cluster, options: tuple[str, ...], said: str) -> None:
    first = cluster.submit("tok.first", "sleep 600", "--licenses=matlab:2")
    cluster.until_state(first, "RUNNING")
    job = cluster.submit("tok.waits", "true", *(each.format(job=first) for each in options))
    until(lambda: any(said in waiting(row.reason) for row in queue(cluster, job)), f"it waits: {said}")
    (row,) = queue(cluster, job)
    assert meaning_of(row.state) is Meaning.WAITS
    assert row.started_at is None or row.nodes == ""
