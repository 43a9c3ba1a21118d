"""The runner on every Python that a host may have, as far as this machine has it: 3.6 is the oldest."""

import subprocess
import sys
from pathlib import Path

import pytest

from .driving import RUNNER, Home
from .pythons import PYTHONS


def test_the_code_is_older_than_any_python_it_is_sent_to() -> None:
    if "3.6" not in PYTHONS:
        pytest.skip("no Python 3.6 beside this one or in /usr/bin: the runner was NOT tried on the oldest it promises")
    compiled = subprocess.run(
        [PYTHONS["3.6"], "-c", f"compile(open({str(RUNNER)!r}).read(), 'runner', 'exec')"], check=True
    )
    assert compiled.returncode == 0


# What later Pythons, some systems or some C libraries have, taken away: the way round each is there on every machine.
LACKING = """
import os, sys
def fail(*_): raise OSError(38, "there is no such call")
for name in ("posix_spawn", "POSIX_SPAWN_OPEN", "POSIX_SPAWN_DUP2", "memfd_create", "pidfd_open", "waitid", "P_PID"):
    if hasattr(os, name):
        delattr(os, name)
os.sched_getscheduler = fail
sys.byteorder = "big"
import runpy
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""


def lacking_python(folder: Path) -> str:
    """A command that is called like a Python to run the runner, without what may be missing on a host."""
    (folder / "lacking.py").write_text(LACKING)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$1" "$2" {folder}/lacking.py "$3" "$4"\n')
    python.chmod(0o755)
    return str(python)


def too_new(file: Path) -> str:
    """What in a file needs a Python after the oldest, as vermin says."""
    command = [sys.executable, "-c", "import vermin; vermin.main()", "-t=3.6-", "--violations", "--quiet"]
    command += ["--no-tips", "--no-config-file"]
    # There is a way round each of the first five, see below; the last is for type checkers.
    names = ("os.posix_spawn", "os.POSIX_SPAWN_OPEN", "os.POSIX_SPAWN_DUP2", "os.memfd_create", "os.pidfd_open")
    for name in (*names, "typing.TypeGuard"):
        command += ["--exclude", name]
    checked = subprocess.run([*command, str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert (checked.returncode == 0) is (checked.stdout == b"")
    return checked.stdout.decode()


@pytest.mark.parametrize("file", ["runner.py", "connections/relay.py"])
def test_what_is_sent_to_hosts_needs_no_newer_python_than_the_oldest(file: str) -> None:
    assert too_new(RUNNER.parent / file) == ""


@pytest.mark.parametrize("line", ["import os; os.waitstatus_to_exitcode(0)", "if x := 1: pass", "import zoneinfo"])
def test_what_is_too_new_for_hosts_is_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "new.py").write_text(f"{line}\n")
    assert "3." in too_new(tmp_path / "new.py")


def test_it_runs_stops_and_adopts_where_much_is_missing(tmp_path: Path) -> None:
    serves(tmp_path, lacking_python(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_it_runs_stops_and_adopts(tmp_path: Path, version: str) -> None:
    serves(tmp_path, PYTHONS[version])


def serves(tmp_path: Path, python: str) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    home = Home(folder, python)
    try:
        link = home.begin()
        plain = home.shell('cat; echo "$HOLDFAST_TOKEN $EXTRA"; echo wrong >&2; exit 3', env={"EXTRA": "ä"})
        missing, script = home.attempt("./missing"), home.attempt("./script")
        (home.work / "script").write_text("echo\n")
        (home.work / "script").chmod(0o755)
        trapped = home.shell("trap '' TERM; while :; do sleep 0.01; done", timeout_us=100_000, grace_us=100_000)
        link.launch(plain, missing, script, trapped)
        end = link.end(plain)
        assert (end.how, end.exit_code) == ("exited", 3)
        assert home.read(end.output[0]) == f"{plain.token} ä\n".encode()
        assert home.read(end.output[1]) == b"wrong\n"
        assert [link.end(each).how for each in (missing, script)] == ["not_started", "not_started"]
        assert (link.end(trapped).how, link.end(trapped).signal) == ("timeout", 9)
        shell: dict[str, object] = {
            "cwd": str(home.work),
            "without": [],
            "timeout_us": 9_000_000,
            "max_output_bytes": 100,
        }
        link.send("execute", id=5, argv=["/bin/sh", "-c", "cat; exit 6"], stdin="eHl6", **shell)
        printed, done = link.receive(), link.receive()
        assert (printed.base64, done.exit_code) == ("eHl6", 6)
        lasting = home.shell("exec sleep 1000")
        link.launch(lasting)
        pid = link.until(lasting, "running").pid
        home.kill_runner()
        link = home.begin()
        assert (link.statuses[lasting.token].state, link.statuses[lasting.token].pid) == ("running", pid)
        link.send("stop", tokens=[lasting.token])
        assert link.end(lasting).how == "stopped"
        signals = home.shell("grep -E 'SigBlk|SigIgn' /proc/self/status" if sys.platform == "linux" else "exit 0")
        link.launch(signals)
        for line in home.read(link.end(signals).output[0]).splitlines():
            assert int(line.split()[1], 16) & 0x7FFFFFFF == 0
        assert "Traceback" not in (home.path / "runner.log").read_text()
    finally:
        home.close()
