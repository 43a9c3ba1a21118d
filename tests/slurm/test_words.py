"""What Slurm's words mean: a word that isn't known has not ended, and a node that failed is no failure."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.actors.slurm.attempt_folders import AttemptFolder, Claim, Exit
from holdfast.actors.slurm.reasons import REASONS, needs_somebody, waiting
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.script import NOT_CLAIMED, NOT_STARTED
from holdfast.actors.slurm.words import End, Meaning, ended, meaning_of, word_of

START_US: Final = 1_795_278_272_000_000
CLAIM: Final = Claim(53, None, None, 0, "n1", 7, START_US)
NOTHING: Final = AttemptFolder(claimed=False)
BEGAN: Final = AttemptFolder(claimed=True, claim=CLAIM)

# As squeue's page has them, from 17.11 on.
STATES: Final = {
    Meaning.ENDED: "BF BOOT_FAIL CA CANCELLED CD COMPLETED DL DEADLINE F FAILED NF NODE_FAIL OOM OUT_OF_MEMORY "
    "PR PREEMPTED TO TIMEOUT",
    Meaning.WAITS: "CF CONFIGURING PD PENDING RD RESV_DEL_HOLD RF REQUEUE_FED RH REQUEUE_HOLD RQ REQUEUED "
    "SE SPECIAL_EXIT",
    Meaning.RUNS: "CG COMPLETING R RUNNING RS RESIZING SI SIGNALING SO STAGE_OUT S SUSPENDED ST STOPPED",
    Meaning.UNKNOWN: "RV REVOKED LAUNCH_FAILED RECONFIG_FAIL NEWS_OF_TOMORROW ? ",
}
# As NOTES of 22.05: state, reason, exit code and signal as scontrol or sacct has them.
TIMED_OUT: Final = "its `timeout`"


@pytest.mark.parametrize("meaning,words", STATES.items())
def test_every_state_has_its_meaning(meaning: Meaning, words: str) -> None:
    assert {meaning_of(word) for word in words.split()} == {meaning}


def test_a_word_is_known_in_all_its_forms() -> None:
    assert [word_of(each) for each in ("PD", "CANCELLED by 1000", "CANCELLED+", "NODE_FAIL", "ODD")] == [
        *("PENDING", "CANCELLED", "CANCELLED", "NODE_FAIL", "ODD"),
    ]


@given(st.text(max_size=20))
def test_what_is_no_word_of_slurms_never_means_an_end(text: str) -> None:
    known = " ".join(STATES.values()).split()
    if word_of(text) not in known:
        assert meaning_of(text) is Meaning.UNKNOWN


def _account(state: str, exit_code: int = 0, signal: int = 0, reason: str = "", by: int | None = None) -> Account:
    return Account(
        53, None, None, state, exit_code, signal, START_US, START_US, START_US, "n1", "tok", by=by, reason=reason
    )


def _left(status: int) -> AttemptFolder:
    return AttemptFolder(claimed=True, claim=CLAIM, exit=Exit(status, START_US, START_US))


@pytest.mark.parametrize(
    "account,folder,end",
    [
        (_account("COMPLETED"), BEGAN, End("exited", "COMPLETED", exit_code=0)),
        (_account("COMPLETED"), _left(0), End("exited", "COMPLETED", exit_code=0)),
        (_account("FAILED", 7), _left(7), End("exited", "FAILED", exit_code=7)),
        (_account("FAILED", 139), _left(139), End("exited", "FAILED", signal=11)),
        (_account("FAILED", 11), _left(139), End("exited", "FAILED", signal=11)),
        (_account("FAILED", NOT_STARTED), _left(NOT_STARTED), End("exited", "FAILED", exit_code=NOT_STARTED)),
        (_account("NODE_FAIL"), _left(0), End("exited", "NODE_FAIL", exit_code=0)),
    ],
)
def test_an_attempt_that_ended_by_itself_has_its_own_exit_code(
    account: Account, folder: AttemptFolder, end: End
) -> None:
    assert ended(account, folder) == end


def test_a_code_that_slurm_alone_has_seen_may_be_another() -> None:
    end = ended(_account("FAILED", 7), BEGAN)
    assert (end.how, end.exit_code) == ("exited", 7)
    assert "or with 135" in (end.error or "")
    assert ended(_account("FAILED", 0), BEGAN) == End("exited", "FAILED", exit_code=128)
    exact = replace(_account("FAILED", 139), is_exact=True)
    assert ended(exact, BEGAN) == ended(exact, _left(139)) == End("exited", "FAILED", signal=11)


@pytest.mark.parametrize(
    "account,folder,how,said",
    [
        (_account("TIMEOUT"), BEGAN, "timeout", "timeout"),
        (_account("DEADLINE"), NOTHING, "timeout", "deadline"),
        (_account("CANCELLED", by=1000), BEGAN, "stopped", "the user with the number 1000"),
        (_account("CANCELLED"), NOTHING, "stopped", "cancelled on the cluster$"),
        (_account("CANCELLED", reason="DependencyNeverSatisfied"), NOTHING, "stopped", "never start"),
        (_account("OUT_OF_MEMORY", 0, 125), BEGAN, "killed", r"needs\.memory"),
        (_account("PREEMPTED"), BEGAN, "killed", "took its place"),
        (_account("NODE_FAIL"), BEGAN, "lost", "can't be known"),
        (_account("NODE_FAIL"), NOTHING, "lost", "can't be known"),
        (_account("BOOT_FAIL"), NOTHING, "not_started", "boot"),
        (_account("BOOT_FAIL"), BEGAN, "lost", "begun"),
        (_account("BOOT_FAIL"), AttemptFolder(claimed=True, void=True), "not_started", "boot"),
        (_account("FAILED", 0, 53), NOTHING, "not_started", "workdir"),
        (_account("FAILED", 1, 0, "BadConstraints"), NOTHING, "not_started", "needs"),
        (_account("FAILED", 0, 15), AttemptFolder(claimed=True, void=True), "not_started", "signal 15 before"),
        (_account("FAILED", 2), NOTHING, "not_started", "exit code 2 before"),
        (_account("COMPLETED"), NOTHING, "not_started", "exit code 0 before"),
        (_account("FAILED", NOT_CLAIMED), NOTHING, "not_started", "claim"),
        (_account("FAILED", NOT_STARTED), BEGAN, "not_started", "could not be started"),
        (_account("FAILED", 1), AttemptFolder(claimed=True, refused="no folder /x"), "not_started", "no folder /x"),
        (_account("FAILED", 0, 9), BEGAN, "exited", "more memory"),
        (_account("NEWS_OF_TOMORROW"), BEGAN, "lost", "NEWS_OF_TOMORROW"),
    ],
)
def test_an_end_that_the_command_did_not_choose_is_said_in_words(
    account: Account, folder: AttemptFolder, how: str, said: str
) -> None:
    end = ended(account, folder)
    assert end.how == how
    assert end.exit_code is None
    assert end.error is not None
    assert re.search(said, end.error)
    assert end.word == word_of(account.state)


def test_out_of_memory_counts_even_where_the_script_ends_well() -> None:
    end = ended(_account("OUT_OF_MEMORY", 0, 125), _left(0))
    assert (end.how, end.exit_code) == ("killed", 0)


def test_a_signal_that_ended_a_command_which_had_begun_is_no_failure_to_launch() -> None:
    end = ended(_account("FAILED", 0, 53), BEGAN)
    assert (end.how, end.signal) == ("exited", 53)


@given(
    st.sampled_from(" ".join(STATES.values()).split()),
    st.integers(0, 255),
    st.integers(0, 64),
    st.sampled_from([NOTHING, BEGAN, _left(0), _left(7), _left(137), AttemptFolder(claimed=True, void=True)]),
)
def test_every_end_has_a_word_and_a_reason_or_a_code(
    state: str, exit_code: int, signal: int, folder: AttemptFolder
) -> None:
    end = ended(_account(state, exit_code, signal), folder)
    assert end.word == word_of(state)
    assert end.how in {"exited", "timeout", "stopped", "killed", "lost", "not_started"}
    assert end.exit_code is not None or end.signal is not None or end.error
    if end.word == "NODE_FAIL" and folder.exit is None:
        assert end.how == "lost"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_words_that_go_on_after_a_colon(reason: str) -> None:
    said = waiting(reason)
    assert said.endswith(f" ({reason})")
    assert not said[0].isupper() or said.startswith("Slurm")
    assert "." not in said.replace("sbatch.", "").replace("needs.", "")


@pytest.mark.parametrize("reason", ["JobHeldUser", "JobHoldMaxRequeue"])
def test_what_is_held_is_told_with_what_lets_it_go(reason: str) -> None:
    assert needs_somebody(reason)
    assert "`scontrol release` lets it go" in waiting(reason)


# Limits as Slurm names them: of accounts and QOS, of groups and single users, in total and per job.
LIMITS: Final = [
    ("QOSMaxCpuPerUserLimit", "cpus for all jobs of its user together in its QOS"),
    ("QOSGrpCpuLimit", "cpus for all jobs of its QOS"),
    ("AssocGrpCPURunMinutesLimit", "cpus, times minutes"),
    ("AssocMaxJobsLimit", "limit of jobs for all jobs of its user together in its account"),
    ("AssocGrpGRES", "generic resources"),
    ("QOSMaxSubmitJobPerUserLimit", "jobs in the queue"),
    ("AssocMaxSubmitJobLimit", "jobs in the queue"),
    ("MaxJobsPerAccount", "for all jobs of its account"),
    ("QOSMaxWallDurationPerJobLimit", "lower its `timeout`"),
    ("AssocMaxWallDurationPerJobLimit", "lower its `timeout`"),
    ("QOSMaxMemoryPerNode", "on one node; lower its `needs.memory`"),
    ("QOSMinGRES", "raise its `needs.gpus`"),
    ("QOSMinCpuNotSatisfied", "raise its `needs.cpus`"),
    ("AssocMaxUnknownMinutesPerJob", "one of its resources"),
    ("AssocGrpBillingRunMinutes", "billing units"),
    ("QOSMaxBBPerAccount", "burst buffer"),
]


@pytest.mark.parametrize("reason,said", LIMITS)
def test_a_limit_is_read_from_the_parts_of_its_name(reason: str, said: str) -> None:
    assert said in waiting(reason)
    assert waiting(reason).endswith(f" ({reason})")


def test_what_follows_a_reason_is_kept_and_what_is_not_known_is_quoted() -> None:
    assert waiting("ReqNodeNotAvail, UnavailableNodes:n[1-2]").endswith("(ReqNodeNotAvail, UnavailableNodes:n[1-2])")
    down = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
    assert waiting(down) == f"the nodes that it needs are down, drained or reserved for others ({down})"
    assert waiting("WhatEver") == "Slurm says WhatEver"
    assert waiting("") == "Slurm says nothing of why"
