"""Real trouble with a home's disk and its neighbours: it is said in words, nothing is lost, and all goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from holdfast.store.connection import open_reader
from holdfast.store.reading import newest_seq
from holdfast.store.statements import snapshot
from tests.store.processes import child, with_mounts
from tests.tools import need, refuse

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, marks
from .place import Place, until

AFTER_A = f'[jobs.b]\nrun = "{MARK}"\nafter = ["a"]\n'


SYNCS = "fsync,fdatasync"


@contextmanager
def failing(calls: str, pid: int, when: str) -> Generator[None]:
    """Let system calls of a process's main thread fail, counted from now on, such as `1` or `1+` (all of them)."""
    strace = need("strace", "apt-get install strace")
    options = ["-qq", "-o", os.devnull, "-e", f"inject={calls}:error=EIO:when={when}", "-p", str(pid)]
    tracer = subprocess.Popen([strace, *options], stderr=subprocess.PIPE)
    try:
        until(lambda: is_traced(pid) or tracer.poll() is not None, "the process is traced")
        if tracer.poll() is not None:
            assert tracer.stderr is not None
            refuse(f"processes can't be traced here: {tracer.stderr.read().decode().strip()}")
        yield
    finally:
        tracer.terminate()
        tracer.wait()
        assert tracer.stderr is not None
        tracer.stderr.close()


def is_traced(pid: int) -> bool:
    try:
        return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.slow
def test_p1_p2_after_a_sync_that_failed_the_log_is_read_afresh_and_nothing_is_lost_or_run_twice(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER_A)
    with failing(SYNCS, run.pid, "1"):
        open_gate(place, "a")
        assert run.child.wait(60) == 0
    assert "the writer failed and is started anew: " in run.err
    assert "the disk failed under" in run.err
    assert "Traceback" not in run.err
    assert place.states() == {"a": "succeeded", "b": "succeeded"}
    assert len(marks(place)) == 2
    check_log(place)


@pytest.mark.slow
def test_p1_p2_a_disk_that_never_syncs_again_ends_the_run_with_the_cause_and_the_next_one_goes_on(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER_A)
    with failing(SYNCS, run.pid, "1+"):
        open_gate(place, "a")
        assert run.child.wait(60) == 3
    last = run.err.splitlines()[-1]
    assert "the disk failed under" in last
    assert "check the disk, then start again" in last
    assert "Traceback" not in run.err
    assert place.run("run").code == 0
    assert place.states() == {"a": "succeeded", "b": "succeeded"}
    assert len(marks(place)) == 2
    check_log(place)


@pytest.mark.slow
def test_a_page_that_can_not_be_read_once_is_no_damage_and_the_supervisor_goes_on(place: Place) -> None:
    place.run("submit", "--", "false")
    assert place.run("run").code == 1
    serve = place.serve()
    with failing("pread64", serve.pid, "1"):
        place.start("retry", "1").child.wait(60)
        until(lambda: "is started anew" in serve.err, "a part of the supervisor has met the error")
    assert place.run("submit", "--name", "later", "--", "true").code == 0
    place.until_state("later", "succeeded")
    assert serve.running
    check_log(place)


@pytest.mark.slow
def test_a_run_goes_on_by_itself_when_a_program_that_locked_the_log_lets_go(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER_A)
    with child("hold-write-lock", place.home.path) as program:
        assert program.hear() == "writing"
        refused = place.run("submit", "--name", "refused", "--", "true")
        assert (refused.code, refused.out) == (3, "")
        assert "is locked by another SQLite program; close that program" in refused.err
        open_gate(place, "a")
        until(lambda: "trouble: " in run.err, "the supervisor says so")
        assert len(marks(place)) == 1, "nothing starts that can't be recorded"
        program.finish()
    assert run.finish().code == 0
    assert "is locked by another SQLite program" in run.err
    assert place.states() == {"a": "succeeded", "b": "succeeded"}
    check_log(place)


@pytest.mark.slow
def test_p5_a_program_that_reads_for_long_delays_nobody(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER_A)
    with closing(open_reader(place.home.log)) as connection, snapshot(connection):
        before = newest_seq(connection)
        open_gate(place, "a")
        assert run.finish().code == 0
        assert place.run("run", place.flow(f'[jobs.c]\nrun = "{MARK}"\n', "more.toml")).code == 0
        assert newest_seq(connection) == before
    assert place.states() == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    check_log(place)


def test_p1_after_a_kill_a_person_may_look_into_the_log_and_the_next_run_goes_on(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER_A)
    run.kill()
    with child("look", place.home.path) as program:
        program.finish()
    assert "running" in place.run("jobs").out
    open_gate(place, "a")
    assert place.run("run").code == 0
    assert place.states() == {"a": "succeeded", "b": "succeeded"}
    assert len(marks(place)) == 2
    check_log(place)


_READ_ONLY = """
mount --bind "$2" "$2"
mount -o remount,ro,bind "$2"
for command in jobs log verify "run" "submit -- true" "cancel 1" rebuild; do
    "$1" -m holdfast --home "$2" $command >/dev/null 2>"$3" && code=0 || code=$?
    echo "$command: $code $(tail -n 1 "$3")"
done
"""


def test_a_home_on_a_read_only_disk_is_read_and_refused_for_writing_with_the_reason(place: Place) -> None:
    assert place.run("run", place.flow(f'[jobs.a]\nrun = "{MARK}"\n')).code == 0
    said = with_mounts(_READ_ONLY, sys.executable, str(place.home.path), str(place.folder / "said")).splitlines()
    assert said[:3] == ["jobs: 0 ", "log: 0 ", "verify: 0 "]
    for line in said[3:]:
        assert ": 3 holdfast: " in line
        assert "can't be written: it is read-only; make it writable or choose another --home" in line


def as_owner(*words: str) -> list[str]:
    """A command with the rights of a file's owner and no more, which root has unless that is taken from it."""
    if os.geteuid() != 0:
        return list(words)
    setpriv = need("setpriv", "it is part of util-linux; else run the tests as another user than root")
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search", *words]


def test_a_home_whose_permissions_were_taken_away_is_never_shown_as_empty(place: Place) -> None:
    assert place.run("submit", "--hold", "--", "true").code == 0
    home = place.home.path
    for path in (home, place.home.log):
        right = path.stat().st_mode & 0o777
        path.chmod(0o000)
        for words in (["jobs"], ["log"], ["run"], ["submit", "--", "true"], ["verify"], ["rebuild"]):
            command = as_owner(sys.executable, "-m", "holdfast", "--home", str(home), *words)
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (3, ""), words
            assert "permission" in done.stderr.lower(), words
            assert str(home) in done.stderr
            assert "Traceback" not in done.stderr
        path.chmod(right)
    assert place.states() == {"": "held"}
