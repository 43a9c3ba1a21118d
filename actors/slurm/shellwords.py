"""Words as a POSIX shell and sbatch read them: what is quoted here arrives as it is, whatever is in it."""

from __future__ import annotations

import re
import shlex
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown

CARRIAGE_RETURN: Final = "holdfast_cr"
"""The shell variable that stands for a carriage return: sbatch refuses a script with a `\\r\\n` anywhere."""

DIRECTIVE: Final = "#SBATCH "

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./&|*()\[\]!-]+")


class Composed(str):
    """Text for a script that was put together here; it goes in as it is, while everything else is quoted."""

    __slots__ = ()


def quote(text: str) -> str:
    """The text as one word of a POSIX shell, byte for byte. Raises BadInput for a NUL, which no word can hold."""
    if "\0" in text:
        raise BadInput("a NUL character can't be passed to a process", remedy="take it out")
    quoted = "'" + text.replace("'", "'\\''") + "'"
    return quoted.replace("\r", f"'\"${CARRIAGE_RETURN}\"'") if "\r" in quoted else quoted


def directive(name: str, value: str = "") -> str:
    """One line `#SBATCH --name=value`, for a value that can stand there; `directive_words` reads it back.

    Raises BadInput for a line break, which would begin another line, and a backslash, which sbatch has other uses for.
    """
    if any(not each.isprintable() or each == "\\" for each in value):
        problem = f"{shown(value)}, the value of --{name}, has characters that sbatch takes for something else"
        raise BadInput(problem, remedy="leave out line breaks, control characters and backslashes")
    if value and not _PLAIN.fullmatch(value):
        value = '"' + value.replace('"', '\\"') + '"'
    return f"{DIRECTIVE}--{name}={value}" if value else f"{DIRECTIVE}--{name}"


def directive_words(script: str) -> list[str]:
    """The options that the directives at the beginning of a script of ours give, as words of a command line."""
    _, *lines = script.split("\n")
    words: list[str] = []
    for line in lines:
        if not line.startswith(DIRECTIVE):
            break
        words += shlex.split(line.removeprefix(DIRECTIVE))
    return words
