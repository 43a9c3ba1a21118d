"""What a job finds: its environment, folder, descriptors, signals, umask, limits, and the program it asked for."""

import os
import platform
import re
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from .driving import Home

REPORT = """
import json, os, resource, signal
print(json.dumps({
    "group": os.getpgid(0) == os.getpid(),
    "descriptors": sorted(int(name) for name in os.listdir("/dev/fd") if os.path.exists("/dev/fd/" + name)),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "umask": os.umask(0),
    "cwd": os.getcwd(),
    "stdin": os.read(0, 10).decode(),
    "environ": dict(os.environ),
}))
"""


class Found(msgspec.Struct):
    group: bool
    descriptors: list[int]
    blocked: list[int]
    files: tuple[int, int]
    umask: int
    cwd: str
    stdin: str
    environ: dict[str, str]


def found(home: Home, **members: object) -> Found:
    link = home.connect(environ={"PATH": os.environ["PATH"], "BASE": "base", "BOTH": "base"})
    attempt = home.python_job(REPORT, **members)
    link.launch(attempt)
    end = link.end(attempt)
    assert end.exit_code == 0, home.read(end.output[1])
    return msgspec.json.decode(home.read(end.output[0]), type=Found)


def test_a_job_gets_its_environment_and_its_token(home: Home) -> None:
    home.start()
    environ = found(home, token=f"{home.prefix}.5.2", env={"BOTH": "job", "EXTRA": "ä"}).environ
    for invented in ("LC_CTYPE", "__CF_USER_TEXT_ENCODING"):  # by the job's own Python
        environ.pop(invented, None)
    assert environ == {
        "PATH": os.environ["PATH"],
        "BASE": "base",
        "BOTH": "job",
        "EXTRA": "ä",
        "HOLDFAST_TOKEN": f"{home.prefix}.5.2",
    }


def test_what_is_no_utf_8_reaches_a_job_byte_by_byte(home: Home) -> None:
    link = home.begin()
    attempt = home.attempt("/bin/sh", "-c", 'printf "%s %s" "$ODD" "$1"', "sh", "\udcfe", env={"ODD": "\udcff"})
    link.launch(attempt)
    assert home.read(link.end(attempt).output[0]) == b"\xff \xfe"


def test_a_job_gets_three_descriptors_and_nothing_else(home: Home) -> None:
    home.start()
    report = found(home)
    assert [number for number in report.descriptors if number > 2] == []
    assert report.stdin == ""


def test_a_job_leads_its_own_group_in_its_own_folder(home: Home) -> None:
    home.start()
    report = found(home)
    assert report.group
    assert report.cwd == str(home.work.resolve())


def test_a_job_gets_the_users_umask_and_limits(home: Home) -> None:
    umask, limits = os.umask(0o027), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        home.start()
        report = found(home)
    finally:
        os.umask(umask)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert report.umask == 0o027
    assert report.files == (200, limits[1])


def test_more_attempts_run_than_the_users_limit_of_files_would_allow(home: Home) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    try:
        home.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    link = home.connect({"cpus": 100})
    attempts = [home.shell("exec sleep 1000") for _ in range(100)]
    link.launch(*attempts)
    for attempt in attempts:
        link.until(attempt, "running")
    link.send("stop", tokens=[attempt.token for attempt in attempts])
    assert {link.end(attempt).signal for attempt in attempts} == {signal.SIGTERM}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the signals that a process ignores")
def test_a_job_ignores_and_blocks_no_signal(home: Home) -> None:
    # Started by a shell that ignores what `nohup` ignores, the runner must not hand that on.
    command = ["/bin/sh", "-c", "trap '' HUP USR1; exec \"$@\"", "sh", sys.executable, "-I", "-S"]
    runner = Path(__file__).parents[2] / "actors" / "runner.py"
    home.runners.append(subprocess.Popen([*command, str(runner), str(home.path)], start_new_session=True))
    link = home.connect()
    attempt = home.shell("grep Sig /proc/self/status")
    link.launch(attempt)
    lines = home.read(link.end(attempt).output[0]).decode().splitlines()
    masks = {name.rstrip(":"): int(mask, 16) for name, mask in (line.split() for line in lines if "SigQ" not in line)}
    of_libc = 1 << 31 | 1 << 32  # the two signals that it keeps for itself; nobody can change how they are taken
    assert (masks["SigIgn"] & ~of_libc, masks["SigBlk"]) == (0, 0)


def slice_ns(status: str) -> int | None:
    """The time slice that `/proc/PID/sched` tells of; None where the system has none to tell."""
    slices = [line.split(":")[1] for line in status.splitlines() if line.startswith("se.slice")]
    return int(slices[0]) if slices else None


def test_the_runner_takes_shorter_slices_than_others_and_its_jobs_do_not(home: Home) -> None:
    own = Path("/proc/self/sched")
    usual = slice_ns(own.read_text()) if own.exists() else None
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if usual is None or version is None or (int(version[1]), int(version[2])) < (6, 12):
        pytest.skip("only Linux 6.12 or later lets a process choose its slices")
    link = home.begin()
    attempt = home.shell("cat /proc/self/sched")
    link.launch(attempt)
    assert slice_ns(home.read(link.end(attempt).output[0]).decode()) == usual
    runner = slice_ns(Path(f"/proc/{home.runners[0].pid}/sched").read_text())
    assert runner is not None
    assert runner < usual


def test_each_job_writes_through_a_description_of_its_own(home: Home) -> None:
    link = home.begin()
    one, two = home.shell("echo one; echo wrong >&2"), home.shell("echo two")
    link.launch(one, two)
    ends = link.end(one), link.end(two)
    assert [home.read(end.output[0]) for end in ends] == [b"one\n", b"two\n"]
    assert home.read(ends[0].output[1]) == b"wrong\n"


def test_a_program_is_looked_up_in_the_jobs_own_path(home: Home) -> None:
    for name in ("a", "b"):
        (home.work / name).mkdir()
        program = home.work / name / "which-one"
        program.write_text(f"#!/bin/sh\necho {name}\n")
        program.chmod(0o755)
    link = home.begin()
    paths = [f"{home.work}/a:/bin", f"{home.work}/b:/bin", "b:/bin", f"{home.work}/missing:{home.work}/a:/bin"]
    attempts = [home.attempt("which-one", env={"PATH": path}) for path in paths]
    link.launch(*attempts)
    assert [home.read(link.end(attempt).output[0]) for attempt in attempts] == [b"a\n", b"b\n", b"b\n", b"a\n"]
    (home.work / "a" / "which-one").unlink()
    moved = home.attempt("which-one", env={"PATH": f"{home.work}/a:{home.work}/b:/bin"})
    gone = home.attempt("which-one", env={"PATH": paths[0]})
    link.launch(moved, gone)
    assert home.read(link.end(moved).output[0]) == b"b\n"
    assert link.end(gone).how == "not_started"


def test_a_working_folder_that_was_made_anew_is_the_new_one(home: Home) -> None:
    link = home.begin(cpus=1)
    folder = home.work / "again"
    folder.mkdir()
    blocker = home.shell("while [ ! -e ../go ]; do sleep 0.01; done", cwd=str(folder))
    link.launch(blocker)
    link.until(blocker, "running")
    folder.rmdir()
    folder.mkdir()
    attempt = home.shell("echo here > proof", cwd=str(folder))
    link.launch(attempt)
    link.settle()
    (home.work / "go").touch()
    link.end(attempt)
    assert (folder / "proof").read_text() == "here\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the working folder of a process")
def test_an_idle_runner_is_in_no_job_s_folder(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exit 0")
    link.launch(attempt)
    link.end(attempt)
    link.settle()
    assert (Path("/proc") / str(home.runners[0].pid) / "cwd").readlink() == Path("/")


def test_a_job_may_close_its_output(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exec >&- 2>&-; echo nowhere; exit 3")
    link.launch(attempt)
    end = link.end(attempt)
    assert end.exit_code == 3
    assert (end.output[0].start, end.output[0].end) == (0, 0)


def test_a_job_s_files_have_the_modes_it_asked_for(home: Home) -> None:
    umask = os.umask(0o002)
    try:
        link = home.begin()
    finally:
        os.umask(umask)
    attempt = home.shell("echo > made")
    link.launch(attempt)
    link.end(attempt)
    assert stat.S_IMODE((home.work / "made").stat().st_mode) == 0o664


def test_a_working_folder_is_made_only_where_that_is_asked_for(home: Home) -> None:
    home.start()
    folder = home.work / "a" / "ä b"
    assert found(home, cwd=str(folder), make_cwd=True).cwd == str(folder)
    umask = os.umask(0)
    os.umask(umask)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)] == [0o777 & ~umask] * 2
    assert found(home, cwd=str(folder), make_cwd=True).cwd == str(folder)  # it may be there already


@pytest.mark.parametrize("below", ["file/in", "file", "x" * 300, "x/" * 1500, "a\0b"])
def test_a_working_folder_that_can_t_be_made_is_named(home: Home, below: str) -> None:
    (home.work / "file").touch()
    link = home.begin()
    attempt = home.shell("exit 0", cwd=f"{home.work}/{below}", make_cwd=True)
    link.launch(attempt)
    end = link.end(attempt)
    assert end.how == "not_started"
    assert end.error is not None
    assert "can't be" in end.error
    link.settle()
