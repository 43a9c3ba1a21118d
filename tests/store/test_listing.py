"""A job as it is shown: the same from the views as from the fold, and every time as RFC 3339 writes it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.events.errors import Damaged
from holdfast.events.records import Job, Policy
from holdfast.events.states import (
    Cancelled,
    Delayed,
    Failed,
    Held,
    JobState,
    Launching,
    Lost,
    Ready,
    Running,
    Skipped,
    Succeeded,
    Unknown,
    Waiting,
)
from holdfast.store.listing import format_time, line_of

FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
T1, T2 = "1970-01-01T00:00:01.000000Z", "1970-01-01T00:00:02.000000Z"


@pytest.mark.parametrize(
    "time,text",
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (FIRST_US, "0001-01-01T00:00:00.000000Z"),
        (LAST_US, "9999-12-31T23:59:59.999999Z"),
        (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
    ],
)
def test_a_time_is_written_as_rfc_3339_with_microseconds(time: int, text: str) -> None:
    assert format_time(time) == text


@given(st.integers(FIRST_US, LAST_US), st.integers(FIRST_US, LAST_US))
@example(999_999, 1_000_000)
def test_written_times_have_one_length_and_sort_as_the_times_do(one: int, other: int) -> None:
    texts = format_time(one), format_time(other)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text) for text in texts)
    assert (one < other) == (texts[0] < texts[1])


@pytest.mark.parametrize("time", [FIRST_US - 1, LAST_US + 1, 2**63 - 1, -(2**63)])
def test_a_time_that_no_clock_gave_is_called_damage(time: int) -> None:
    with pytest.raises(Damaged, match=f"{time} us since 1970"):
        format_time(time)


@pytest.mark.parametrize(
    "state,expected",
    [
        (Waiting(9), ("waiting", None, None, None, None)),
        (Held(9), ("held", None, None, None, None)),
        (Ready(9), ("ready", None, None, None, None)),
        (Delayed(9, 10, "exit code 1"), ("delayed", None, None, None, "exit code 1")),
        (Launching(9), ("launching", None, None, None, None)),
        (Running(1_000_000), ("running", None, T1, None, None)),
        (Unknown(9, "silent"), ("unknown", None, None, None, "silent")),
        (Unknown(9, "silent", 1_000_000), ("unknown", None, T1, None, "silent")),
        (Succeeded(1_000_000, 2_000_000), ("succeeded", 0, T1, T2, None)),
        (Failed(2_000_000, "exit code 7", 1_000_000, 7), ("failed", 7, T1, T2, "exit code 7")),
        (Failed(2_000_000, "no such file"), ("failed", None, None, T2, "no such file")),
        (Cancelled(2_000_000, "cancelled"), ("cancelled", None, None, T2, "cancelled")),
        (Skipped(2_000_000, 1, "after job 1, which failed"), ("skipped", None, None, T2, "after job 1, which failed")),
        (Lost(2_000_000, "gone", 1_000_000), ("lost", None, T1, T2, "gone")),
    ],
)
def test_a_line_shows_what_its_state_knows_and_null_for_the_rest(
    state: JobState, expected: tuple[str, int | None, str | None, str | None, str | None]
) -> None:
    line = line_of(Job(3, Policy(), state, 0, 2), "align", "nightly-1", 0)
    shown = (line.state, line.exit_code, line.started_at, line.ended_at, line.reason)
    assert shown == expected
    assert (line.id, line.name, line.flow, line.target, line.attempt) == (3, "align", "nightly-1", "local", 2)
    assert line.submitted_at == "1970-01-01T00:00:00.000000Z"
