"""Promise P8 where the log has lost its end, or everything: nothing is started, and the remedy is said."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.store.connection import open_writer
from holdfast.store.statements import run

from .gates import gate, mid_run, open_gate
from .marks import marks
from .place import Finished, Place

CUT_OFF = "the log has lost its end"


def files_of_log(place: Place) -> list[Path]:
    return list(place.home.path.glob("log.db*"))


def keep(place: Place) -> None:
    """Make a backup of the log, which nobody has open."""
    (place.folder / "backup").mkdir()
    for path in files_of_log(place):
        shutil.copy2(path, place.folder / "backup")


def restore(place: Place) -> None:
    """Put the log back as `keep` copied it."""
    for path in files_of_log(place):
        path.unlink()
    for path in (place.folder / "backup").iterdir():
        shutil.copy2(path, place.home.path)


def sql(place: Place, statement: str) -> None:
    """Change the log as a mistake of ours would: through our own door, so that the file itself stays sound."""
    with closing(open_writer(place.home.log)) as connection:
        run(connection, statement)


def refused(done: Finished, words: str) -> None:
    assert (done.code, done.out) == (3, "")
    assert words in done.err
    assert "is started anew" not in done.err


def test_p8_a_backup_that_knows_less_than_the_runner_is_refused_at_once_and_starts_nothing(place: Place) -> None:
    assert place.run("submit", "--name", "early", "--", "true").code == 0
    keep(place)
    mid_run(place, gate("a")).kill()
    restore(place)
    for words in ("run",), ("serve",), ("run", "flow.toml"):
        done = place.run(*words)
        refused(done, CUT_OFF)
        assert "put the newest log back" in done.err
    assert place.state("early") == "ready"
    assert len(marks(place)) == 1
    open_gate(place, "a")


@pytest.mark.slow
def test_p8_a_log_without_its_wal_is_refused_where_the_runner_knows_more(place: Place) -> None:
    assert place.run("submit", "--name", "early", "--", "true").code == 0
    mid_run(place, gate("a")).kill()
    assert (place.home.path / "log.db-wal").stat().st_size
    for path in files_of_log(place):
        if path != place.home.log:
            path.unlink()
    refused(place.run("run"), CUT_OFF)
    assert len(marks(place)) == 1
    open_gate(place, "a")


def test_p8_a_log_that_lost_events_which_its_views_have_is_refused_by_all_that_would_change_it(place: Place) -> None:
    assert place.run("run", place.flow(gate("a").replace("test -e open-a", "true"))).code == 0
    sql(place, "delete from events where seq = (select max(seq) from events)")
    for words in ("run",), ("serve",), ("rebuild",), ("submit", "--", "true"), ("cancel", "1"):
        refused(place.run(*words), "is damaged: it ends with event")
    verified = place.run("verify")
    assert verified.code == 1
    assert "its end was cut off" in verified.out
    doctor = place.run("doctor")
    assert doctor.code == 1
    assert "but the views have followed it to event" in doctor.out
    assert place.run("jobs").code == place.run("log").code == 0


@pytest.mark.slow
def test_p8_a_hole_in_the_log_is_noticed_by_doctor_and_by_all_that_read_past_it(place: Place) -> None:
    assert place.run("run", place.flow('[jobs.a]\nrun = "true"\n')).code == 0
    sql(place, "delete from events where seq = 4")
    doctor = place.run("doctor")
    assert doctor.code == 1
    assert "some are missing" in doctor.out
    assert "`holdfast verify` says where" in doctor.out
    verified = place.run("verify")
    assert verified.code == 1
    assert "event 4" in verified.out
    for words in ("log",), ("replay",), ("rebuild",):
        done = place.run(*words)
        assert done.code == 3, words
        assert "is damaged" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("how", ["empty", "missing"])
def test_p8_a_home_whose_log_is_gone_is_damaged_and_not_new(place: Place, how: str) -> None:
    assert place.run("run", place.flow('[jobs.a]\nrun = "true"\n')).code == 0
    for path in files_of_log(place):
        path.unlink()
    if how == "empty":
        place.home.log.touch(0o600)
    for words in (
        ("jobs",),
        ("show", "1"),
        ("log",),
        ("replay",),
        ("verify",),
        ("rebuild",),
        ("run",),
        ("run", "flow.toml"),
        ("submit", "--", "true"),
        ("cancel", "1"),
        ("verify",),
        ("rebuild",),
    ):
        refused(place.run(*words), "although attempts have run here")
