"""Where the home is and how it lies on disk: long, odd and private paths, and the rules for finding it."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import need

from .gates import gate, open_gate
from .marks import MARK, check_log
from .place import COMMAND, Place, until
from .processes import kill, runners_of

FLOW = f'[jobs.a]\nrun = "{MARK}"\n'
ODD = ["x" * 60 + "/" + "y" * 60 + "/" + "z" * 60, "a home with spaces", "ünï cødé 家", 'it\'s $HOME; `x`\\ "q"']


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD, ids=["over 108 bytes", "spaces", "not ASCII", "quotes"])
def test_a_home_of_any_name_takes_flows_and_commands(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path, name)
    try:
        run = place.start("--home", name, "run", place.flow(gate("a")))
        place.until_state("a", "running")
        assert place.run("--home", name, "submit", "--", "true").out == "2\n"
        open_gate(place, "a")
        assert run.finish().code == 0
        until(lambda: place.state("2") == "succeeded" or not run.running, "the other job has run or is left for later")
        check_log(place)
    finally:
        place.close()


def modes(place: Place) -> dict[str, int]:
    """The permissions of everything in the home."""
    found = [place.home.path, *place.home.path.rglob("*")]
    return {str(path.relative_to(place.home.path)): stat.S_IMODE(path.lstat().st_mode) for path in found}


def test_p10_everything_in_the_home_is_private_whatever_the_umask(place: Place) -> None:
    # A shell in between, because a umask can't be given to a process that is started.
    flow = place.flow(gate("a"))
    command = ["sh", "-c", 'umask 0; exec "$@"', "sh", *COMMAND, "run", flow]
    with subprocess.Popen(command, cwd=place.folder, env=place.environment, stderr=subprocess.DEVNULL) as child:
        place.until_state("a", "running")
        seen = modes(place)
        open_gate(place, "a")
        assert child.wait(60) == 0
    assert {"log.db", "log.db-wal", "control.sock", "runner.sock", "runner.journal", "lock", "output"} <= set(seen)
    folders = {name for name in seen if (place.home.path / name).is_dir()}
    assert {name: oct(mode) for name, mode in seen.items() if mode != (0o700 if name in folders else 0o600)} == {}


@pytest.mark.slow
def test_p10_files_and_sockets_are_private_from_the_moment_they_exist(place: Place) -> None:
    strace = need("strace", "apt-get install strace")
    trace = place.folder.parent / "trace"
    calls = "trace=openat,open,creat,mkdir,mkdirat,bind,chmod,fchmod,fchmodat,umask"
    command = [strace, "-f", "-qq", "-o", str(trace), "-e", calls, "sh", "-c", 'umask 0; exec "$@"', "sh", *COMMAND]
    place.flow('[jobs.a]\nrun = ["true"]\n')
    child = subprocess.Popen([*command, "run", "flow.toml"], cwd=place.folder, env=place.environment)
    try:
        until(lambda: place.home.log.exists() and place.jobs() and not place.unfinished(), "the flow is over")
    finally:
        # The traced runner keeps strace, and strace keeps the command, from ending by itself for a while.
        place.close()
        child.wait(60)
    text = trace.read_text(errors="replace")
    home = re.escape(place.home.path.name)
    made = [
        line
        for line in text.splitlines()
        if "O_CREAT" in line and (re.search(f"{home}/", line) or "runner." in line) and "= -1" not in line
    ]
    assert len(made) >= 6
    assert [line for line in made if "0600" not in line] == []
    assert [line for line in text.splitlines() if "mkdir" in line and home in line and "0700" not in line] == []
    # A socket's file gets its mode from the umask at bind.
    umasks: dict[str, str] = {}
    bound: list[str] = []
    for line in text.splitlines():
        process = line.split()[0]
        if set_to := re.search(r"umask\((\w+)", line):
            umasks[process] = set_to[1]
        elif "bind(" in line and re.search(r"(control|runner)\.sock", line):
            bound.append(umasks[process])
    assert bound == ["0177", "0177"]


@pytest.mark.slow
def test_holdfast_home_names_the_home_and_home_wins_over_it(place: Place) -> None:
    place.flow(FLOW)
    named = {"HOLDFAST_HOME": "named"}
    assert place.run("run", "flow.toml", environment=named).code == 0
    assert (place.folder / "named" / "log.db").exists()
    assert not place.home.path.exists()
    assert place.run("--home", "before", "run", "flow.toml", environment=named).code == 0
    assert place.run("run", "--home", "after", "flow.toml", environment=named).code == 0
    for name in ("named", "before", "after"):
        assert place.run("jobs", "--home", name).out.count("succeeded") == 1
        end_runner(place.folder / name)


def end_runner(home: Path) -> None:
    for pid in runners_of(home):
        kill(pid)


def test_the_nearest_home_at_or_above_the_working_folder_is_used(place: Place) -> None:
    assert place.run("run", place.flow(FLOW)).code == 0
    deep = place.folder / "a" / "b"
    deep.mkdir(parents=True)
    assert place.run("submit", "--name", "below", "--", "true", folder=deep).out == "2\n"
    assert place.states() == {"a": "succeeded", "below": "ready"}
    assert not (deep / ".holdfast").exists()
    (deep.parent / ".holdfast").mkdir()
    assert place.run("submit", "--", "true", folder=deep).out == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize("words", ["jobs", "run", "cancel 1", "log", "verify", "replay"])
def test_where_there_is_no_home_commands_say_so_and_make_none(place: Place, words: str) -> None:
    done = place.run(*words.split())
    assert (done.code, done.out) == (2, "")
    assert "there is no home at" in done.err
    assert not place.home.path.exists()


@pytest.mark.slow
def test_p8_a_home_below_a_file_or_without_permission_is_refused_with_a_sentence(place: Place) -> None:
    (place.folder / "file").write_text("")
    place.flow(FLOW)
    done = place.run("run", "flow.toml", "--home", "file/home")
    assert (done.code, done.out) == (2, "")
    assert "file is a file" in done.err
    done = place.run("run", "flow.toml", "--home", "file")
    assert (done.code, done.out) == (2, "")
    assert "file is a file" in done.err


@pytest.mark.slow
def test_p8_a_home_on_a_read_only_place_is_refused_with_a_sentence(place: Place) -> None:
    if sys.platform != "linux":
        pytest.skip("there is no /proc to write to")
    for words in ("run", place.flow(FLOW)), ("submit", "--", "true"):
        done = place.run(*words, environment={"HOLDFAST_HOME": "/proc/holdfast"})
        assert done.code == 3
        assert "no folder can be made at /proc/holdfast; choose another place with --home" in done.err


@pytest.mark.slow
def test_p8_a_home_whose_lock_is_a_folder_is_refused_with_a_sentence_and_doctor_names_it(place: Place) -> None:
    assert place.run("submit", "--", "true").code == 0
    place.home.lock.unlink()
    place.home.lock.mkdir()
    for words in ("run",), ("submit", "--", "true"), ("cancel", "1"), ("rebuild",):
        done = place.run(*words)
        assert done.code == 3, words
        assert "lock is a folder, but the lock of a home is a file; move that folder away" in done.err
    assert place.run("jobs").code == 0
    doctor = place.run("doctor")
    assert doctor.code == 1
    assert "lock is a folder, where Holdfast keeps a file" in doctor.out


@pytest.mark.slow
def test_a_working_folder_that_was_removed_is_named_in_plain_words(place: Place) -> None:
    gone = place.folder / "gone"
    gone.mkdir()
    for words in ["jobs"], ["--home", str(place.home.path), "jobs"], ["submit", "--", "true"], ["doctor"]:
        command = ["sh", "-c", 'rmdir ../gone; exec "$@"', "sh", *COMMAND, *words]
        done = subprocess.run(command, cwd=gone, env=place.environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "holdfast: the working folder has been removed; change to a folder that exists, and ask again\n"
        )
        gone.mkdir()
    assert not place.home.path.exists()
