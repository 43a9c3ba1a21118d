"""What squeue, sacct and scontrol print is read as it is, as a whole, or not at all."""

from __future__ import annotations

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.actors.slurm import sacct, scontrol, squeue
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.squeue import Row, Tasks, Unparsable, parse_tasks

START: Final = 1_795_278_272
START_US: Final = START * 1_000_000

# As 22.05 printed them.
WAITING: Final = (
    "\x1e2\x1f2\x1f4-30%4\x1fPENDING\x1fJobArrayTaskLimit\x1f1795278272\x1fN/A\x1fNONE\x1f\x1ftok\x1fmine\x1d\n"
)
RUNNING: Final = "\x1e4\x1f2\x1f0\x1fRUNNING\x1fNone\x1f1795278272\x1f1795278273\x1fNONE\x1fn1\x1ftok\x1fmine\x1d\n"
FOREIGN: Final = (
    "\x1e3\x1f3\x1fN/A\x1fPENDING\x1fBeginTime\x1f1795278272\x1f1795281872\x1fN/A\x1f\x1fa b|c\x1fx y\nz\x1f\x1d\n"
)
CANCELLED: Final = (
    "\x1e34\x1f34\x1fN/A\x1fCANCELLED\x1fBeginTime\x1f1795278272\x1f1795278273\x1f1795278273\x1f\x1ftok\x1f(null)\x1d\n"
)
ACCOUNTS: Final = (
    "53\x1f53\x1fFAILED\x1f3:0\x1f1795278272\x1f1795278273\x1f1795278274\x1f1-00:00:02.5\x1f\x1fn1\x1ftok.1\n"
    "53.batch\x1f53.batch\x1fFAILED\x1f3:0\x1f1795278273\x1f1795278273\x1f1795278274\x1f00:00.003\x1f216K\x1fn1\x1fbatch\n"
    "53.0\x1f53.0\x1fFAILED\x1f3:0\x1f1795278273\x1f1795278273\x1f1795278274\x1f00:00.003\x1f1.50M\x1fn1\x1fsrun\n"
    "34_[1,3-9]\x1f34\x1fCANCELLED by 1000\x1f0:0\x1f1795278272\x1fNone\x1f1795278274\x1f00:00:00\x1f\x1f"
    "None assigned\x1ftok.2\n"
    "34_2\x1f35\x1fCOMPLETED\x1f0:0\x1f1795278272\x1f1795278273\x1f1795278274\x1f01:02\x1f\x1fn[1-2]\x1ftok.2\n"
    "34_2.batch\x1f35.batch\x1fCOMPLETED\x1f0:0\x1f1795278273\x1f1795278273\x1f1795278274\x1f01:02\x1f2G\x1fn1\x1fbatch\n"
)
SHOWN: Final = (
    "JobId=48 ArrayJobId=47 ArrayTaskId=1 ArrayTaskThrottle=2 JobName=x JobState=FAILED y UserId=ada(7) GroupId=ada(7) "
    "MCS_label=N/A Priority=4294901745 Nice=0 Account=chem QOS=normal WCKey=* JobState=COMPLETED Reason=None "
    "Dependency=(null) Requeue=0 Restarts=2 BatchFlag=1 Reboot=0 ExitCode=7:0 RunTime=00:00:01 TimeLimit=UNLIMITED "
    "TimeMin=N/A SubmitTime=1795278272 EligibleTime=1795278273 AccrueTime=Unknown StartTime=1795278273 "
    "EndTime=1795278274 Deadline=N/A SuspendTime=None SecsPreSuspend=0 LastSchedEval=1795278273 Scheduler=Backfill "
    "Partition=main AllocNode:Sid=localhost:2392 ReqNodeList=(null) ExcNodeList=(null) NodeList=n1 BatchHost=n1 "
    "NumNodes=1 Command=/w/JobState=FAILED WorkDir=/w Comment=a\nJobState=RUNNING b StdErr=/w/o StdOut=/w/o Power= \n"
    "JobId=54 JobName=tok UserId=ada(7) GroupId=ada(7) JobState=PENDING Reason=JobHeldUser Dependency=(null) Requeue=0 "
    "Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0 RunTime=00:00:00 SubmitTime=1795278272 EligibleTime=Unknown "
    "StartTime=Unknown EndTime=Unknown Deadline=N/A ReqNodeList=(null) ExcNodeList=(null) NodeList= NumNodes=1-1 "
    "Power= \n"
)


def test_the_question_is_one_command_that_prints_times_as_seconds_and_arrays_in_full() -> None:
    words = squeue.argv("1000")
    assert words[:4] == ("env", "SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0", "squeue")
    assert words[words.index("-u") + 1] == "1000"
    assert "all" in words
    assert "all" not in squeue.argv("1000", ended=False)


def test_the_queue_is_read() -> None:
    waits, runs, foreign, cancelled = squeue.parse((WAITING + RUNNING + FOREIGN + CANCELLED).encode())
    assert waits == Row(
        2, 2, Tasks(((4, 30, 1),)), "PENDING", "JobArrayTaskLimit", START_US, None, None, "", "tok", "mine"
    )
    assert (runs.id, runs.array, runs.batch_id, list(runs.tasks or ())) == (4, 2, "2", [0])
    assert (runs.reason, runs.nodes, runs.started_at) == ("", "n1", START_US + 1_000_000)
    assert (foreign.array, foreign.tasks, foreign.batch_id, foreign.name) == (None, None, "3", "a b|c")
    assert foreign.comment == "x y\nz\x1f"
    assert (cancelled.id, cancelled.array, cancelled.tasks, cancelled.comment) == (34, None, None, "")


@pytest.mark.parametrize("text", ["", "\n"])
def test_no_rows_are_an_empty_queue(text: str) -> None:
    assert squeue.parse(text.encode()) == []


@given(st.integers(1, len(WAITING + RUNNING) - 1))
def test_a_queue_that_was_cut_off_is_not_read(length: int) -> None:
    text = WAITING + RUNNING
    if text[:length] == WAITING:
        return  # nothing shows that more was to come
    with pytest.raises(Unparsable):
        squeue.parse(text[:length].encode())


@given(st.integers(0, len(WAITING) - 2), st.characters(codec="ascii", exclude_characters=" ,%-:"))
def test_a_character_that_changed_in_the_queue_never_makes_rows_vanish(place: int, other: str) -> None:
    text = WAITING + WAITING[:place] + other + WAITING[place + 1 :] + RUNNING
    try:
        rows = squeue.parse(text.encode())
    except Unparsable:
        return
    assert len(rows) == 3


@given(st.binary(max_size=200))
def test_noise_is_no_queue(noise: bytes) -> None:
    try:
        assert squeue.parse(noise) == []
    except Unparsable:
        return
    assert noise in {b"", b"\n"}


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 99), st.integers(1, 9)), min_size=1, max_size=20))
def test_tasks_are_written_and_read_without_being_counted_out(given_ranges: list[tuple[int, int, int]]) -> None:
    ranges = tuple((first, first + steps * step, step if steps else 1) for first, steps, step in given_ranges)
    tasks = Tasks(ranges)
    listed = list(itertools.chain.from_iterable(range(first, last + 1, step) for first, last, step in ranges))
    assert parse_tasks(str(tasks), "squeue") == tasks
    assert parse_tasks(f"[{tasks}%7]", "squeue") == tasks
    assert list(tasks) == listed
    assert len(tasks) == len(listed)
    assert {index for index in range(-1, 2000) if index in tasks} == set(listed)
    assert tasks.first == listed[0]


@pytest.mark.parametrize("text", ["1-", "-1", "9-1", "1,2,...", "1-5:0", "a", "", "1,,2", "[1-2", "1 2", "99999999"])
def test_tasks_that_were_cut_off_are_not_read(text: str) -> None:
    with pytest.raises(Unparsable):
        parse_tasks(text, "squeue")


def test_ten_thousand_tasks_that_wait_take_one_range() -> None:
    tasks = parse_tasks("0-9999%50", "squeue")
    assert tasks.ranges == ((0, 9999, 1),)
    assert len(tasks) == 10_000


def test_accounts_are_joined_with_their_steps() -> None:
    failed, cancelled, completed = sacct.parse(ACCOUNTS.encode())
    assert failed == Account(
        53, None, None, "FAILED", 3, 0, START_US, START_US + 1_000_000, START_US + 2_000_000, "n1", "tok.1",
        cpu_us=86_402_500_000, memory_bytes=1_572_864,
    )  # fmt: skip
    assert (cancelled.state, cancelled.by, cancelled.started_at, cancelled.nodes) == ("CANCELLED", 1000, None, "")
    assert (cancelled.id, cancelled.array, cancelled.task, len(cancelled.tasks or ())) == (34, 34, 1, 8)
    assert (completed.id, completed.array, completed.task, completed.memory_bytes) == (35, 34, 2, 2**31)
    assert (completed.cpu_us, completed.nodes) == (62_000_000, "n[1-2]")


def test_each_time_that_slurm_ran_a_job_is_an_account_of_its_own() -> None:
    line = ACCOUNTS.splitlines(keepends=True)[0]
    again = line.replace("FAILED", "NODE_FAIL") + line.replace("tok.1", "allocation")
    assert [(each.restarts, each.state, each.name) for each in sacct.parse(again.encode())] == [
        (0, "NODE_FAIL", "tok.1"),
        (1, "FAILED", "tok.1"),
    ]


def test_a_number_that_slurm_gave_again_is_another_job() -> None:
    line = ACCOUNTS.splitlines(keepends=True)[0]
    reused = line + line.replace("tok.1", "tok.9")
    assert [(each.restarts, each.name) for each in sacct.parse(reused.encode())] == [(0, "tok.1"), (0, "tok.9")]


@given(st.integers(1, len(ACCOUNTS) - 1))
def test_accounts_that_were_cut_off_are_not_read(length: int) -> None:
    if ACCOUNTS[length - 1] == "\n":
        return  # nothing shows that more was to come
    with pytest.raises(Unparsable):
        sacct.parse(ACCOUNTS[:length].encode())


@given(st.binary(min_size=1, max_size=200))
def test_noise_is_no_account(noise: bytes) -> None:
    try:
        assert sacct.parse(noise) == []
    except Unparsable:
        return
    assert set(noise) <= set(b"\n")


def test_a_step_without_its_job_is_not_read() -> None:
    with pytest.raises(Unparsable):
        sacct.parse("".join(ACCOUNTS.splitlines(keepends=True)[1:3]).encode())


def test_ids_and_names_go_into_as_few_commands_as_their_length_allows() -> None:
    commands = list(sacct.argv(range(100_000, 110_000)))
    assert len(commands) == 4
    asked = [each for words in commands for each in words[-1].split(",")]
    assert asked == [str(each) for each in range(100_000, 110_000)]
    (words,) = sacct.argv_by_name(["a.1.1", "a.2.1"], START_US)
    assert words[-3:] == ("--name=a.1.1,a.2.1", "-S", "2026-11-20T16:24:32")
    assert "TZ=UTC0" in words
    assert list(sacct.argv([])) == []


def test_the_controllers_own_record_is_read_whatever_a_user_wrote_into_it() -> None:
    shown, held = scontrol.parse_jobs(SHOWN.encode())
    assert shown == Account(
        48, 47, Tasks(((1, 1, 1),)), "COMPLETED", 7, 0, START_US, START_US + 1_000_000, START_US + 2_000_000, "n1",
        "x JobState=FAILED y", restarts=2, comment="a\nJobState=RUNNING b", is_exact=True,
    )  # fmt: skip
    assert (held.state, held.reason, held.nodes, held.started_at, held.comment) == (
        "PENDING",
        "JobHeldUser",
        "",
        None,
        "",
    )


@given(st.integers(1, len(SHOWN) - 1))
def test_a_record_that_was_cut_off_is_not_read(length: int) -> None:
    if SHOWN[length - 1] == "\n":
        return
    with pytest.raises(Unparsable):
        scontrol.parse_jobs(SHOWN[:length].encode())


def test_a_controller_without_jobs_says_so() -> None:
    assert scontrol.parse_jobs(b"No jobs in the system\n") == []


def test_the_settings_of_a_cluster_are_read() -> None:
    text = (
        "Configuration data as of 2026-11-21T16:24:32\nAccountingStorageType   = accounting_storage/slurmdbd\n"
        "ClusterName             = lab\nMinJobAge               = 300 sec\nMaxArraySize            = 1001\n"
        "MaxJobCount             = 20000\nSLURM_VERSION           = 22.05.8\nSlurmctldTimeout        = 30 sec\n"
    )
    config = scontrol.parse_config(text.encode())
    assert (config.cluster, config.version, config.array_max, config.jobs_max) == ("lab", (22, 5), 1001, 20_000)
    assert (config.min_job_age_s, config.controller_timeout_s, config.has_accounts) == (300, 30, True)
    with pytest.raises(Unparsable):
        scontrol.parse_config(b"slurm_load_ctl_conf error\n")


def test_controllers_are_named_with_whether_they_are_up() -> None:
    text = b"Slurmctld(primary) at head1 is DOWN\nSlurmctld(backup1) at head2 is UP\n"
    assert scontrol.parse_ping(text) == [
        scontrol.Controller("primary", "head1", is_up=False),
        scontrol.Controller("backup1", "head2", is_up=True),
    ]
    with pytest.raises(Unparsable):
        scontrol.parse_ping(b"")
