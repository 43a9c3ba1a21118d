"""Promise P1 on a full disk: it is said, nothing acknowledged is lost, and all goes on by itself when there is room."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools import refuse

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, marks
from .place import Place, until

SIZE = "24m"  # several times what the log of these flows takes, checkpoints and all


@pytest.fixture
def small(place: Place) -> Iterator[Path]:
    """The place's home, on a disk of its own with little room; marks and gates stay outside of it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        refuse("a small disk of its own for the home can be mounted by root on Linux only")
    place.home.path.mkdir(mode=0o700)
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "none", str(place.home.path)]
    mounted = subprocess.run(words, check=False, capture_output=True, text=True)
    if mounted.returncode:
        refuse(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    yield place.home.path
    place.close()
    subprocess.run(["umount", "-l", str(place.home.path)], check=True)


def fill(home: Path) -> Path:
    """Take all the room that is left."""
    filler = home / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (64 * 1024, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


@pytest.mark.slow
def test_p1_a_full_disk_is_said_and_the_flow_goes_on_by_itself_when_there_is_room(place: Place, small: Path) -> None:
    # Under limits, so that what was granted for a launch that could not be recorded must be given back.
    more = 'after = ["a"]\nlimits = ["two", "fast"]\n'
    limits = '[limits.two]\nconcurrent = 2\n[limits.fast]\nrate = "50/s"\nburst = 5\n'
    text = limits + gate("a") + "".join(f'[jobs.q{number}]\nrun = "{MARK}"\n{more}' for number in range(40))
    run = mid_run(place, text)
    assert place.run("submit", "--name", "kept", "--hold", "--", "true").code == 0
    filler = fill(small)
    refused = place.run("submit", "--name", "refused", "--", "true")
    assert (refused.code, refused.out) == (3, "")
    assert f"no space left for {place.home.log} (0 kB are free on the file system at {small})" in refused.err
    open_gate(place, "a")
    until(lambda: "no space left" in run.err or "trouble" in run.err, "the supervisor says so")
    assert len(marks(place)) == 1, "nothing starts that can't be recorded"
    assert run.running
    filler.unlink()
    until(lambda: len(marks(place)) == 41, "it goes on by itself")
    assert run.finish().code == 0
    states = place.states()
    assert states.pop("kept") == "held"
    assert "refused" not in states
    assert set(states.values()) == {"succeeded"}
    check_log(place)


@pytest.mark.slow
def test_p2_a_kill_while_the_disk_is_full_loses_nothing_and_runs_nothing_twice(place: Place, small: Path) -> None:
    run = mid_run(place, gate("a") + f'[jobs.b]\nrun = "{MARK}"\nafter = ["a"]\n')
    filler = fill(small)
    open_gate(place, "a")
    until(lambda: "no space left" in run.err or "trouble" in run.err, "the supervisor says so")
    run.kill()
    # The next one may find room in the log where the last one was interrupted, or none at all.
    again = place.run("run")
    assert again.code == 0 or (again.code == 3 and "no space left" in again.err)
    filler.unlink()
    assert place.run("run").code == 0
    assert place.states() == {"a": "succeeded", "b": "succeeded"}
    assert len(marks(place)) == 2
    check_log(place)


@pytest.mark.slow
def test_p1_reading_commands_work_on_a_full_disk(place: Place, small: Path) -> None:
    run = mid_run(place, gate("a"))
    filler = fill(small)
    assert "running" in place.run("jobs").out
    assert place.run("log", "--json").out.count("\n") > 5
    assert place.run("verify").code == 0
    filler.unlink()
    open_gate(place, "a")
    assert run.finish().code == 0


@pytest.mark.slow
def test_p9_a_job_that_fills_the_disk_with_its_output_is_said_and_ends_when_there_is_room(
    place: Place, small: Path
) -> None:
    run = place.start("run", place.flow('[jobs.big]\nrun = "head -c 30M /dev/zero; touch written"\n'))
    until((place.folder / "written").exists, "the job has taken what there is")
    until(lambda: "trouble: " in run.err, "the supervisor says so")
    subprocess.run(["mount", "-o", "remount,size=80m", str(small)], check=True)
    assert run.finish().code == 0
    assert place.states() == {"big": "succeeded"}
    check_log(place)


@pytest.mark.slow
def test_p8_a_start_on_a_full_disk_says_which_disk_and_how_much_is_free(place: Place, small: Path) -> None:
    filler = fill(small)
    refused = place.run("submit", "--hold", "--", "true")
    assert (refused.code, refused.out) == (3, "")
    assert refused.err.startswith("holdfast: no space left for ")
    assert f"(0 kB are free on the file system at {small})" in refused.err
    assert "make room there" in refused.err
    filler.unlink()
    assert place.run("submit", "--hold", "--", "true").code == 0
