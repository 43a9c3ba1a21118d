"""An end is not kept back for what accounting will have of it one day, where the attempt itself has said enough."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from holdfast.actors.slurm.attempt_folders import AttemptFolder, Claim, Exit
from holdfast.actors.slurm.book import Member
from holdfast.actors.slurm.ending import Evidence, conclude, says_enough
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.script import SECOND_COPY
from holdfast.actors.slurm.squeue import Row, Tasks

ID = 42
LEFT_S = 100.0
ACCOUNT_S = 5.0
SUBMITTED, STARTED = 1_000_000, 3_000_000


def member(state: str = "COMPLETED", number: int = ID) -> Member:
    """One that left the queue, which said this of it at last."""
    made = Member("home.7.1", 7, 1, "home.7.1", 3)
    made.left_at = LEFT_S
    tasks = Tasks(((3, 3, 1),))
    made.ended = Row(number, 40, tasks, state, "None", SUBMITTED, STARTED, STARTED, "n1", "home.7.1", "")
    return made


def folder(ran_s: float, status: int = 0) -> AttemptFolder:
    """What its script wrote down."""
    claim = Claim(slurm_id=ID, array=40, task=3, restart=0, host="n1", pid=9, time_us=STARTED)
    return AttemptFolder(claimed=True, claim=claim, exit=Exit(status, STARTED, STARTED + int(ran_s * 1e6)))


@pytest.mark.parametrize(
    "ran_s, state, status, waits_s",
    [
        (0.01, "COMPLETED", 0, 0.0),
        (0.01, "FAILED", 7, 0.0),
        (0.19, "COMPLETED", 0, 0.0),
        (0.4, "COMPLETED", 0, 2.0),
        (600.0, "COMPLETED", 0, ACCOUNT_S),
    ],
)
def test_accounting_is_waited_for_a_few_times_as_long_as_the_command_ran(
    ran_s: float, state: str, status: int, waits_s: float
) -> None:
    one, its = member(state), folder(ran_s, status)
    assert says_enough(one, its, LEFT_S + waits_s, ACCOUNT_S)
    assert waits_s == 0 or not says_enough(one, its, LEFT_S + waits_s - 0.1, ACCOUNT_S)


@pytest.mark.parametrize(
    "seen, status",
    [
        (member("TIMEOUT"), 143),
        (member("CANCELLED"), 143),
        (member("OUT_OF_MEMORY"), 137),
        (member("FAILED"), 0),
        (member(number=ID + 1), 0),
    ],
    ids=["timeout", "cancelled", "memory", "contradiction", "another copy"],
)
def test_where_the_queue_says_anything_else_accounting_has_all_its_time(seen: Member, status: int) -> None:
    assert not says_enough(seen, folder(0.01, status), LEFT_S + ACCOUNT_S - 0.1, ACCOUNT_S)
    assert says_enough(seen, folder(0.01, status), LEFT_S + ACCOUNT_S, ACCOUNT_S)


def test_where_the_queue_has_forgotten_it_accounting_has_all_its_time() -> None:
    seen = member()
    seen.ended = None
    assert not says_enough(seen, folder(0.01), LEFT_S + ACCOUNT_S - 0.1, ACCOUNT_S)


def test_who_has_not_said_how_it_ended_never_says_enough() -> None:
    assert not says_enough(member(), AttemptFolder(claimed=True), LEFT_S + 3600, ACCOUNT_S)


def test_an_end_without_accounting_has_slurms_word_its_node_and_its_time_in_the_queue() -> None:
    one, its = member(), folder(0.01)
    status = conclude(one, Evidence({"7.1": its}, {}, accounting=True), LEFT_S, ACCOUNT_S, 60.0)
    assert status is not None
    assert (status.how, status.exit_code, status.word, status.nodes) == ("exited", 0, "COMPLETED", "n1")
    assert status.queued_us == STARTED - SUBMITTED
    assert (status.started_at, status.ended_at) == (STARTED, STARTED + 10_000)


def test_the_end_of_a_second_copy_under_the_same_number_is_not_the_attempts() -> None:
    one = member("FAILED")
    its = replace(folder(0.01), exit=None, seconds=(f"{ID}.0",))
    row = Account(ID, 40, Tasks(((3, 3, 1),)), "FAILED", SECOND_COPY, 0, SUBMITTED, STARTED, STARTED, "n1", "")
    evidence = Evidence({"7.1": its}, {(one.batch, one.index): [row]}, accounting=True)
    assert conclude(one, evidence, LEFT_S, ACCOUNT_S, 60.0) is None
    ended = conclude(one, evidence, LEFT_S + 60.0, ACCOUNT_S, 60.0)
    assert ended is not None
    assert ended.how == "lost"
