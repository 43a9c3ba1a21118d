"""The line of a key in a TOML text, for error messages. tomllib gives none, so it is asked about parts of the text.

A statement sets a path if the text before it is whole TOML without that path, and the text up to its end is whole TOML
with it. So tomllib itself says where statements begin, and no line is ever named that only looks like the right one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from typing import Final, cast

_TEXT_MAX_CHARACTERS: Final = 128 * 1024  # about 0.1 s for each beginning that is parsed
_PARSES_MAX: Final = 40
_STATEMENT_MAX_LINES: Final = 12


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line, from 1, of the statement that sets `path`, or else the nearest table around it.

    None where that would be too much work to find out: in a long text.
    """
    if len(text) > _TEXT_MAX_CHARACTERS:
        return None
    lines = text.split("\n")
    parses = iter(range(_PARSES_MAX))
    found: int | None = None
    for depth in range(1, len(path) + 1):
        following = _statement(lines, path[:depth], found or 0, parses)
        if following is None:
            break
        found = following
    return None if found is None else found + 1


def _statement(lines: Sequence[str], path: Sequence[str], start: int, parses: Iterator[int]) -> int | None:
    for index in range(start, len(lines)):
        if path[-1] not in lines[index]:
            continue
        if _has(lines[:index], path, parses) is not False:
            continue
        for end in range(index + 1, min(index + _STATEMENT_MAX_LINES, len(lines)) + 1):
            there = _has(lines[:end], path, parses)
            if there:
                return index
            if there is False:
                break
    return None


def _has(lines: Sequence[str], path: Sequence[str], parses: Iterator[int]) -> bool | None:
    """Whether `path` is set in these lines; None if they are no whole TOML, or were one question too many."""
    if next(parses, None) is None:
        return None
    try:
        found: object = tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return False
        found = cast("dict[str, object]", found)[key]
    return True
