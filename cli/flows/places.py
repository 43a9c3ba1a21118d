"""Where something stands in what a user wrote: paths of keys, and errors that carry one until file and line are known.

A rule knows the value that breaks it, its caller the key, and the caller's caller the file. So an error starts without
a place, each level adds its key with `within`, and the file's reader turns the path into a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import SHOWN_CHARACTERS, shown

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


class Misfit(BadInput):
    """Bad input at a path of keys; `where` is that path, dotted as in TOML."""

    def __init__(self, problem: str, *, path: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(problem, where=dotted(path), remedy=remedy)
        self.path = path


def within(error: BadInput, *keys: str) -> Misfit:
    """The same error, one or more keys further out: an error at `cpus`, within `needs`, is at `needs.cpus`."""
    path = error.path if isinstance(error, Misfit) else ()
    return Misfit(error.problem, path=(*keys, *path), remedy=error.remedy)


def in_file(error: Misfit, source: str, line: int | None) -> BadInput:
    """The error as it is told: `flow.toml:7: jobs.align.needs: ...`; without the line where it isn't known for sure."""
    place = source if line is None else f"{source}:{line}"
    where = f"{place}: {error.where}" if error.where else place
    return BadInput(error.problem, where=where, remedy=error.remedy)


def dotted(path: Sequence[str]) -> str:
    """A path of keys as TOML writes it; parts that are no bare keys stand in quotes, control characters escaped."""
    return ".".join(key if _BARE_KEY.fullmatch(key) and len(key) <= SHOWN_CHARACTERS else shown(key) for key in path)


def kind_of(value: object) -> str:
    """What a value is, in the words of flow files rather than of Python."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return "a string"
        case int():
            return "a whole number"
        case float():
            return f"the number {value!r}"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case None:
            return "null"
        case _:
            return "a date or time"


def expected(what: str, value: object, remedy: str = "") -> Misfit:
    """The error for a value of the wrong kind; `what` is the right one, as in 'a list of names'."""
    return Misfit(f"expected {what}, got {kind_of(value)}", remedy=remedy)


def unknown_key(key: str, known: Iterable[str]) -> Misfit:
    """The error for a key that means nothing here, with the nearest of those that do."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only to word this error

    names = list(known)
    close = get_close_matches(key[:SHOWN_CHARACTERS], names, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"the known keys are: {', '.join(names)}"
    return Misfit("there is no such key", path=(key,), remedy=remedy)
