"""A script whose disk is full: nothing runs that was not claimed, and what could not be written down is said."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from holdfast.actors.slurm.attempt_folders import AttemptFolder, read_stdin, void_answer, void_argv
from holdfast.actors.slurm.script import NOT_CLAIMED, NOT_STARTED
from tests.tools import refuse

from .batchfolder import SHELLS, BatchFolder, order

INODES = 40

every_shell = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[BatchFolder]:
    """A workdir on a disk of its own, of half a megabyte and 40 files."""
    if sys.platform != "linux" or os.geteuid() != 0:
        refuse("a small disk can be mounted by root on Linux only")
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size=512k,nr_inodes={INODES}", "none", str(disk)]
    mounted = subprocess.run(words, check=False, capture_output=True, text=True)
    if mounted.returncode:
        refuse(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    yield BatchFolder(disk / "work")
    subprocess.run(["umount", str(disk)], check=True)


def fill(place: BatchFolder) -> None:
    """Take all the room that is left, but for the script that a node keeps on a disk of its own."""
    with (place.workdir / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def take_all_files(place: BatchFolder) -> None:
    """Let no file more be made."""
    with contextlib.suppress(OSError):
        for number in range(INODES):
            (place.workdir / f"filler{number}").touch()


def end(place: BatchFolder, scratch: Path, script: str, shell: Sequence[str]) -> tuple[int, str]:
    """Run a script that lies on another disk, as a node has it."""
    file = scratch / "script"
    file.write_text(script)
    environ = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": "5", "SLURMD_NODENAME": "n1"}
    ran = subprocess.run([*shell, str(file)], env=environ, capture_output=True, text=True, check=False, timeout=60)
    return ran.returncode, ran.stderr


@every_shell
def test_an_attempt_that_finds_no_room_to_be_claimed_is_not_run(
    small: BatchFolder, tmp_path: Path, shell: Sequence[str]
) -> None:
    script = small.script(order(run=("touch", str(tmp_path / "ran"))))
    take_all_files(small)
    code, log = end(small, tmp_path, script, shell)
    assert code == NOT_CLAIMED
    assert "can't be claimed on n1, so the command was not run" in log
    assert "No space left on device" in log
    assert not (tmp_path / "ran").exists()
    assert small.read("7.1")["7.1"].claimed is False


@every_shell
def test_a_claim_that_cannot_be_written_down_runs_nothing(
    small: BatchFolder, tmp_path: Path, shell: Sequence[str]
) -> None:
    script = small.script(order(run=("touch", str(tmp_path / "ran"))))
    fill(small)
    code, log = end(small, tmp_path, script, shell)
    assert code == NOT_STARTED
    assert "can't write down its claim" in log
    assert not (tmp_path / "ran").exists()
    found = small.read("7.1")["7.1"]
    assert (found.claimed, found.claim, found.exit) == (True, None, None)


@every_shell
def test_an_end_finds_room_in_what_the_claim_has_taken(
    small: BatchFolder, tmp_path: Path, shell: Sequence[str]
) -> None:
    script = small.script(order(run=f"cat /dev/zero >{small.workdir}/filler 2>/dev/null; exit 7"))
    assert end(small, tmp_path, script, shell) == (7, "")
    found = small.read("7.1")["7.1"].exit
    assert found is not None
    assert found.exit_code == 7


@every_shell
def test_an_end_that_cannot_be_written_down_is_said_and_slurm_hears_it_still(
    small: BatchFolder, tmp_path: Path, shell: Sequence[str]
) -> None:
    block = f"truncate -s 4096 {small.folder}/attempts/7.1"
    script = small.script(order(run=f"{block}; cat /dev/zero >{small.workdir}/filler 2>/dev/null; exit 7"))
    code, log = end(small, tmp_path, script, shell)
    assert code == 7
    assert "attempt 7.1 has ended, and how can not be written down" in log
    found = small.read("7.1")["7.1"]
    assert found.claim is not None
    assert found.exit is None


def test_what_can_not_be_voided_for_want_of_room_is_nobodys_and_is_voided_later(small: BatchFolder) -> None:
    fill(small)
    argv, works = void_argv(str(small.folder)), read_stdin(["7.1"])
    refused = subprocess.run(argv, input=works, capture_output=True, check=False, timeout=60)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert small.read("7.1")["7.1"] == AttemptFolder(claimed=False)
    (small.workdir / "filler").unlink()
    assert void_answer(small.run(argv, works), ["7.1"]) == {"7.1": True}
