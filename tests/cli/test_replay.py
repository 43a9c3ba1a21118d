"""`replay` shows the jobs as they stood after an event or at a time, and refuses what is neither."""

import json
from datetime import UTC, datetime
from random import Random

import pytest

from holdfast.cli.screen.moments import parse_moment
from holdfast.events.messages import Hold

from .commands import Caller, run
from .staging import SECOND_US, START, Stage, job


def states(said: str) -> list[str]:
    return [json.loads(line)["state"] for line in said.splitlines()]


def test_the_jobs_stood_as_jobs_said_at_each_position(stage: Stage, call: Caller) -> None:
    random = Random(3)
    said: dict[int, str] = {}
    for _ in range(12):
        (number,) = stage.submit(job())
        said[stage.store.seq] = call("jobs", "--json").out
        stage.ran(number, exit_code=random.choice((0, 1)))
        said[stage.store.seq] = call("jobs", "--json").out
    for seq, then in said.items():
        assert call("replay", "--json", "--at", str(seq)).out == then


def test_a_time_means_all_up_to_the_last_event_not_after_it(stage: Stage, call: Caller) -> None:
    stage.submit(job())
    stage.now += 10 * SECOND_US
    stage.do(Hold((1,)))
    assert states(call("replay", "--json", "--at", "2024-11-20T13:52:00Z").out) == ["ready"]
    assert states(call("replay", "--json", "--at", "2024-11-20T13:52:09.999999Z").out) == ["ready"]
    assert states(call("replay", "--json", "--at", "2024-11-20T14:52:10+01:00").out) == ["held"]
    assert states(call("replay", "--json", "--at", "2999-01-01T00:00:00Z").out) == ["held"]


def test_an_event_before_a_clock_was_set_back_counts_as_it_stands_in_the_log(stage: Stage, call: Caller) -> None:
    stage.now += 100 * SECOND_US
    stage.submit(job())
    stage.now -= 90 * SECOND_US
    stage.do(Hold((1,)))
    assert states(call("replay", "--json", "--at", "2024-11-20T13:52:20Z").out) == ["held"]


def test_a_time_without_zone_is_local(stage: Stage) -> None:
    stage.submit(job())
    assert run(stage.home, "replay", "--json", "--at", "2024-11-20 14:52", TZ="Europe/Berlin").out
    assert run(stage.home, "replay", "--json", "--at", "2024-11-20 14:51:59", TZ="Europe/Berlin").code == 2


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "4",
        "99999999999999999999",
        "-1",
        "x",
        "",
        "2024-13-01 10:00",
        "2024-11-20",
        "20:00",
        "2024-11-20T24:61Z",
        "٣",
    ],
)
def test_what_is_no_position_and_no_time_is_refused(stage: Stage, call: Caller, text: str) -> None:
    assert stage.store.seq == 2
    stage.submit(job())
    said = call("replay", f"--at={text}")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("holdfast: --at: ")


def test_a_time_before_the_home_is_refused_and_says_when_it_begins(call: Caller) -> None:
    said = call("replay", "--at", "1999-12-31T00:00:00Z")
    assert said.code == 2
    assert "it begins at" in said.err


def test_a_time_before_the_first_job_says_that_there_was_none(call: Caller) -> None:
    assert call("replay", "--at", "1") == (0, "", "holdfast: there were no jobs then\n")


def test_times_are_read_to_the_microsecond() -> None:
    assert parse_moment("2024-11-20T13:52:00Z", "") == START
    assert parse_moment("2024-11-20t13:52:00.000001z", "") == START + 1
    assert parse_moment("0001-01-01T00:00:00Z", "") == -62_135_596_800 * SECOND_US
    assert (
        parse_moment("2024-11-20 13:52", "")
        == int(datetime(2024, 11, 20, 13, 52).astimezone(UTC).timestamp()) * SECOND_US
    )
