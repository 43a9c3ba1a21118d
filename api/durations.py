"""Durations as a Python program gives them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast

from holdfast.events.errors import BadInput
from holdfast.events.units import parse_duration

Duration = timedelta | str

_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(given: Duration, where: str) -> int:
    """The duration in microseconds. Raises BadInput, at `where`, for what is none."""
    if isinstance(given, str):
        return parse_duration(given, where)
    if not isinstance(cast("object", given), timedelta):
        is_number = isinstance(cast("object", given), int | float) and not isinstance(cast("object", given), bool)
        example = f'"{given}s"' if is_number else '"90s"'
        problem = f"{given!r} is of the wrong type for a duration"
        raise BadInput(problem, where=where, remedy=f"write {example} or a timedelta")
    return given // _MICROSECOND
