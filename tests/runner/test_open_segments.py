"""How many output segments the runner keeps open: a few, as each spawn copies them all, and nobody notices which."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.actors.runner import OPEN_PAIRS, Host

from .driving import Home, until

MORE = OPEN_PAIRS + 32


def entries(folder: str | bytes) -> int:
    """How much there is in a folder, such as what this process has open in /dev/fd."""
    return len(list(Path(os.fsdecode(folder)).iterdir()))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """The machine as a runner sees it, in this process."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    host = Host(str(tmp_path))
    yield host
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    for descriptor in (host.home_fd, host.journal_fd, *(each for pair in host.segments.values() for each in pair)):
        os.close(descriptor)


def written(host: Host, segment: int, text: bytes) -> Path:
    """The file of a segment, after a job wrote to it."""
    path = Path(os.fsdecode(host.output)) / f"{segment:06d}.out"
    with path.open("ab") as file:
        file.write(text)
    return path


def closed(host: Host) -> int:
    """A leased pair that is not open any more."""
    first = host.lease()
    for _ in range(OPEN_PAIRS):
        host.lease()
    assert first not in host.segments
    return first


def test_however_many_are_leased_few_stay_open(host: Host) -> None:
    before = entries("/dev/fd")
    leased = [host.lease() for _ in range(3 * OPEN_PAIRS)]
    assert leased == [*range(1, 3 * OPEN_PAIRS + 1)]
    assert entries("/dev/fd") == before + 2 * OPEN_PAIRS
    for segment in leased:
        host.release(segment, None)
    assert entries("/dev/fd") == before + 2 * OPEN_PAIRS


def test_all_that_were_released_are_leased_again(host: Host) -> None:
    leased = [host.lease() for _ in range(3 * OPEN_PAIRS)]
    for segment in leased:
        written(host, segment, b"x" * segment)
        host.release(segment, None)
    again = [host.lease() for _ in leased]
    assert sorted(again) == leased
    assert entries(host.output) == 2 * len(leased)
    assert [host.sizes(segment) for segment in again] == [(segment, 0) for segment in again]


def test_what_is_closed_is_measured_all_the_same(host: Host) -> None:
    segment = closed(host)
    written(host, segment, b"here")
    assert host.sizes(segment) == (4, 0)
    assert segment not in host.segments


def test_a_closed_segment_that_grew_large_is_used_no_more(host: Host) -> None:
    segment = closed(host)
    os.truncate(written(host, segment, b""), (64 << 20) + 1)
    host.sizes(segment)
    host.release(segment, None)
    assert segment not in host.free


@pytest.mark.skipif(sys.platform != "linux", reason="the tests' only file systems with holes are Linux's")
def test_holes_are_made_in_what_is_closed(host: Host) -> None:
    segment = closed(host)
    path = written(host, segment, b"x" * (1 << 20))
    assert host.punch(segment, 0, 4096, (1 << 20) - 4096)
    assert path.stat().st_blocks * 512 < 64 << 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux refuses a lease on what others have open")
def test_who_holds_a_closed_segment_keeps_it(host: Host) -> None:
    segment = closed(host)
    with written(host, segment, b"").open("ab"):
        host.release(segment, None)
    assert segment not in host.free
    assert segment not in host.segments


def test_what_was_removed_while_it_was_free_costs_no_attempt(host: Host) -> None:
    leased = [host.lease() for _ in range(2 * OPEN_PAIRS)]
    for segment in reversed(leased):
        host.release(segment, None)
    gone = next(segment for segment in host.free if segment not in host.segments)
    written(host, gone, b"").unlink()
    again = [host.lease() for _ in leased]
    assert sorted(again) == [*(segment for segment in leased if segment != gone), leased[-1] + 1]


def test_a_closed_segment_that_was_removed_is_empty_and_used_no_more(host: Host) -> None:
    segment = closed(host)
    written(host, segment, b"lost").unlink()
    assert host.sizes(segment) == (0, 0)
    assert not host.punch(segment, 0, 0, 4)
    host.release(segment, None)
    assert segment not in host.free


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what a process has open")
def test_more_attempts_than_segments_stay_open_end_with_their_output(home: Home) -> None:
    link = home.begin(cpus=MORE)
    os.mkfifo(home.work / "gate")
    script = "echo $HOLDFAST_TOKEN; echo >> there; read word < gate; echo bye; echo no >&2"
    attempts = [home.shell(script) for _ in range(MORE)]
    link.launch(*attempts)
    there = home.work / "there"
    until(lambda: there.exists() and there.stat().st_size == MORE, "all of them at work")
    opened = entries(f"/proc/{home.runners[-1].pid}/fd")
    with (home.work / "gate").open("r+b", buffering=0) as gate:
        gate.write(b"\n" * MORE)  # a line for each of them
        for attempt in attempts:
            out, err = link.end(attempt).output
            assert (home.read(out), home.read(err)) == (f"{attempt.token}\nbye\n".encode(), b"no\n")
    assert 2 * OPEN_PAIRS < opened < 2 * MORE
