"""Values of a user's as messages quote them."""

from __future__ import annotations

from typing import Final

SHOWN_CHARACTERS: Final = 60
_INTEGER_SHOWN_BELOW: Final = 10**20  # what is longer says nothing, and beyond 4,300 digits can't be written at all


def shown(value: object) -> str:
    """A value as messages quote it: escaped, and no longer than a line bears."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _INTEGER_SHOWN_BELOW:
        return "a number of more than 20 digits"
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return f"{value[: SHOWN_CHARACTERS - 3]!r}..."
    return repr(value)
