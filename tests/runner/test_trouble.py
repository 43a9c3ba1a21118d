"""A disk that is full: nothing starts, nothing is forgotten, and it is said so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import refuse

from .driving import Home, until

RUNNER_DISK_BYTES = 1 << 20


@pytest.fixture
def full_home(tmp_path: Path) -> Iterator[Home]:
    """A home on a disk of its own of 1 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        refuse("a small disk can be mounted by root on Linux only; run this test in a container as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={RUNNER_DISK_BYTES},mode=0700", "tmpfs", str(disk)]
    mounted = subprocess.run(["mount", *options], stderr=subprocess.PIPE, check=False)
    if mounted.returncode != 0:
        refuse(f"no disk can be mounted here: {mounted.stderr.decode().strip()}; give the container CAP_SYS_ADMIN")
    home = Home(disk / "home", work=tmp_path / "work")
    home.path.mkdir(mode=0o700)
    try:
        yield home
    finally:
        home.close()
        subprocess.run(["umount", str(disk)], check=True)


def fill(home: Home) -> Path:
    """Leave no byte free on the home's disk; removing the file makes room again."""
    path = home.path / "filler"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(512))
    except OSError:
        return path
    finally:
        os.close(descriptor)


def test_a_full_disk_stops_starts_and_keeps_queue_and_ends(full_home: Home) -> None:
    home = full_home
    link = home.begin(cpus=1)
    (home.work / "ran").touch()
    running = home.shell("while [ ! -e go ]; do sleep 0.005; done; echo $HOLDFAST_TOKEN >> ran; exit 3")
    link.launch(running)
    link.until(running, "running")
    filler = fill(home)
    queued = [home.shell("echo $HOLDFAST_TOKEN >> ran") for _ in range(30)]
    link.launch(*queued)
    (home.work / "go").touch()
    until((home.work / "ran").read_text, "the end of the running job")
    while not link.troubles:
        link.receive()
    assert link.troubles[0] is not None
    assert "No space left on device" in link.troubles[0]
    link = home.connect({"cpus": 1})
    queued_then = [status.token for status in link.statuses.values() if status.state == "queued"]
    assert len(queued_then) > 10, "the last page of the journal has room for a few lines only"
    link.receive()
    assert link.troubles, "a new connection is told as well"
    until(lambda: len((home.work / "ran").read_text().split()) == 31 - len(queued_then), "those that had started")
    for _ in range(3):
        link = home.connect({"cpus": 1})
    assert [status.token for status in link.statuses.values() if status.state == "queued"] == queued_then
    whole = (home.path / "runner.journal").read_bytes()
    assert whole.endswith(b"\n")
    filler.unlink()
    for attempt in [running, *queued]:
        link.end(attempt)
    assert link.statuses[running.token].exit_code == 3
    assert link.troubles[-1] is None
    assert (home.work / "ran").read_text().split() == [each.token for each in [running, *queued]]


def test_a_runner_that_starts_on_a_full_disk_waits_for_room(full_home: Home) -> None:
    home = full_home
    link = home.begin()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    link.end(attempt)
    home.kill_runner()
    filler = fill(home)
    link = home.begin()
    assert link.statuses[attempt.token].exit_code == 3
    after = home.shell("exit 4")
    link.launch(after)
    while not link.troubles:
        link.receive()
    filler.unlink()
    assert link.end(after).exit_code == 4
    home.kill_runner()
    link = home.begin()
    assert [link.statuses[each.token].exit_code for each in (attempt, after)] == [3, 4]


def test_a_missing_output_folder_is_trouble_until_it_is_back(home: Home) -> None:
    link = home.begin()
    (home.path / "output").rmdir()
    attempt = home.shell("echo back")
    link.launch(attempt)
    while not link.troubles:
        link.receive()
    assert link.troubles[0] is not None
    assert "no file for output can be made" in link.troubles[0]
    (home.path / "output").mkdir(mode=0o700)
    assert home.read(link.end(attempt).output[0]) == b"back\n"
    assert link.troubles[-1] is None
