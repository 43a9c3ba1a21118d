"""The parsers against a real Slurm: what its commands print is what was submitted, and what became of it."""

from __future__ import annotations

import time
from typing import Final

import pytest

from holdfast.actors.slurm import sacct, scontrol, squeue
from holdfast.actors.slurm.reasons import waiting
from holdfast.actors.slurm.refusals import judge
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.words import Meaning, meaning_of
from tests.system.place import until

from .cluster import Cluster
from .clusters import Clusters
from .questions import accounts, answer, ask, queue, shown

pytestmark = pytest.mark.slow

SPREAD: Final = "0-8:2,100-9990:10"


def test_an_array_that_waits_is_one_row_and_its_tasks_are_rows_once_they_run(cluster: Cluster) -> None:
    before_us = (time.time_ns() // 1_000_000_000) * 1_000_000
    number = cluster.submit("tok.array", "sleep 60", f"--array={SPREAD}%2", "--comment=x y=z|'\"")
    until(lambda: sum(row.state == "RUNNING" for row in queue(cluster, number)) == 2, "two tasks run")
    rows = queue(cluster, number)
    (waits,) = (row for row in rows if row.state == "PENDING")
    running = [row for row in rows if row.state == "RUNNING"]
    assert {row.batch_id for row in rows} == {str(number)}
    assert waits.tasks is not None
    assert sorted([*waits.tasks, *(row.tasks.first for row in running if row.tasks)]) == [
        *range(0, 9, 2),
        *range(100, 9991, 10),
    ]
    assert waits.comment == "x y=z|'\""
    assert "its array" in waiting(waits.reason)
    assert before_us <= waits.submitted_at <= time.time_ns() // 1000
    assert all(row.started_at is not None and row.started_at >= before_us and row.nodes for row in running)


def test_the_rest_of_an_array_that_is_cancelled_while_it_waits_is_one_row_of_all_its_tasks_or_none(
    cluster: Cluster,
) -> None:
    number = cluster.submit("tok.rest", "true", "--array=0-99", "--hold")
    assert cluster.run("scancel", str(number)).returncode == 0
    until(lambda: [row.state for row in queue(cluster, number)] == ["CANCELLED"], "it is cancelled")
    (row,) = queue(cluster, number)
    assert (row.id, row.batch_id) == (number, str(number))
    assert row.tasks is None or list(row.tasks) == list(range(100))


def test_the_accounts_say_what_the_command_did(cluster: Cluster) -> None:
    since_us = time.time_ns() // 1000 - 60_000_000
    took = "import time\nkept = bytearray(80_000_000)\nwhile time.process_time() < 0.5: pass\ntime.sleep(1.5)\nexit(7)"
    number = cluster.submit("tok.took", f"python3 -c '{took}'")
    cluster.until_state(number, "FAILED")
    (by_id,) = sacct.argv([number])
    (by_name,) = sacct.argv_by_name(["tok.took", "tok.other"], since_us)

    def complete() -> list[Account]:
        return [each for each in accounts(cluster, by_name) if each.memory_bytes]

    until(lambda: complete() == accounts(cluster, by_id) != [], "accounting has it")
    (account,) = complete()
    assert (account.id, account.state, account.exit_code, account.signal) == (number, "FAILED", 7, 0)
    assert account.cpu_us is not None
    assert 400_000 < account.cpu_us < 5_000_000
    assert account.memory_bytes is not None
    assert account.memory_bytes > 80_000_000
    assert account.ended_at is not None
    assert account.started_at is not None
    assert account.ended_at - account.started_at >= 1_000_000
    assert (account.name, account.restarts) == ("tok.took", 0)


def test_accounts_of_names_that_are_not_there_are_none(cluster: Cluster) -> None:
    number = cluster.submit("tok.early")
    cluster.until_state(number, "COMPLETED")
    now_us = time.time_ns() // 1000
    (found,) = sacct.argv_by_name(["tok.early"], now_us - 60_000_000)
    until(lambda: [each.id for each in accounts(cluster, found)] == [number], "accounting has it")
    (absent,) = sacct.argv_by_name(["tok.absent"], now_us - 60_000_000)
    assert accounts(cluster, absent) == []


def test_accounts_may_be_asked_for_by_a_clock_that_is_ahead_of_the_clusters(cluster: Cluster) -> None:
    number = cluster.submit("tok.ahead")
    cluster.until_state(number, "COMPLETED")
    (ahead,) = sacct.argv_by_name(["tok.ahead"], time.time_ns() // 1000 + 3_600_000_000)
    until(lambda: [each.id for each in accounts(cluster, ahead)] == [number], "accounting has it")


def test_the_controllers_record_agrees_with_the_queue(cluster: Cluster) -> None:
    number = cluster.submit("tok.shown", "exit 3", "--comment=a b\nJobState=RUNNING ")
    cluster.until_state(number, "FAILED")
    (row,) = queue(cluster, number)
    record = shown(cluster, number)
    assert (record.id, record.state, record.exit_code, record.nodes) == (row.id, "FAILED", 3, row.nodes)
    assert (record.submitted_at, record.started_at, record.ended_at) == (row.submitted_at, row.started_at, row.ended_at)
    assert record.reason == row.reason == "NonZeroExitCode"
    assert record.comment == "a b\nJobState=RUNNING"
    assert number in [each.id for each in scontrol.parse_jobs(answer(cluster, scontrol.JOBS))]
    assert scontrol.is_unknown(ask(cluster, (*scontrol.JOBS, "4000000")))


def test_a_cluster_says_how_it_is_set_up_and_that_it_is_up(cluster: Cluster) -> None:
    config = scontrol.parse_config(answer(cluster, scontrol.CONFIG))
    assert config.version >= (17, 11)
    assert config.has_accounts
    assert config.array_max > 1
    assert config.min_job_age_s > 0
    assert [each.is_up for each in scontrol.parse_ping(answer(cluster, scontrol.PING))] == [True]


def test_a_cluster_without_accounting_says_so(own_cluster: Clusters) -> None:
    bare = own_cluster(nodes=1)
    (words,) = sacct.argv([1])
    assert sacct.is_off(ask(bare, words))
    assert not scontrol.parse_config(answer(bare, scontrol.CONFIG)).has_accounts


@pytest.mark.thorough
def test_each_time_that_a_job_ran_has_an_account_and_its_count_of_restarts(own_cluster: Clusters) -> None:
    own = own_cluster(accounting=True, nodes=1)
    number = own.submit("tok.again", "sleep 60", "--requeue")
    own.until_state(number, "RUNNING")
    assert own.run("scontrol", "requeue", str(number)).returncode == 0

    def runs_again() -> bool:
        """Slurm puts it off by two minutes, and once more when all that it was before is cleaned up."""
        row = queue(own, number)[0]
        if (
            row.state == "PENDING"
            and row.started_at is not None
            and row.started_at > time.time_ns() // 1000 + 30_000_000
        ):
            own.run("scontrol", "update", f"JobId={number}", "StartTime=now")
        return row.state == "RUNNING" and shown(own, number).restarts == 1

    until(runs_again, "it runs again")
    (words,) = sacct.argv([number])
    until(lambda: len(accounts(own, words)) == 2, "accounting has both runs")
    first, second = accounts(own, words)
    assert (first.restarts, second.restarts, first.id, second.id) == (0, 1, number, number)
    assert first.name == second.name == "tok.again"
    assert meaning_of(first.state) is Meaning.WAITS
    assert shown(own, number).restarts == 1


def test_a_user_whom_the_cluster_does_not_know_is_no_empty_queue(cluster: Cluster) -> None:
    assert judge(ask(cluster, squeue.argv("nobody.of.this.name"))) is not None
