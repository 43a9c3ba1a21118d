"""Names that people see and type: of jobs, flows, keys, limits and targets, in flow files and in Python alike."""

from __future__ import annotations

import re
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown

LABEL_CHARACTERS_MAX: Final = 200
LABEL_REMEDY: Final = f"use 1 to {LABEL_CHARACTERS_MAX} printable characters, no blank at either end"

# The common case in one match; every name that it takes keeps the rule.
PLAIN_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,199}"
_PLAIN_NAME: Final = re.compile(PLAIN_NAME)
_SURROGATES: Final = range(0xD800, 0xE000)


def label_problem(value: str, what: str) -> str:
    """What keeps the value from being a name of anything; empty if nothing does. `what` is its noun."""
    if _PLAIN_NAME.fullmatch(value):
        return ""
    if not value:
        return f"the {what} is empty"
    if len(value) > LABEL_CHARACTERS_MAX:
        return f"the {what} {shown(value)} has {len(value)} characters"
    if value != value.strip():
        return f"the {what} {shown(value)} begins or ends with a blank"
    if not value.isprintable():
        character = next(each for each in value if not each.isprintable())
        return f"the {what} {shown(value)} holds the character {named(character)}"
    return ""


def check_label(value: object, what: str, where: str) -> None:
    """Check a name, if it is one: what is no text is told of by its type, where it is recorded. Raises BadInput."""
    problem = label_problem(value, what) if isinstance(value, str) else ""
    if problem:
        raise BadInput(problem, where=where, remedy=LABEL_REMEDY)


def place_of(name: object, position: int) -> str:
    """Where a job stands in what was submitted: by its name, if that can be shown; else they are counted from 1."""
    return f"jobs.{name if name and isinstance(name, str) and not label_problem(name, 'name') else position}"


def named(character: str) -> str:
    """A character that can't be shown, by its number."""
    point = ord(character)
    remark = " (half a character, or a byte that is not UTF-8)" if point in _SURROGATES else ""
    return f"U+{point:04X}{remark}"
