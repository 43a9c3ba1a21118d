"""`doctor` finds what could keep Holdfast from working, says what to do about it, and changes nothing."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.cli.checks.checkup import Level
from holdfast.cli.checks.machinechecks import check_python, check_room, check_sqlite_library
from holdfast.cli.main import main
from holdfast.store.connection import open_writer
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock
from holdfast.store.statements import run

from .commands import Caller
from .staging import SECOND_US, Stage, job


def line_with(said: str, words: str) -> str:
    """The one line that holds the words."""
    (found,) = [line for line in said.splitlines() if words in line]
    return found


def test_a_sound_home_gets_nothing_but_ok(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    said = call("doctor")
    assert said.code == 0
    assert said.err == ""
    assert {line.split()[0] for line in said.out.splitlines()} == {"ok"}


def test_it_works_without_a_home_and_makes_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a" / ".holdfast"
    assert main(["doctor", "--home", str(path)]) == 0
    said = capfd.readouterr().out
    assert f"makes {path}, private to you (0700)" in said
    assert not path.parent.exists()


@pytest.mark.parametrize("name,mode", [(".", 0o750), ("log.db", 0o644), ("secrets", 0o755), ("secrets/KEY", 0o640)])
def test_what_others_can_get_into_is_wrong_and_named_with_the_remedy(
    stage: Stage, call: Caller, name: str, mode: int
) -> None:
    stage.home.secrets.mkdir(mode=0o700)
    (stage.home.secrets / "KEY").touch(0o600)
    assert call("doctor").code == 0
    path = stage.home.path / name
    right = 0o700 if path.is_dir() else 0o600
    path.chmod(mode)
    said = call("doctor")
    assert said.code == 1
    assert line_with(said.out, f"has mode {mode:04o}").startswith(f"wrong    {path}")
    assert f"chmod {right:o} {path}" in said.out


def test_a_secret_that_is_a_link_is_wrong(stage: Stage, call: Caller, tmp_path: Path) -> None:
    stage.home.secrets.mkdir(mode=0o700)
    (tmp_path / "key").touch(0o600)
    (stage.home.secrets / "KEY").symlink_to(tmp_path / "key")
    said = call("doctor")
    assert said.code == 1
    assert "is a link, which is not followed" in said.out


def test_a_supervisor_that_answers_is_told_from_one_that_does_not(stage: Stage, call: Caller) -> None:
    with HomeLock(stage.home):
        said = call("doctor")
        assert line_with(said.out, f"process {os.getpid()} has the home and does not answer").startswith("warning")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(stage.home.control))
            stage.home.control.chmod(0o600)
            listener.listen()
            said = call("doctor")
            assert f"ok       a supervisor is running, process {os.getpid()}, and answers" in said.out


def test_somebody_on_the_socket_without_the_lock_is_wrong(stage: Stage, call: Caller) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stage.home.control))
        stage.home.control.chmod(0o600)
        listener.listen()
        assert call("doctor").code == 1


def test_jobs_of_unknown_fate_and_attempts_without_a_runner_are_warned_of(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"))
    stage.started(1, 2)
    said = call("doctor")
    assert "2 attempts should be in flight, but no runner is at work" in said.out
    stage.says(2, "ended", how="lost", ended_at=stage.now)
    stage.lose_sight()
    said = call("doctor")
    assert said.code == 0
    assert "warning  1 job can't be reached just now" in said.out
    assert "warning  of 1 job it can't be known how they ended" in said.out


def test_a_log_from_the_future_is_warned_of(stage: Stage, call: Caller) -> None:
    stage.now = 4_000_000_000 * SECOND_US
    stage.submit(job("a"))
    assert "in the future: the clock was set back, or is wrong" in line_with(call("doctor").out, "the newest event")


def test_a_damaged_log_is_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.log.write_text("not a database, but long enough to be taken for the header of one, or so it seems to be")
    home.log.chmod(0o600)
    assert main(["doctor", "--home", str(home.path)]) == 1
    assert "is damaged" in line_with(capfd.readouterr().out, "log.db")


@pytest.mark.parametrize(
    "statement,words",
    [
        ("delete from events where seq = 2", "the log holds 2 events, but the newest is event 3: some are missing"),
        ("delete from events where seq = 3", "the log ends with event 2, but the views have followed it to event 3"),
    ],
    ids=["a hole", "a lost end"],
)
def test_a_log_with_holes_or_without_its_end_is_wrong_and_verify_says_more(
    stage: Stage, call: Caller, statement: str, words: str
) -> None:
    stage.submit(job("a"))
    stage.close()
    with closing(open_writer(stage.home.log)) as log:
        run(log, statement)
    said = call("doctor")
    assert said.code == 1
    assert line_with(said.out, words).startswith("wrong")
    assert "`holdfast verify` says" in said.out


def test_a_folder_in_place_of_a_file_is_wrong(stage: Stage, call: Caller) -> None:
    stage.home.control.mkdir(mode=0o700)
    said = call("doctor")
    assert said.code == 1
    assert line_with(said.out, "control.sock is a folder").startswith("wrong")


def test_what_the_runner_complains_of_is_passed_on(stage: Stage, call: Caller) -> None:
    log = stage.home.path / "runner.log"
    log.write_text(
        "2026-11-20T13:52:00Z output past max_output is kept as well: no holes on this file system (x)\n"
        "2026-11-20T13:52:01Z line 3 of the journal is no line of a journal; it was skipped\n"
    )
    log.chmod(0o600)
    said = call("doctor")
    assert said.code == 0
    assert "this file system can't punch holes" in said.out
    assert "the runner wrote down 1 remark, the last: 2026-11-20T13:52:01Z line 3 of the journal" in said.out


def test_old_versions_and_full_disks_are_judged() -> None:
    assert check_python((3, 10, 9)).level is Level.WRONG
    assert check_python((3, 14, 0)).level is Level.OK
    assert check_sqlite_library("3.51.2").level is Level.WRONG
    assert check_sqlite_library("3.50.7").level is Level.OK
    assert [check_room(size).level for size in (10_000_000, 500_000_000, 5_000_000_000)] == list(Level)[::-1]
    assert check_room(0).what == "the disk of the home is full: 0 B free"
    assert check_room(41_000_000).what == "the disk of the home is nearly full: 41 MB free"
