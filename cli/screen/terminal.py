"""The terminal: how wide it is, whether it shows colours, and what may be sent to it."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import Final, TextIO

_CODES: Final = {"red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36", "bold": "1", "dim": "2"}
STATE_COLOURS: Final[Mapping[str, str]] = {
    "launching": "cyan",
    "running": "cyan",
    "held": "yellow",
    "delayed": "yellow",
    "unknown": "yellow",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "yellow",
    "skipped": "dim",
    "lost": "magenta",
}
_WIDE: Final = "WF"


class Paint:
    """Colours for a stream: only on a terminal, and never with NO_COLOR (see no-color.org) or TERM=dumb."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str] = os.environ) -> None:
        self.on = stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"

    def __call__(self, text: str, colour: str | None) -> str:
        """The text in a colour of `_CODES`; as it is where there are no colours, or for None."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.on and colour is not None else text

    def state(self, name: str, text: str | None = None) -> str:
        """The name of a state (or `text`) in its colour."""
        return self(name if text is None else text, STATE_COLOURS.get(name))


def terminal_width() -> int | None:
    """How many characters a line may have; None where nobody looks at columns, as in a pipe or a file."""
    from shutil import get_terminal_size  # noqa: PLC0415 - imports compressors too, which only tables should pay for

    return get_terminal_size((0, 0)).columns or None if sys.stdout.isatty() or os.environ.get("COLUMNS") else None


def printable(text: str) -> str:
    """The text with all escaped that would act on a terminal rather than show on it, or that can't be shown there."""
    if not text.isascii() and not _is_unicode():
        text = text.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def width_of(text: str) -> int:
    """How many columns a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_width_of_character(each) for each in text)


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits into `width` columns with a mark that there is more."""
    if width_of(text) <= width:
        return text
    mark = "…" if _is_unicode() else "~"
    taken = 0
    for place, each in enumerate(text):
        taken += _width_of_character(each)
        if taken > width - 1:
            return text[:place] + mark
    return text


def _is_unicode() -> bool:
    """Whether what is written to standard output may be any character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks up to `width` columns, before it if it stands at the `right`."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def _width_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
