"""Standard streams that are closed, full, or read by nobody: what was asked for is done, and no traceback is shown."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from .place import COMMAND, Place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /dev/full")


def shell(place: Place, words: str, redirected: str, *, buffered: bool = True) -> tuple[int, str]:
    """The exit code of `holdfast WORDS`, run by a shell with redirections, and what came out in spite of them."""
    environment = {**place.environment}
    environment.pop("PYTHONUNBUFFERED", None)
    if not buffered:
        environment["PYTHONUNBUFFERED"] = "1"
    command = f"{shlex.join(COMMAND)} {words} {redirected}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=place.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = done.stdout + done.stderr
    assert [each for each in ("Traceback", "mistake of Holdfast", "Exception ignored") if each in said] == []
    return done.returncode, said


@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
def test_a_full_standard_output_ends_with_3_and_what_was_asked_for_is_done(place: Place, *, buffered: bool) -> None:
    code, said = shell(place, "submit -- true", ">/dev/full", buffered=buffered)
    assert code == 3
    assert said.startswith("holdfast: standard output can't be written (No space left on device); ")
    assert [job.state for job in place.jobs()] == ["ready"]
    code, said = shell(place, "jobs --json", ">/dev/full", buffered=buffered)
    assert code == 3
    assert "standard output can't be written" in said


@pytest.mark.slow
def test_a_closed_standard_output_is_an_empty_one(place: Place) -> None:
    for words in ("submit -- true", "jobs", "log", "run", "run --json", "logs 1", "explain 1", "verify"):
        code, said = shell(place, words, ">&-")
        assert code == 0, (words, said)
    assert [job.state for job in place.jobs()] == ["succeeded"]


@pytest.mark.slow
@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_takes_nothing_changes_no_exit_code(place: Place, redirected: str) -> None:
    assert place.run("submit", "--", "true").code == 0
    expected = {
        "run": 0,
        "cancel 1": 0,
        "jobs --state lost": 0,
        "cancel 99": 2,
        "jobs --bogus": 2,
        "pause": 0,
        "hold 1": 1,
    }
    assert {words: shell(place, words, redirected)[0] for words in expected} == expected


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_trouble(place: Place) -> None:
    assert place.run("map", "true", ":::", *map(str, range(200))).code == 0
    for words in ("log", "log --json", "jobs", "jobs --json", "map true ::: a b", "log --follow"):
        code, said = shell(place, words, "| head -n 1")
        assert (code, said.count("\n")) == (0, 1), (words, said)


def test_a_standard_input_that_is_closed_is_an_empty_one(place: Place) -> None:
    code, said = shell(place, "map echo", "<&-")
    assert code == 2
    assert said.startswith("holdfast: there are no arguments to map over")
    code, said = shell(place, "run -", "<&-")
    assert code == 2
    assert said.startswith("holdfast: standard input: there are no jobs in it")
