"""Where output stands: ranges in shared segments, holes past the limit, segments that somebody still holds."""

import signal
import sys

import pytest

from .driving import Home, Range, until

MIB = 1 << 20


def disk_bytes(home: Home) -> int:
    return sum(path.stat().st_blocks * 512 for path in (home.path / "output").iterdir())


def test_attempts_one_after_the_other_share_a_segment_by_ranges(home: Home) -> None:
    link = home.begin(cpus=1)
    attempts = [home.shell(f"echo job {number}; echo no {number} >&2") for number in range(5)]
    link.launch(*attempts)
    ends = [link.end(attempt) for attempt in attempts]
    for number, end in enumerate(ends):
        out, err = end.output
        assert home.read(out) == f"job {number}\n".encode()
        assert home.read(err) == f"no {number}\n".encode()
        assert (out.dropped_start, out.dropped_end) == (out.end, out.end)
    assert {end.output[0].segment for end in ends} == {"000001.out"}
    assert {end.output[1].segment for end in ends} == {"000001.err"}
    assert [end.output[0].start for end in ends] == [0, 6, 12, 18, 24]


def test_attempts_side_by_side_never_share_a_segment(home: Home) -> None:
    link = home.begin(cpus=4)
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo $HOLDFAST_TOKEN; sleep 0.01; done"
    attempts = [home.shell(script) for _ in range(12)]
    link.launch(*attempts)
    for attempt in attempts:
        assert home.read(link.end(attempt).output[0]) == f"{attempt.token}\n".encode() * 9
    assert len(list((home.path / "output").iterdir())) == 8


def test_a_new_runner_never_reuses_a_number(home: Home) -> None:
    link = home.begin()
    first = home.shell("echo first")
    link.launch(first)
    old = link.end(first).output[0]
    home.kill_runner()
    (home.path / "output" / "000041.err").touch()
    link = home.begin()
    second = home.shell("echo second")
    link.launch(second)
    new = link.end(second).output[0]
    assert (old.segment, new.segment) == ("000001.out", "000042.out")
    assert (home.read(old), home.read(new)) == (b"first\n", b"second\n")


@pytest.mark.parametrize(
    "leaves",
    ["sleep 1000 &", "setsid sleep 1000 &", "setsid sleep 1000 2>/dev/null &", "setsid sleep 1000 >/dev/null &"],
)
def test_what_a_job_leaves_behind_keeps_its_segments_to_itself(home: Home, leaves: str) -> None:
    link = home.begin(cpus=1)
    leaver, next_one, after = home.shell(f"{leaves} echo bye"), home.shell("echo next"), home.shell("echo after")
    link.launch(leaver, next_one, after)
    segments = [link.end(attempt).output[0].segment for attempt in (leaver, next_one, after)]
    assert segments == ["000001.out", "000002.out", "000002.out"]
    assert home.read(link.statuses[leaver.token].output[0]) == b"bye\n"


def test_a_segment_that_grew_large_is_used_no_more(home: Home) -> None:
    link = home.begin(cpus=1)
    large, after = home.shell("head -c 67108865 /dev/zero"), home.shell("echo after")
    link.launch(large, after)
    assert link.end(large).output[0].end == 64 * MIB + 1
    assert link.end(after).output[0] == Range("000002.out", 0, 6, 6, 6)


def test_a_segment_that_somebody_removed_is_replaced(home: Home) -> None:
    link = home.begin(cpus=1)
    attempts = [home.shell("echo here") for _ in range(3)]
    link.launch(attempts[0])
    link.end(attempts[0])
    (home.path / "output" / "000001.err").unlink()
    link.launch(*attempts[1:])
    ends = [link.end(attempt) for attempt in attempts[1:]]
    assert (ends[0].how, ends[1].how) == ("not_started", "exited")
    assert ends[0].error is not None
    assert "was removed" in ends[0].error
    assert ends[1].output[0].segment == "000002.out"


@pytest.mark.skipif(sys.platform != "linux", reason="the tests' only file systems with holes are Linux's")
def test_output_past_its_limit_keeps_head_and_tail_and_little_disk(home: Home) -> None:
    link = home.begin()
    script = """
import os, time
for number in range(300 * 1024):
    os.write(1, b"%-1023d\\n" % number)
    if number % 1024 == 0:
        time.sleep(0.004)  # 250 MiB/s at most
"""
    attempt = home.python_job(script, max_output_bytes=2 * MIB)
    link.launch(attempt)
    most = 0
    while attempt.token not in link.statuses or link.statuses[attempt.token].state != "ended":
        link.settle()
        most = max(most, disk_bytes(home))
    out, err = link.end(attempt).output
    assert (out.start, out.end) == (0, 300 * MIB)
    assert (out.dropped_start, out.dropped_end) == (MIB, 299 * MIB)
    assert (err.end, err.dropped_start, err.dropped_end) == (0, 0, 0)
    content = home.read(out)
    numbers = [int(line) for line in (content[:MIB] + content[299 * MIB :]).splitlines()]
    assert numbers == [*range(1024), *range(299 * 1024, 300 * 1024)]
    assert content[MIB : 299 * MIB].count(0) == 298 * MIB
    assert disk_bytes(home) < 3 * MIB
    assert most < 200 * MIB  # what a job writes between two looks


@pytest.mark.skipif(sys.platform != "linux", reason="the tests' only file systems with holes are Linux's")
def test_a_steady_writer_s_disk_use_stays_bounded_while_it_runs(home: Home) -> None:
    link = home.begin()
    script = "while :; do head -c 65536 /dev/zero; sleep 0.005; done"  # 13 MB/s at most
    attempt = home.shell(script, max_output_bytes=1 * MIB)
    link.launch(attempt)
    path = home.path / "output" / "000001.out"
    most = 0

    def grown() -> bool:
        nonlocal most
        most = max(most, disk_bytes(home))
        return path.exists() and path.stat().st_size > 24 * MIB

    until(grown, "24 MiB of output")
    assert most < 16 * MIB
    link.send("stop", tokens=[attempt.token])
    out = link.end(attempt).output[0]
    assert out.dropped_end - out.dropped_start == out.end - 1 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="the tests' only file systems with holes are Linux's")
def test_a_small_limit_holds_for_each_attempt_of_a_shared_segment(home: Home) -> None:
    link = home.begin(cpus=1)
    attempts = [home.shell("seq 1000", max_output_bytes=101) for _ in range(3)]
    link.launch(*attempts)
    expected = b"".join(b"%d\n" % number for number in range(1, 1001))
    for attempt in attempts:
        out = link.end(attempt).output[0]
        assert out.end - out.start == len(expected)
        assert (out.dropped_start, out.dropped_end) == (out.start + 50, out.end - 51)
        content = home.read(out)
        assert content == expected[:50] + bytes(len(expected) - 101) + expected[-51:]


def test_output_within_its_limit_is_whole(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("head -c 4096 /dev/zero", max_output_bytes=4096)
    link.launch(attempt)
    out = link.end(attempt).output[0]
    assert (out.end, out.dropped_start, out.dropped_end) == (4096, 4096, 4096)


def test_a_running_attempt_tells_where_its_output_stands(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("echo now; exec sleep 1000")
    link.launch(attempt)
    link.until(attempt, "running")
    until(lambda: home.connect().statuses[attempt.token].output[0].end == 4, "the first line")
    link = home.connect()
    link.send("stop", tokens=[attempt.token])
    end = link.end(attempt)
    assert (end.signal, home.read(end.output[0])) == (signal.SIGTERM, b"now\n")
