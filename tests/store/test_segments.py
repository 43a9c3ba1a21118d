"""A stream is read out of its segment while its runner drops the middle of it; the journal tells its end first."""

import os
from pathlib import Path
from typing import Final

import pytest

from holdfast.actors.runner import punch_hole
from holdfast.cli.reading.journal import EndWatch
from holdfast.events.records import OutputRange
from holdfast.store.segments import Stream
from tests.tools import refuse

BLOCK: Final = 4096
HEAD: Final = 10 * BLOCK + 100  # holes don't begin where blocks do


class Heard:
    """What a stream passes on."""

    def __init__(self) -> None:
        self.data = b""
        self.dropped: list[tuple[int, int]] = []

    def write(self, data: bytes) -> None:
        self.data += data

    def tell_dropped(self, size_bytes: int) -> None:
        self.dropped.append((len(self.data), size_bytes))


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """A segment of 100 blocks without a zero in it."""
    path = tmp_path / "000001.out"
    path.write_bytes(bytes(1 + number % 251 for number in range(100 * BLOCK)))
    return path


def punch(path: Path, first: int, below: int) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        if punch_hole(descriptor, first, below - first):
            refuse("this file system has no holes")
    finally:
        os.close(descriptor)


def opened(path: Path, heard: Heard, start: int = 0) -> Stream:
    return Stream(path, start, HEAD, heard.write, heard.tell_dropped)


def test_what_is_dropped_before_it_is_read_is_left_out_to_the_byte(segment: Path) -> None:
    whole, heard = segment.read_bytes(), Heard()
    punch(segment, HEAD, 50 * BLOCK + 7)
    stream = opened(segment, heard)
    stream.advance(len(whole))
    stream.close()
    assert heard.data == whole[:HEAD] + whole[50 * BLOCK + 7 :]
    assert heard.dropped == [(HEAD, 50 * BLOCK + 7 - HEAD)]


def test_what_is_dropped_while_it_is_read_is_left_out_and_said_once(segment: Path) -> None:
    whole, heard = segment.read_bytes(), Heard()
    stream = opened(segment, heard)
    stream.advance(20 * BLOCK)
    punch(segment, HEAD, 50 * BLOCK)
    stream.advance(60 * BLOCK)
    stream.finish(OutputRange(segment.name, 0, 100 * BLOCK, HEAD, 50 * BLOCK), 100 * BLOCK)
    stream.close()
    assert heard.data == whole[: 20 * BLOCK] + whole[50 * BLOCK :]
    assert heard.dropped == [(20 * BLOCK, 30 * BLOCK)]


def test_a_hole_up_to_the_end_leaves_nothing_to_read(segment: Path) -> None:
    heard = Heard()
    punch(segment, HEAD, 100 * BLOCK)
    stream = opened(segment, heard)
    stream.advance(100 * BLOCK)
    stream.close()
    assert len(heard.data) == HEAD
    assert stream.position == 100 * BLOCK


def test_zeros_that_a_job_wrote_are_passed_on(tmp_path: Path) -> None:
    path, heard = tmp_path / "zeros", Heard()
    path.write_bytes(b"\0" * 10_000)
    stream = opened(path, heard)
    stream.advance(10_000)
    stream.close()
    assert heard.data == b"\0" * 10_000


def end_line(token: str, end: int) -> str:
    return (
        f'{{"end":{{"token":"{token}","state":"ended","output":[{{"segment":"000001.out","start":0,"end":{end}}}]}}}}\n'
    )


def test_an_end_is_seen_once_its_whole_line_is_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "runner.journal"
    watch = EndWatch(path, "home.1.1")
    assert watch.look() is None
    line = end_line("home.1.1", 17)
    path.write_text(end_line("home.1.11", 3) + line[:40])
    assert watch.look() is None
    with path.open("a") as file:
        file.write(line[40:])
    found = watch.look()
    assert found is not None
    assert found[0].end == 17
    watch.close()


def test_an_end_is_seen_in_a_journal_that_took_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "runner.journal"
    path.write_text('{"journal":"a","boot":"b"}\n' * 1000)
    watch = EndWatch(path, "home.1.1")
    assert watch.look() is None
    (tmp_path / "new").write_text(end_line("home.1.1", 5))
    (tmp_path / "new").rename(path)
    found = watch.look()
    assert found is not None
    assert found[0].end == 5
    watch.close()
