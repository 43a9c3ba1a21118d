"""Durations, sizes and rates: exact, and refused where they could be read in two ways."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.errors import BadInput
from holdfast.events.units import DURATION_MAX_US, SIZE_UNITS, parse_amount, parse_duration, parse_rate, parse_size

HOUR_US: Final = 3_600_000_000
DURATIONS: Final = [
    ("2h", 2 * HOUR_US),
    ("1h30m", HOUR_US * 3 // 2),
    ("1h 30min", HOUR_US * 3 // 2),
    ("1.5h", HOUR_US * 3 // 2),
    ("500ms", 500_000),
    ("0.000001s", 1),
    ("7us", 7),
    ("0s", 0),
    ("3650d", DURATION_MAX_US),
    ("1d1h1m1s1ms1us", 90_061_001_001),
]
SIZES: Final = [
    ("8GB", 8 * 10**9),
    ("8GiB", 8 * 2**30),
    ("8 GiB", 8 * 2**30),
    ("1.5kB", 1500),
    ("1.5KiB", 1536),
    ("2KB", 2000),
    ("0B", 0),
    ("9PB", 9 * 10**15),
    ("7PiB", 7 * 2**50),
]
RATES: Final = [
    ("10/s", 100_000),
    ("3/min", 20_000_000),
    ("3/m", 20_000_000),
    ("100/h", 36_000_000),
    ("1 / d", 86_400_000_000),
    ("1000000/s", 1),
]
Parser = Callable[[str, str], int]


@pytest.mark.parametrize("text,duration_us", DURATIONS)
def test_a_duration_is_exact(text: str, duration_us: int) -> None:
    assert parse_duration(text) == duration_us


@pytest.mark.parametrize("text,size_bytes", SIZES)
def test_a_size_is_exact(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes
    assert parse_amount(text) == size_bytes


@pytest.mark.parametrize("text,interval_us", RATES)
def test_a_rate_is_the_time_between_two_starts(text: str, interval_us: int) -> None:
    assert parse_rate(text) == interval_us


def test_a_rate_that_divides_into_no_whole_microseconds_is_rounded_to_the_slower_side() -> None:
    assert parse_rate("7/s") == 142_858


def test_an_amount_without_a_unit_is_a_plain_number() -> None:
    assert parse_amount("12") == 12


@pytest.mark.parametrize(
    "text", ["", " ", "2", "h", "2h3", "2hh", "1m1m", "1s1h", "1m1min", "٣s", "1e3s", ".5s", "1h\n", "-1s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    refuse(parse_duration, text)


@pytest.mark.parametrize("text", ["", "GB", "8", "8G", "8gb", "8 G B", "1.5B", "-1B", "8GB8MB", "9.1PiB", "1_0B", "٣B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    refuse(parse_size, text)


@pytest.mark.parametrize(
    "text", ["", "10", "/s", "0/s", "10/", "10/w", "1.5/s", "-1/s", "10/s/s", "10/2s", "9999999999/s"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    refuse(parse_rate, text)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "9007199254740992", "1" * 5000, "+1", "1_000"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    refuse(parse_amount, text)


@pytest.mark.parametrize("parser", [parse_duration, parse_size, parse_rate, parse_amount])
@given(text=st.text(st.sampled_from("0123456789. /smhdukMGiBn")) | st.text())
def test_any_text_is_a_number_or_refused(parser: Parser, text: str) -> None:
    try:
        number = parser(text, "")
    except BadInput:
        return
    assert number >= 0


@given(number=st.integers(0, 10**6), unit=st.sampled_from(sorted(SIZE_UNITS)))
def test_a_size_is_its_number_times_its_unit(number: int, unit: str) -> None:
    if number * SIZE_UNITS[unit] < 2**53:
        assert parse_size(f"{number}{unit}") == number * SIZE_UNITS[unit]
    else:
        refuse(parse_size, f"{number}{unit}")


def refuse(parser: Parser, text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parser(text, "here")
    assert refused.value.where == "here"
    assert refused.value.remedy
