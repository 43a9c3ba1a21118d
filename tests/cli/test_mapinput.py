"""The arguments that `map` reads: whatever text a line holds, ended in any way; what is wrong is named by its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.commands.mapinput import arguments_of
from holdfast.events.errors import BadInput

from .commands import Caller


def read(data: bytes, *, by_nul: bool = False) -> list[str]:
    return list(arguments_of(data, by_nul=by_nul))


def test_lines_end_in_a_line_feed_with_or_without_a_carriage_return_and_the_last_in_nothing_too() -> None:
    assert read(b"") == []
    assert read(b"a\nb c\n") == ["a", "b c"]
    assert read(b"a\r\nb\r\n") == ["a", "b"]
    assert read(b"a\nb") == ["a", "b"]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))))
def test_what_was_written_with_nul_is_read_as_it_was(arguments: list[str]) -> None:
    assert read("".join(f"{each}\0" for each in arguments).encode(), by_nul=True) == arguments


@pytest.mark.parametrize(
    "data,by_nul,message",
    [
        (b"a\nb\xff\n", False, r"standard input:2: the argument 'b\xff' is not UTF-8"),
        (b"a\n\nc\x1b\n", False, "standard input:3: the argument holds the character U+001B at position 2"),
        (b"a\rb\n", False, "standard input:1: the argument holds the character U+000D at position 2"),
        (b"a\0b\r\0", True, "standard input: argument 2: the argument holds the character U+000D at position 2"),
        (b"x" * 100 + b"\xff\n", False, f"standard input:1: the argument '{'x' * 60}'... is not UTF-8"),
    ],
    ids=["not UTF-8", "control character", "carriage return within", "carriage return and NUL", "a long one"],
)
def test_p7_what_is_no_argument_is_refused_at_its_line(data: bytes, message: str, *, by_nul: bool) -> None:
    with pytest.raises(BadInput) as caught:
        read(data, by_nul=by_nul)
    assert str(caught.value).startswith(message)


def test_p7_an_argument_after_colons_is_refused_by_its_place(call: Caller) -> None:
    said = call("map", "echo", ":::", "a", "b\x01")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("holdfast: ::: argument 2: the argument holds the character U+0001 at position 2; ")


def test_p7_more_combinations_than_can_be_jobs_are_refused_before_they_are_made(call: Caller) -> None:
    words = [word for _ in range(7) for word in (":::", *map(str, range(10)))]
    said = call("map", "echo", *words)
    assert (said.code, said.out) == (2, "")
    assert "the lists of arguments make 10,000,000 jobs; 1,000,000 at once are the most; divide them" in said.err
