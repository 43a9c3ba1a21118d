"""Promise P9 for output: a job may write what it likes, and takes little more of the disk than `max_output`."""

from __future__ import annotations

import sys
from typing import Final

import pytest

from tests.store.faults.scope import ALL

from .place import Place, wait_s

MIB: Final = 1024 * 1024
WRITTEN_MIB: Final = (10 if ALL else 2) * 1024  # as many seconds as gigabytes, on a slow disk more


def disk_bytes(place: Place) -> int:
    """What the output takes on the disk, holes not counted."""
    return sum(path.stat().st_blocks * 512 for path in place.home.output.iterdir())


@pytest.mark.slow
def test_p9_gigabytes_against_max_output_keep_head_and_tail_and_little_disk(place: Place) -> None:
    size = f"{WRITTEN_MIB}M"
    head, tail = "echo the first line", "echo the last line"
    text = f'[jobs.a]\nmax_output = "8MiB"\nrun = "{head}; head -c {size} /dev/zero; {tail}; exit 3"\n'
    run = place.start("run", place.flow(text))
    highest = 0
    while run.running:
        if place.home.output.exists():
            highest = max(highest, disk_bytes(place))
        wait_s(0.02)
    assert run.finish().code == 1
    sys.stdout.write(f"{size}: at most {highest / MIB:.0f} MiB on disk while it wrote\n")
    assert place.job("a").exit_code == 3
    assert disk_bytes(place) <= 9 * MIB
    # Looked at every 50 ms while much is written: what comes in between depends on the disk.
    assert highest < 1024 * MIB
    shown = place.run("logs", "a")
    assert shown.code == 0
    assert shown.out.startswith("the first line\n")
    assert shown.out.endswith("the last line\n")
    assert len(shown.out) < 9 * MIB


@pytest.mark.slow
def test_p9_what_is_dropped_is_said_and_the_job_goes_on(place: Place) -> None:
    text = '[jobs.a]\nmax_output = "64kB"\nrun = "seq 1 100000; echo done >&2"\n'
    assert place.run("run", place.flow(text)).code == 0
    shown = place.run("logs", "a", "--stdout")
    assert shown.out.startswith("1\n2\n3\n")
    assert shown.out.endswith("99999\n100000\n")
    assert len(shown.out) < 80_000
    assert "left out here: max_output keeps the first and the last 32 kB" in shown.err
    assert place.run("logs", "a", "--stderr").err == "done\n"
