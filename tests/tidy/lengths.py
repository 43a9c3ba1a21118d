"""Lengths: of files, of functions, and the median of all files."""

import ast
import statistics
from collections.abc import Iterable, Iterator
from typing import Final

from .source import Source

FILE_LINES: Final = 400
MEDIAN_LINES: Final = 200
FUNCTION_LINES: Final = 50

# Files that may be longer, and why. An entry is an argument, to be won anew whenever it is changed.
LONGER_FILES: Final = {
    "actors/connections/relay.py": (450, "one file by design: it is sent to hosts, where nothing else is installed"),
    "events/facts.py": (480, "the whole vocabulary of the log, which is to be read in one place"),
    "actors/runner.py": (1710, "one file by design: it is sent to hosts, where nothing else is installed"),
}


def long_file(source: Source) -> Iterator[str]:
    """A file has at most 400 lines, unless it has argued for more."""
    limit, _reason = LONGER_FILES.get(str(source.path), (FILE_LINES, ""))
    lines = len(source.text.splitlines())
    if lines > limit:
        yield source.at(limit, f"{lines} lines, {limit} are allowed; give a part of it a file and a name of its own")


def long_function(source: Source) -> Iterator[str]:
    """A function has at most 50 lines, its docstring included."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield source.at(node, f"{node.name} has {lines} lines, {FUNCTION_LINES} are allowed; divide it")


def median_lines(sources: Iterable[Source]) -> float:
    """Return the median number of lines of `sources` but `__init__.py` files, which may say only what a folder is."""
    return statistics.median(len(each.text.splitlines()) for each in sources if each.path.name != "__init__.py")
