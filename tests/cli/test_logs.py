"""`logs` passes on what an attempt wrote, byte for byte and nothing of its neighbours, and says what was left out."""

import os
from pathlib import Path

import pytest

from holdfast.cli.main import main

from .commands import Caller
from .staging import Stage, job

OUT, ERR = b"before\x00\xff\xfemine\nafter", b"nothis's\n"


def output(
    out: tuple[int, int], err: tuple[int, int], dropped: tuple[int, int] | None = None
) -> list[dict[str, object]]:
    """The ranges that a runner reports."""
    first, below = dropped or (out[1], out[1])
    return [
        {"segment": "000001.out", "start": out[0], "end": out[1], "dropped_start": first, "dropped_end": below},
        {"segment": "000001.err", "start": err[0], "end": err[1], "dropped_start": err[1], "dropped_end": err[1]},
    ]


def wrote(stage: Stage, retries: int = 0) -> None:
    """Job 1, which has written between others."""
    stage.segment("000001.out", OUT)
    stage.segment("000001.err", ERR)
    stage.submit(job("fetch", retries=retries))
    stage.started(1, output=output((6, 6), (2, 2)))
    stage.ended(1, output=output((6, 14), (2, 9)))


def test_each_stream_goes_to_the_one_of_the_same_name_as_it_was_written(
    stage: Stage, call: Caller, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    wrote(stage)
    capfdbinary.readouterr()
    assert main(["logs", "--home", str(stage.home.path), "fetch"]) == 0
    assert capfdbinary.readouterr() == (b"\x00\xff\xfemine\n", b"this's\n")
    del call


def test_one_stream_can_be_asked_for(stage: Stage, call: Caller) -> None:
    wrote(stage)
    assert call("logs", "1", "--stderr") == (0, "", "this's\n")
    stage.submit(job("quiet"))
    stage.started(2)
    stage.ended(2, output=output((6, 6), (2, 4)))
    assert call("logs", "2", "--stdout") == (
        0,
        "",
        "holdfast: attempt 1 of job 2 (quiet) has written nothing to standard output\n",
    )


def test_a_word_stands_where_head_and_tail_were_kept(stage: Stage, call: Caller) -> None:
    stage.segment("000001.out", b"head" + b"\0" * 1000 + b"tail")
    stage.segment("000001.err", b"")
    stage.submit(job("big", max_output_bytes=8))
    stage.started(1)
    stage.ended(1, output=output((0, 1008), (0, 0), dropped=(4, 1004)))
    said = call("logs", "big")
    assert said == (0, "headtail", "holdfast: 1.0 kB left out here: max_output keeps the first and the last 4 B\n")


def test_a_large_output_passes_in_pieces(stage: Stage, call: Caller) -> None:
    data = os.urandom(1_000).hex().encode() * 1_000
    stage.segment("000001.out", data)
    stage.submit(job("large"))
    stage.started(1)
    stage.ended(1, output=output((0, len(data)), (0, 0)))
    assert call("logs", "large").out.encode() == data


def test_a_job_that_never_started_says_so(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b", after=["a"]))
    words = "job 2 (b) has written nothing: it is waiting and has not been started; see `holdfast explain 2`"
    assert call("logs", "b") == (0, "", f"holdfast: {words}\n")


def test_a_launch_and_a_revocation_are_said(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    stage.launch(1)
    assert "has been launched, but its runner has not said yet" in call("logs", "a", "--attempt", "1").err
    stage.says(1, "revoked", error="paused")
    assert call("logs", "a", "--attempt", "1").err == "holdfast: attempt 1 of job 1 (a) never started: paused\n"


def test_an_attempt_can_be_chosen_and_one_that_there_is_not_is_refused(stage: Stage, call: Caller) -> None:
    wrote(stage, retries=1)
    assert call("logs", "1", "--attempt", "1", "--stdout").code == 0
    said = call("logs", "1", "--attempt", "2")
    assert said == (2, "", "holdfast: --attempt: job 1 has no attempt 2; it has attempts 1 to 1\n")
    assert call("logs", "1", "--attempt", "x").code == 2


def test_a_missing_segment_is_an_error_that_names_the_file(stage: Stage, call: Caller) -> None:
    wrote(stage)
    (stage.home.output / "000001.out").unlink()
    said = call("logs", "1")
    assert said.code == 3
    assert str(stage.home.output / "000001.out") in said.err


def test_a_segment_that_was_cut_gives_what_is_there_and_then_an_error(stage: Stage, call: Caller) -> None:
    wrote(stage)
    os.truncate(stage.home.output / "000001.out", 11)
    (stage.home.output / "000001.out").write_bytes(b"before1234")
    said = call("logs", "1")
    assert (said.code, said.out) == (3, "1234")
    assert "the last 4 bytes of this job's output are missing" in said.err


def test_a_segment_outside_of_the_home_is_not_read(stage: Stage, call: Caller, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("private")
    stage.submit(job("a"))
    stage.started(1)
    stage.ended(1, output=[{"segment": "../../other", "start": 0, "end": 7}])
    said = call("logs", "a")
    assert (said.code, said.out) == (3, "")
    assert "it is not a file of the home's output folder" in said.err


def test_a_lost_attempt_shows_what_follows_its_start_and_says_that_the_end_is_not_known(
    stage: Stage, call: Caller
) -> None:
    stage.segment("000001.out", b"before:mine")
    stage.segment("000001.err", b"")
    stage.submit(job("a"))
    stage.started(1, output=output((7, 7), (0, 0)))
    stage.says(1, "ended", how="lost", ended_at=stage.now)
    said = call("logs", "a")
    assert (said.code, said.out) == (0, "mine")
    assert "where its output ends is not known" in said.err


def test_of_a_running_attempt_nothing_is_shown_that_another_wrote_after_it(stage: Stage, call: Caller) -> None:
    stage.segment("000001.out", b"mine!theirs")
    stage.segment("000001.err", b"")
    stage.submit(job("a"))
    stage.started(1, output=output((0, 0), (0, 0)))
    assert call("logs", "a").out == "mine!theirs"
    end = (
        '{"end":{"token":"0badcafe.1.1","state":"ended","output":['
        '{"segment":"000001.out","start":0,"end":5,"dropped_start":5,"dropped_end":5},'
        '{"segment":"000001.err","start":0,"end":0,"dropped_start":0,"dropped_end":0}]}}\n'
    )
    (stage.home.path / "runner.journal").write_text('{"journal":"a","boot":"b"}\ntorn?\n' + end)
    assert call("logs", "a").out == "mine!"
