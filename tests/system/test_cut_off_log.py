"""Promises P2 and P8 where the log has lost its end, or everything: nothing is started, and the remedy is said."""

from __future__ import annotations

import shutil
import signal
from contextlib import closing
from pathlib import Path

import pytest

from holdfast.store.connection import open_writer
from holdfast.store.statements import run

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, marks
from .place import Finished, Place, until
from .processes import kill

CUT_OFF = "the log has lost its end"


def files_of_log(place: Place) -> list[Path]:
    return list(place.home.path.glob("log.db*"))


def keep(place: Place, backup: str = "backup") -> None:
    """Make a backup of the log, which nobody has open."""
    (place.folder / backup).mkdir()
    for path in files_of_log(place):
        shutil.copy2(path, place.folder / backup)


def restore(place: Place, backup: str = "backup") -> None:
    """Put the log back as `keep` copied it."""
    for path in files_of_log(place):
        path.unlink()
    for path in (place.folder / backup).iterdir():
        shutil.copy2(path, place.home.path)


def run_to_the_end_and_be_forgotten(place: Place, *names: str) -> None:
    """Run jobs that leave a mark, until the runner has nothing of them but its receipt."""
    serving = place.serve()
    for name in names:
        assert place.run("submit", "--name", name, "--", "/bin/sh", "-c", MARK).code == 0
    token = f"{place.reader().lookups.home}.{place.job(names[-1]).id}.1"
    journal = place.home.path / "runner.journal"
    until(lambda: f'{{"acknowledge":["{token}"]' in journal.read_text(), "the end is acknowledged")
    serving.signal(signal.SIGTERM)
    assert serving.finish().code == 0


def end_runner(place: Place) -> None:
    pid = place.runner_pid()
    if pid is not None:
        kill(pid)


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
@pytest.mark.parametrize("runner", ["waits", "is gone"])
def test_p2_a_backup_from_before_what_ran_and_was_acknowledged_is_refused_and_runs_none_of_it_again(
    place: Place, runner: str
) -> None:
    run_to_the_end_and_be_forgotten(place, "early")
    assert place.run("submit", "--name", "late", "--", "/bin/sh", "-c", MARK).code == 0
    keep(place)
    run_to_the_end_and_be_forgotten(place, "later")
    keep(place, "newest")
    ran = marks(place)
    assert [token.partition(".")[2] for token in ran] == ["1.1", "2.1", "3.1"]
    restore(place)
    if runner == "is gone":
        end_runner(place)
    # The log that was put back grows past the missing one before a runner is asked.
    assert place.run("map", "true", "{}", ":::", *map(str, range(20))).code == 0
    for words in ("run",), ("serve",), ("run", place.flow('[jobs.other]\nrun = "true"\n')):
        done = place.run(*words)
        refused(done, CUT_OFF)
        assert "a receipt for what was recorded up to event" in done.err
        assert "put the newest log back" in done.err
    assert {job.state for job in place.jobs() if job.name != "early"} == {"ready"}
    assert marks(place) == ran
    restore(place, "newest")
    assert place.run("run").code == 0
    assert marks(place) == ran
    check_log(place)


@pytest.mark.slow
def test_a_backup_goes_on_once_the_journal_is_moved_away_and_what_ran_since_may_run_again(place: Place) -> None:
    assert place.run("submit", "--name", "early", "--", "/bin/sh", "-c", MARK).code == 0
    keep(place)
    run_to_the_end_and_be_forgotten(place, "late")
    restore(place)
    refused(place.run("run"), CUT_OFF)
    end_runner(place)
    journal = place.home.path / "runner.journal"
    journal.rename(journal.with_suffix(".old"))
    assert place.run("run").code == 0
    assert place.states() == {"early": "succeeded"}
    assert [token.partition(".")[2] for token in marks(place)] == ["1.1", "2.1", "1.1"]


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
