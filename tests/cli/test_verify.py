"""`verify` says what it checked and what is wrong, and changes nothing; it works beside a supervisor."""

from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.store.lock import HomeLock
from tests.store.stores import dump, tamper

from .commands import Caller
from .staging import Stage, job


def test_a_sound_home_is_told_to_be_so(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"))
    with HomeLock(stage.home):
        said = call("verify")
    assert (said.code, said.err) == (0, "")
    assert "4 events without a gap" in said.out
    assert "the views of 2 jobs say what the log says" in said.out


def test_a_view_that_says_otherwise_is_a_finding_and_stays_as_it_is(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    tamper(stage.home.log, "update job set name = 'other'")
    before = dump(stage.home.log)
    said = call("verify")
    assert said.code == 1
    assert "wrong: view job: " in said.out
    assert "1 finding in " in said.out
    assert dump(stage.home.log) == before


def test_an_event_that_can_not_be_read_is_a_finding_even_if_it_is_the_first(stage: Stage, call: Caller) -> None:
    tamper(stage.home.log, "update events set type = 'home_painted' where seq = 1")
    said = call("verify")
    assert said.code == 1
    assert "home_painted" in said.out


def test_what_is_no_log_at_all_is_unavailable(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.db").write_text(
        "not a database, but long enough to be taken for the header of one, or so it seems"
    )
    assert main(["verify", "--home", str(tmp_path)]) == 3
    assert "is damaged" in capfd.readouterr().err
