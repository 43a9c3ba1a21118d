"""Promise P10: a secret's value is in the environment of its job, and nowhere else that Holdfast writes or shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .gates import open_gate
from .place import Place, until
from .processes import carrying

VALUE = "s3cr3t-9f27c1d4-value"
FLOW = """
    [jobs.a]
    run = 'printf %s "$API_KEY" > got; touch up; while ! test -e open-a; do sleep 0.02; done'
    secrets = ["API_KEY"]
    [jobs.b]
    run = 'printf %s "$API_KEY" > other'
"""


def files_with(place: Place, value: str) -> list[Path]:
    """The files of the home in which a value stands."""
    paths = [path for path in place.home.path.rglob("*") if path.is_file() and path.parent != place.home.secrets]
    assert place.home.log in paths
    return [path for path in paths if value.encode() in path.read_bytes()]


def keep_secret(place: Place, mode: int = 0o600) -> None:
    """Put the secret into its file."""
    place.home.path.mkdir(mode=0o700)
    place.home.secrets.mkdir(mode=0o700)
    path = place.home.secrets / "API_KEY"
    path.write_text(VALUE + "\n")
    path.chmod(mode)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["environment", "file"])
def test_p10_a_secret_reaches_its_job_and_no_log_journal_command_line_or_runner(place: Place, source: str) -> None:
    if source == "file":
        keep_secret(place)
    environment = {"API_KEY": VALUE} if source == "environment" else {}
    run = place.start("run", place.flow(FLOW), environment=environment)
    until((place.folder / "up").exists, "the job is up")
    assert (place.folder / "got").read_text() == VALUE
    runner = place.until_runner()
    found = list(carrying(VALUE.encode()))
    assert [pid for pid, where in found if where == "cmdline"] == []
    holders = {pid for pid, where in found if where == "environ"}
    assert runner not in holders
    assert holders - {run.pid}, "the job itself has it"
    assert files_with(place, VALUE) == []
    open_gate(place, "a")
    done = run.finish()
    assert done.code == 0
    assert VALUE not in done.err + done.out
    assert files_with(place, VALUE) == []
    shown = [place.run(*words).out for words in (("log", "--json"), ("show", "a"), ("explain", "a"), ("doctor",))]
    assert "API_KEY" in shown[0]
    assert VALUE not in "".join(shown)


@pytest.mark.slow
def test_p10_a_job_without_the_secret_does_not_get_it_from_the_file(place: Place) -> None:
    keep_secret(place)
    open_gate(place, "a")
    assert place.run("run", place.flow(FLOW)).code == 0
    assert (place.folder / "other").read_text() == ""


def test_p10_a_missing_secret_fails_its_job_with_a_sentence_and_no_other(place: Place) -> None:
    open_gate(place, "a")
    assert place.run("run", place.flow(FLOW)).code == 1
    assert place.states() == {"a": "failed", "b": "succeeded"}
    reason = place.job("a").reason or ""
    assert reason.startswith("the secret API_KEY is neither in the supervisor's environment nor a file")
    assert not (place.folder / "got").exists()


@pytest.mark.slow
def test_p10_a_secret_file_that_others_may_read_is_refused(place: Place) -> None:
    keep_secret(place, 0o644)
    open_gate(place, "a")
    assert place.run("run", place.flow(FLOW)).code == 1
    assert "is not private; make it your own with mode 0600" in (place.job("a").reason or "")
    (place.home.secrets / "API_KEY").chmod(0o600)
    assert place.run("retry", "a").code == 0
    assert place.run("run").code == 0
    assert (place.folder / "got").read_text() == VALUE


@pytest.mark.slow
def test_p10_a_secret_that_is_not_utf_8_reaches_its_job_unchanged(place: Place) -> None:
    open_gate(place, "a")
    odd = b"k\xff\xfey"
    assert place.run("run", place.flow(FLOW), environment={"API_KEY": os.fsdecode(odd)}).code == 0
    assert (place.folder / "got").read_bytes() == odd


@pytest.mark.slow
def test_p10_a_secret_that_no_environment_can_hold_fails_its_job_and_shows_nothing_of_it(place: Place) -> None:
    keep_secret(place)
    (place.home.secrets / "API_KEY").write_bytes(b"with\0zero")
    open_gate(place, "a")
    done = place.run("run", place.flow(FLOW))
    assert done.code == 1
    assert "zero" not in done.err
    assert place.states() == {"a": "failed", "b": "succeeded"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "too long"])
def test_p5_a_secret_that_is_no_plain_file_fails_its_job_and_holds_nobody_up(place: Place, kind: str) -> None:
    place.home.path.mkdir(mode=0o700)
    place.home.secrets.mkdir(mode=0o700)
    path = place.home.secrets / "API_KEY"
    match kind:
        case "pipe":
            os.mkfifo(path, 0o600)
        case "folder":
            path.mkdir(mode=0o700)
        case "link":
            path.symlink_to(place.folder)
        case _:
            path.write_text("x" * 1_000_000)
            path.chmod(0o600)
    open_gate(place, "a")
    assert place.run("run", place.flow(FLOW)).code == 1
    assert place.states() == {"a": "failed", "b": "succeeded"}
    assert "API_KEY" in (place.job("a").reason or "")
