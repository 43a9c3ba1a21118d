"""Output read over the connection, as it is where the supervisor can't open the files: by place, in pieces, bounded."""

import base64
import os
import shutil

import pytest

from .driving import Attempt, Home, Link, Message, Range


def ask(link: Link, segment: str, start: int, end: int, **members: object) -> Message:
    link.send("read", id=9, segment=segment, start=start, end=end, **members)
    while (message := link.receive()).type != "data":
        pass
    assert message.id == 9
    return message


def content(message: Message) -> bytes:
    assert message.error is None
    assert message.base64 is not None
    return base64.b64decode(message.base64, validate=True)


def printed(home: Home, link: Link, script: str) -> tuple[Range, Attempt]:
    attempt = home.shell(script)
    link.launch(attempt)
    return link.end(attempt).output[0], attempt


def test_a_range_of_output_is_read_as_it_is(home: Home) -> None:
    link = home.begin()
    output, _ = printed(home, link, r"printf 'a\377\0\n\303\244z'")
    assert content(ask(link, output.segment, output.start, output.end)) == b"a\xff\0\n\xc3\xa4z"
    assert content(ask(link, output.segment, output.start + 1, output.end - 1)) == b"\xff\0\n\xc3\xa4"
    assert content(ask(link, output.segment, output.end, output.end)) == b""
    assert content(ask(link, output.segment, output.start, output.end + 1000)) == b"a\xff\0\n\xc3\xa4z"


def test_p9_one_answer_has_a_quarter_of_a_megabyte_at_most(home: Home) -> None:
    link = home.begin()
    output, _ = printed(home, link, "head -c 600000 /dev/urandom")
    first = content(ask(link, output.segment, output.start, output.end))
    assert len(first) == 256 << 10
    second = content(ask(link, output.segment, output.start + len(first), output.end))
    third = content(ask(link, output.segment, output.start + len(first) + len(second), output.end))
    assert first + second + third == home.read(output)


def test_output_of_a_former_runner_is_read_as_well(home: Home) -> None:
    output, _ = printed(home, home.begin(), "echo before")
    home.kill_runner()
    assert content(ask(home.begin(), output.segment, output.start, output.end)) == b"before\n"


def test_what_runs_is_read_to_its_end_and_what_ended_not_past_it(home: Home) -> None:
    link = home.begin()
    first = home.shell("echo mine; while [ ! -e go ]; do sleep 0.01; done; echo last")
    link.launch(first)
    output = link.until(first, "running").output[0]
    message = ask(link, output.segment, output.start, 1 << 40, token=first.token)
    assert (message.running, content(message)) == (True, b"mine\n")
    (home.work / "go").touch()
    end = link.end(first).output[0]
    other, _ = printed(home, link, "echo of another")
    assert other.segment == output.segment
    message = ask(link, output.segment, output.start, 1 << 40, token=first.token)
    assert (message.running, content(message)) == (False, b"")
    assert content(ask(link, end.segment, end.start, end.end)) == b"mine\nlast\n"


@pytest.mark.parametrize(
    "segment",
    ["../runner.journal", "runner.journal", "/etc/passwd", "", ".out", "a.out", "000001", "../000001.out", "1/../1.out",
     "000001.out/", "\udcff.out", "x" * 5000 + ".out", "\u0661.out", "-1.err", "999999.out",
     "7.1.1.out", "7..out", ".1.out", "7.x.out", "7./.out"],
)  # fmt: skip
def test_only_segments_are_read(home: Home, segment: str) -> None:
    link = home.begin()
    (home.path / "output" / "a.out").write_text("x")
    message = ask(link, segment, 0, 10)
    assert message.base64 == ""
    assert message.error is not None
    assert str(home.path) not in message.error
    link.settle()


def test_what_an_attempt_on_a_cluster_wrote_has_a_file_of_its_own(home: Home) -> None:
    link = home.begin()
    (home.path / "output" / "7.1.out").write_bytes(b"there")
    assert content(ask(link, "7.1.out", 1, 9)) == b"here"
    assert ask(link, "7.1.err", 0, 9).error is not None


def test_a_segment_that_is_no_file_holds_nobody_up(home: Home) -> None:
    link = home.begin()
    os.mkfifo(home.path / "output" / "7.1.out")
    (home.path / "output" / "7.1.err").mkdir()
    assert ask(link, "7.1.out", 0, 9).error is not None
    assert ask(link, "7.1.err", 0, 9).error is not None


@pytest.mark.parametrize("start, end", [(-1, 5), (5, 3), (0, 1 << 62), (1 << 70, 1 << 71)])
def test_only_places_that_can_be_are_read(home: Home, start: int, end: int) -> None:
    link = home.begin()
    output, _ = printed(home, link, "echo x")
    assert "there is no such place" in (ask(link, output.segment, start, end).error or "")


def test_a_segment_that_is_gone_or_a_link_is_an_error_and_no_more(home: Home) -> None:
    link = home.begin()
    output, _ = printed(home, link, "echo x")
    folder = home.path / "output"
    shutil.move(folder / output.segment, home.work / "moved")
    assert "was it removed from the host?" in (ask(link, output.segment, 0, 1).error or "")
    (folder / output.segment).symlink_to(home.work / "moved")
    assert ask(link, output.segment, 0, 1).error is not None
    link.settle()


def test_a_read_without_a_place_closes_the_connection(home: Home) -> None:
    link = home.begin()
    link.send("read", id=1, segment="000001.out")
    assert link.is_closed()
