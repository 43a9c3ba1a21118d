"""What Slurm's commands said is a yes, a no, a no for now, or none of these: then the job must be looked up."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.actors.slurm.refusals import NotNow, Refused, Taken, Unsure, Verdict, judge, judge_sbatch
from holdfast.actors.slurm.site import Finished

FAILED: Final = "sbatch: error: Batch job submission failed: "
RETRYING: Final = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n"
POLICY: Final = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)\n"
NO_MUNGE: Final = (
    "sbatch: error: If munged is up, restart with --num-threads=10\n"
    'sbatch: error: Munge encode failed: Failed to access "/run/munge.sock": No such file or directory\n'
    "sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error\n"
    f"{FAILED}Protocol authentication error\n"
)
LATE_MUNGE: Final = (
    "sbatch: error: Munge encode failed: x\nsbatch: error: Munge decode failed: Unauthorized credential\n"
    f"{FAILED}Protocol authentication error\n"
)

# What was said, with which exit code, what it means, and a part of the sentence.
SAID: Final[list[tuple[int, str, type[Verdict], str]]] = [
    (
        1,
        f"sbatch: error: invalid partition specified: nope\n{FAILED}Invalid partition name specified\n",
        Refused,
        "nope",
    ),
    (1, f"{FAILED}Invalid account or account/partition combination specified\n", Refused, "`account` of the target"),
    (1, f"{FAILED}Invalid qos specification\n", Refused, "sbatch.qos"),
    (1, f"{FAILED}Invalid feature specification\n", Refused, "sbatch.constraint"),
    (1, f"{FAILED}Invalid license specification\n", Refused, "licence"),
    (1, f"{FAILED}Requested node configuration is not available\n", Refused, "needs"),
    (1, f"{FAILED}Pathname of a file, directory or other parameter too long\n", Refused, "too long"),
    (1, "sbatch: error: Invalid generic resource (gres) specification\n", Refused, "gres"),
    (1, "sbatch: fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.\n", Refused, "exclusive"),
    (255, "sbatch: unrecognized option '--nope'\nTry \"sbatch --help\" for more information\n", Refused, "--nope"),
    (255, "sbatch: error: Invalid --time specification\n", Refused, "--time"),
    (1, f"sbatch: error: QOSMaxCpuPerJobLimit\n{FAILED}{POLICY}", Refused, "lower its `needs.cpus`"),
    (1, f"sbatch: error: AssocMaxSubmitJobLimit\n{FAILED}{POLICY}", NotNow, "AssocMaxSubmitJobLimit"),
    (1, f"sbatch: error: QOSMaxSubmitJobPerUserLimit\n{FAILED}{POLICY}", NotNow, "jobs in the queue"),
    (1, f"{FAILED}{POLICY}", NotNow, "limit"),
    (1, f"{RETRYING}{FAILED}Resource temporarily unavailable\n", NotNow, "MaxJobCount"),
    (1, f"{RETRYING}sbatch: error: AssocMaxSubmitJobLimit\n{FAILED}{POLICY}", NotNow, "AssocMaxSubmitJobLimit"),
    (1, f"{FAILED}Unable to contact slurm controller (connect failure)\n", NotNow, "can't be reached"),
    (1, f"{FAILED}System submissions disabled\n", NotNow, "closed"),
    (1, NO_MUNGE, NotNow, "munge"),
    (1, "sbatch: fatal: Could not establish a configuration source\n", NotNow, "configuration"),
    (127, "env: 'sbatch': No such file or directory\n", NotNow, "PATH"),
    (126, "env: 'sbatch': Permission denied\n", NotNow, "PATH"),
    (1, f"{FAILED}Socket timed out on send/recv operation\n", Unsure, "timed out"),
    (1, f"{FAILED}Zero Bytes were transmitted or received\n", Unsure, "Zero Bytes"),
    (1, f"{FAILED}Unable to contact slurm controller (receive failure)\n", Unsure, "receive failure"),
    (1, f"{FAILED}Unable to contact slurm controller (send failure)\n", Unsure, "send failure"),
    (1, f"{FAILED}Unexpected message received\n", Unsure, "Unexpected"),
    (1, f"{FAILED}Unspecified error\n", Unsure, "Unspecified"),
    (1, f"{FAILED}Protocol authentication error\n", Unsure, "authentication"),
    (1, LATE_MUNGE, Unsure, "decode"),
    (1, f"{FAILED}Something that Slurm says from 2030 on\n", Unsure, "2030"),
    (1, "sbatch: error: a plugin of the site's own is unhappy\n", Unsure, "unhappy"),
    (1, "", Unsure, "not known"),
    (137, "", Unsure, "not known"),
    (-9, "", Unsure, "signal 9"),
]


@pytest.mark.parametrize("exit_code,said,verdict,part", SAID)
def test_what_sbatch_said_is_a_verdict_in_one_sentence(
    exit_code: int, said: str, verdict: type[Verdict], part: str
) -> None:
    found = judge_sbatch(Finished(exit_code, b"", said.encode()))
    assert type(found) is verdict
    assert not isinstance(found, Taken)
    assert part in found.sentence
    assert "\n" not in found.sentence
    assert len(found.sentence) < 500


@pytest.mark.parametrize(
    "stdout,id_",
    [("25\n", "25"), ("25;lab\n", "25"), ("25", "25"), ("Welcome to the cluster\n25\n", "25")],
)
def test_an_id_is_a_clear_yes_whatever_else_is_said(stdout: str, id_: str) -> None:
    assert judge_sbatch(Finished(0, stdout.encode(), b"sbatch: lua: your project ends soon\n")) == Taken(id_)


@pytest.mark.parametrize(
    "stdout", ["", "\n", "Submitted batch job 25\n", "25\nbye\n", "2 5", "0\n", "25;a b\n", "x\xff"]
)
def test_an_end_without_an_id_is_neither_yes_nor_no(stdout: str) -> None:
    assert isinstance(judge_sbatch(Finished(0, stdout.encode("latin-1"), b"")), Unsure)


@given(st.integers(-64, 255).filter(bool), st.text(max_size=80), st.binary(max_size=20))
def test_p2_what_was_never_heard_is_never_taken_for_an_answer(exit_code: int, text: str, stdout: bytes) -> None:
    found = judge_sbatch(Finished(exit_code, stdout, f"{FAILED}{text}".encode(errors="replace")))
    assert isinstance(found, Unsure)


@given(st.sampled_from([each for each in SAID if each[2] is Unsure]), st.sampled_from(SAID))
def test_p2_a_clear_no_beside_a_doubt_is_a_doubt(
    doubt: tuple[int, str, type[Verdict], str], other: tuple[int, str, type[Verdict], str]
) -> None:
    if not any(
        word in doubt[1] for word in ("timed out", "Zero Bytes", "receive", "send failure", "Unexpected message")
    ):
        return
    assert isinstance(judge_sbatch(Finished(1, b"", (doubt[1] + other[1]).encode())), Unsure)
    assert isinstance(judge_sbatch(Finished(1, b"", (other[1] + doubt[1]).encode())), Unsure)


@pytest.mark.parametrize(
    "exit_code,said,part",
    [
        (1, "slurm_load_jobs error: Socket timed out on send/recv operation\n", "in time"),
        (1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", "can't be reached"),
        (0, "squeue: error: Invalid user: 12345\n", "Invalid user"),
        (0, "sacct: error: Problem talking to the database: Connection refused\n", "database"),
        (1, NO_MUNGE.replace("sbatch", "squeue"), "munge"),
        (-15, "", "signal 15"),
        (140, "scancel: error: Kill job error on job id 53: Socket timed out on send/recv operation\n", "in time"),
        (2, "", "exit code 2"),
    ],
)
def test_a_question_that_failed_is_not_answered(exit_code: int, said: str, part: str) -> None:
    problem = judge(Finished(exit_code, b"", said.encode()))
    assert problem is not None
    assert part in problem


def test_a_question_that_was_answered_has_no_problem() -> None:
    assert judge(Finished(0, b"rows", b"")) is None
    noise = b"squeue: error: _parse_next_key: Parsing error at unrecognized key: Colour\n"
    assert judge(Finished(0, b"rows", noise)) is None
