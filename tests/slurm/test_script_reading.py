"""What is read of attempts' folders: as it stands there, and nothing at all where the answer is not whole."""

import subprocess
from pathlib import Path

import pytest

from holdfast.actors.slurm.attempt_folders import (
    AttemptFolder,
    Exit,
    GarbledAnswer,
    close_argv,
    forget_secrets_argv,
    prepare_argv,
    read_answer,
    read_argv,
    read_stdin,
    void_answer,
    void_argv,
)

from .batchfolder import BatchFolder, order

BY = b"by slurm 5\nby array \nby task \nby restart 0\nby host n1\nby pid 9\nby plan 0a1\nby time 12.5\n"
WHOLE = b"attempt 7.1\n" + BY + b"exit status 0\nexit began 12.5\nexit ended 13\nsize 4096 .\nsize 3 7.1.out\nend\n"


@pytest.fixture
def place(tmp_path: Path) -> BatchFolder:
    return BatchFolder(tmp_path / "work")


def test_the_folder_is_private_and_may_be_made_twice(place: BatchFolder) -> None:
    place.run(prepare_argv(str(place.folder)))
    assert place.folder.stat().st_mode & 0o777 == 0o700
    assert {each.name for each in place.folder.iterdir()} == {
        "attempts",
        "clocks",
        "output",
        "seconds",
        "secrets",
        "slurm",
    }
    assert [each for each in place.folder.rglob("*") if each.is_file()] == []


def test_a_workdir_that_cannot_be_written_is_found_out_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = subprocess.run(prepare_argv(str(tmp_path / "file" / "x")), capture_output=True, check=False)
    assert ran.returncode != 0
    assert b"file" in ran.stderr


def test_many_attempts_are_read_at_once(place: BatchFolder) -> None:
    works = [f"{number}.1" for number in range(1, 301)]
    for work in works[:200]:
        (place.folder / "attempts" / work).write_text("status 4\nbegan 1.25\nended 2\n")
        (place.folder / "output" / f"{work}.err").write_text("x" * int(work.partition(".")[0]))
    found = place.read(*works)
    assert list(found) == works
    for number, work in enumerate(works, 1):
        expected = AttemptFolder(claimed=True, exit=Exit(4, 1_250_000, 2_000_000), err_bytes=number)
        assert found[work] == (expected if number <= 200 else AttemptFolder(claimed=False))


def test_a_folder_that_is_not_there_is_no_answer(place: BatchFolder) -> None:
    (place.folder / "attempts").rename(place.folder / "elsewhere")
    for argv in (read_argv(str(place.folder)), void_argv(str(place.folder))):
        ran = subprocess.run(argv, input=read_stdin(["7.1"]), capture_output=True, check=False)
        assert ran.returncode != 0
        assert ran.stdout == b""


@pytest.mark.parametrize("shown", range(len(WHOLE)))
def test_an_answer_that_breaks_off_says_nothing(shown: int) -> None:
    with pytest.raises(GarbledAnswer):
        read_answer(WHOLE[:shown], ["7.1"])


@pytest.mark.parametrize(
    "old, new",
    [
        (b"attempt 7.1", b"attempt 8.1"),
        (b"attempt 7.1", b"welcome!\nattempt 7.1"),
        (b"size 3 7.1.out", b"size 3 9.1.out"),
        (b"size 3", b"size x"),
        (b"end\n", b"end\nbye\n"),
    ],
)
def test_an_answer_with_something_else_in_it_is_none(old: bytes, new: bytes) -> None:
    assert read_answer(WHOLE, ["7.1"])["7.1"].out_bytes == 3
    with pytest.raises(GarbledAnswer, match="it is asked again"):
        read_answer(WHOLE.replace(old, new), ["7.1"])


@pytest.mark.parametrize(
    "old, new",
    [
        (b"by pid 9", b"by pid"),
        (b"by pid 9", b"by pid -9"),
        (b"by host n1\n", b""),
        (b"by time 12.5\n", b"by time 12.5\nby time 12.5\n"),
        (b"status 0", b"status zero"),
        (b"ended 13", b"ended 13.N"),
    ],
)
def test_a_note_that_was_damaged_says_nothing_and_concerns_no_other_attempt(old: bytes, new: bytes) -> None:
    whole = read_answer(WHOLE, ["7.1"])["7.1"]
    damaged = read_answer(WHOLE.replace(old, new), ["7.1"])["7.1"]
    assert damaged.claimed
    assert damaged.out_bytes == whole.out_bytes
    if old.startswith(b"by"):
        assert (damaged.claim, damaged.exit) == (None, whole.exit)
    else:
        assert (damaged.claim, damaged.exit) == (whole.claim, None)


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_file_that_is_being_written_says_nothing_yet(place: BatchFolder, cut: int) -> None:
    file = place.folder / "attempts" / "7.1"
    lines = [line.partition(b" ")[2] for line in BY.splitlines()]
    file.write_bytes(b"")
    assert place.read("7.1")["7.1"] == AttemptFolder(claimed=True)
    file.write_bytes(b"\n".join(lines[:cut]) + b"\nti")
    assert place.read("7.1")["7.1"] == AttemptFolder(claimed=True)
    file.write_bytes(b"\n".join(lines) + b"\nstatus 0\nbegan 1.5\nended 1")
    found = place.read("7.1")["7.1"]
    assert found.claim is not None
    assert found.exit is None
    file.write_bytes(b"\n".join(lines) + b"\nstatus 0\nbegan 1.5\nended 1.75\n")
    found = place.read("7.1")["7.1"]
    assert found.claim is not None
    assert found.exit == Exit(0, 1_500_000, 1_750_000)


def test_why_an_attempt_was_refused_is_not_taken_for_its_end(place: BatchFolder) -> None:
    lines = [line.partition(b" ")[2] for line in BY.splitlines()]
    said = "can't use its folder\nstatus 0\nbegan 1.5\nended 1.75\nvoid x"
    (place.folder / "attempts" / "7.1").write_bytes(b"\n".join([*lines, b"refused " + said.encode(), b""]))
    found = place.read("7.1")["7.1"]
    assert found.claim is not None
    assert (found.exit, found.refused, found.void) == (None, said, False)


def test_p2_what_is_voided_never_runs_and_what_ran_is_not_voided(place: BatchFolder) -> None:
    assert place.end(place.script(order(7)))[0] == 0
    first, again = (place.run(void_argv(str(place.folder)), read_stdin(["7.1", "8.1"])) for _ in range(2))
    assert void_answer(first, ["7.1", "8.1"]) == void_answer(again, ["7.1", "8.1"]) == {"7.1": False, "8.1": True}
    code, log = place.end(place.script(order(8, run=("touch", "ran"))), job=6)
    assert code == 111
    assert "ends without running the command" in log
    assert place.read("8.1")["8.1"] == AttemptFolder(claimed=True, void=True, seconds=("6.0",))
    with pytest.raises(GarbledAnswer):
        void_answer(first, ["7.1"])
    with pytest.raises(GarbledAnswer):
        void_answer(first.replace(b"void", b"vold"), ["7.1", "8.1"])


def test_what_is_no_file_is_a_claim_that_says_nothing_and_keeps_nobody_waiting(place: BatchFolder) -> None:
    (place.folder / "attempts" / "7.1").mkdir()
    answer = place.run(void_argv(str(place.folder)), read_stdin(["7.1", "8.1"]))
    assert void_answer(answer, ["7.1", "8.1"]) == {"7.1": False, "8.1": True}
    assert place.read("7.1")["7.1"] == AttemptFolder(claimed=True)


def test_p2_what_is_closed_keeps_the_claims_and_what_was_said(place: BatchFolder) -> None:
    for name in ("5.log", "6.log", "5_1.log", "8.log"):
        (place.folder / "slurm" / name).touch()
    (place.folder / "slurm" / "6.log").write_text("slurmstepd: error: something\n")
    assert place.end(place.script(order(7, run="echo ran")))[0] == 0
    assert place.end(place.script(order(7)), job=6)[0] == 111
    assert place.end(place.script(order(4), order(5, run="echo said >&2")), job=7, task=1)[0] == 0
    assert place.end(place.script(order(8)), job=8)[0] == 0
    place.give_secrets({"7.1": {"A": "1"}, "8.1": {"A": "2"}})
    place.run(void_argv(str(place.folder)), read_stdin(["9.1"]))
    place.run(close_argv(str(place.folder)), read_stdin(["7.1", "5.1", "9.1", "10.1"]))
    left = {str(each.relative_to(place.folder)) for each in place.folder.rglob("*") if each.is_file()}
    left.discard("clocks/n1")
    claims = {"attempts/5.1", "attempts/7.1", "attempts/8.1", "attempts/9.1"}
    of_closed = {"output/7.1.out", "output/5.1.err", "slurm/6.log"}
    of_open = {"output/8.1.out", "output/8.1.err", "secrets/8.1", "slurm/8.log"}
    # Task 0 of the array, attempt 4.1, never began.
    assert left == claims | of_closed | of_open
    assert [(place.folder / each).stat().st_size > 0 for each in sorted(claims)] == [False, False, True, True]
    assert list((place.folder / "seconds").iterdir()) == []
    assert place.read("7.1")["7.1"] == AttemptFolder(claimed=True, out_bytes=4)
    assert place.end(place.script(order(7, run=("touch", "ran"))), job=9)[0] == 111
    assert not (place.workdir / "ran").exists()


def test_secrets_that_nobody_took_are_removed(place: BatchFolder) -> None:
    place.give_secrets({"7.1": {"A": "1"}, "8.1": {"A": "2"}, "9.1": {"A": "3"}})
    place.run(forget_secrets_argv(str(place.folder)), read_stdin(["7.1", "8.1", "10.1"]))
    assert [each.name for each in (place.folder / "secrets").iterdir()] == ["9.1"]
    place.run(forget_secrets_argv(str(place.folder)), read_stdin([]))
    assert [each.name for each in (place.folder / "secrets").iterdir()] == ["9.1"]


@pytest.mark.parametrize("status, code, number", [(0, 0, None), (128, 128, None), (137, None, 9), (255, 255, None)])
def test_a_shells_status_is_an_exit_code_or_a_signal(status: int, code: int | None, number: int | None) -> None:
    end = Exit(status, 0, 0)
    assert (end.exit_code, end.signal) == (code, number)
