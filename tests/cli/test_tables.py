"""Tables give way in a set order, amounts and times are told in few digits, and nothing acts on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.screen.amounts import amounts_text, count_text, duration_text, exact_size_text, list_text, size_text
from holdfast.cli.screen.tables import Column, Table, blocks, fit
from holdfast.cli.screen.terminal import cut, printable, width_of
from holdfast.events.units import parse_size

COLUMNS = (Column("ID", right=True), Column("NAME", least=4), Column("FLOW", rank=2), Column("WHY", least=5, rank=1))


@pytest.mark.parametrize(
    "width,wanted",
    [
        (None, [3, 10, 6, 20]),
        (100, [3, 10, 6, 20]),
        (40, [3, 10, 6, 15]),
        (30, [3, 7, 6, 8]),
        (20, [3, 6, 0, 7]),
        (8, [3, 4, 0, 0]),
    ],
)
def test_wide_columns_are_cut_first_and_the_least_needed_left_out(width: int | None, wanted: list[int]) -> None:
    assert fit(COLUMNS, [3, 10, 6, 20], width) == wanted


@given(st.lists(st.integers(1, 60), min_size=4, max_size=4), st.integers(12, 200))
def test_a_line_is_never_wider_than_it_may_be(widths: list[int], width: int) -> None:
    wanted = [min(widths[0], 4), widths[1], widths[2], widths[3]]
    found = [each for each in fit(COLUMNS, wanted, width) if each]
    assert sum(found) + 2 * (len(found) - 1) <= width


def test_later_blocks_keep_at_least_the_widths_of_those_before() -> None:
    table = Table(COLUMNS, None)
    table.header([("1", "long name", "f", "w")])
    (line,) = table.lines([("22", "b", "f", "w")])
    assert line == "22  b          f     w"


def test_blocks_are_never_empty_and_hold_everything() -> None:
    assert list(blocks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(blocks("", 2)) == []


@pytest.mark.parametrize(
    "duration_us,text",
    [
        (0, "0 ms"),
        (-5, "0 ms"),
        (1_400, "1.4 ms"),
        (35_000, "35 ms"),
        (350_000, "0.35 s"),
        (2_100_000, "2.1 s"),
        (42_900_000, "42 s"),
        (60_000_000, "1 min"),
        (125_000_000, "2 min 05 s"),
        (3_840_000_000, "1 h 04 min"),
        (7_200_000_000, "2 h"),
        (266_400_000_000, "3 d 02 h"),
    ],
)
def test_durations_are_told_in_two_or_three_digits(duration_us: int, text: str) -> None:
    assert duration_text(duration_us) == text


@pytest.mark.parametrize(
    "size_bytes,text",
    [
        (0, "0 B"),
        (999, "999 B"),
        (1234, "1.2 kB"),
        (34_000_000, "34 MB"),
        (9_300_000_000, "9.3 GB"),
        (999_600, "1.0 MB"),
    ],
)
def test_measured_sizes_are_told_in_powers_of_1000(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize("text", ["8 GB", "32 MiB", "1500 MB", "4 KiB", "3 TB", "1 kB", "100 MB", "7 GiB"])
def test_chosen_sizes_are_told_as_they_were_written(text: str) -> None:
    assert parse_size(exact_size_text(parse_size(text.replace(" ", "")))) == parse_size(text.replace(" ", ""))
    assert exact_size_text(parse_size(text.replace(" ", ""))) == text


def test_amounts_counts_and_lists_read_as_sentences() -> None:
    assert amounts_text({"cpus": 4, "memory": 8_000_000_000}) == "cpus 4, memory 8 GB"
    assert amounts_text({}) == "nothing"
    assert (count_text(1, "job"), count_text(12_345, "job")) == ("1 job", "12,345 jobs")
    assert [list_text(list(letters), 3) for letters in ("", "a", "ab", "abc", "abcde")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
        "a, b, c and 2 more",
    ]


@given(st.text(), st.integers(1, 30))
def test_cut_text_fits_and_printable_text_shows(text: str, width: int) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert width_of(cut(shown, width)) <= max(width, 1)
