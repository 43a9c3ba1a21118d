"""Writes docs/api.md from the docstrings and signatures of the Python API: `python -m tests.api.api_page`."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

import holdfast
from tests.tree import ROOT

PAGE: Final = Path("docs/api.md")
EXAMPLES: Final = Path("tests/api/examples.md")
COMMAND: Final = "python -m tests.api.api_page"

_START: Final = """\
# The Python API

`import holdfast` and nothing else. The examples are run by a test; what stands below them is written from the
docstrings by `python -m tests.api.api_page`, so change it there.
"""

# In the order in which one meets them; a test looks that every public name is here.
CHAPTERS: Final = {
    "Opening a home": ("open", "open_sync", "Holdfast", "SyncHoldfast"),
    "Jobs": ("Job", "SubmittedJob", "Submission", "SyncJob", "SyncSubmission", "JobRecord", "Output"),
    "What commands answer": ("Changed", "Unchanged", "Status"),
    "Functions as jobs": ("call", "Function", "Attempt", "CallStopped", "Step"),
    "The log": ("Events", "Recorded"),
    "Errors": (
        "HoldfastError",
        "BadInput",
        "JobFailed",
        "Unavailable",
        "HomeLocked",
        "NoAnswer",
        "Damaged",
        "EngineFailed",
        "Closed",
        "Forked",
        "InItsOwnThread",
    ),
    "Closer to the ground": (
        "open_supervisor",
        "Supervisor",
        "send",
        "FlowSpec",
        "JobSpec",
        "LimitSpec",
        "TargetSpec",
        "Submit",
        "Cancel",
        "Retry",
        "Hold",
        "Release",
        "Prioritise",
        "Pause",
        "Resume",
    ),
}


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join((_START, (ROOT / EXAMPLES).read_text(encoding="utf-8"), *_reference(), ""))


def _reference() -> Iterator[str]:
    for title, names in CHAPTERS.items():
        yield f"## {title}\n"
        for name in names:
            yield from _entry(name, getattr(holdfast, name), "###")


def _entry(name: str, found: object, level: str) -> Iterator[str]:
    yield f"{level} `{name}`\n"
    if callable(found):
        shown = _signature(name, found)
        if shown:
            yield f"```python\n{shown}\n```\n"
    yield f"{inspect.cleandoc(found.__doc__ or '')}\n"
    if inspect.isclass(found):
        for member, value in vars(found).items():
            documented = value.fget if isinstance(value, property) else value
            if not member.startswith("_") and inspect.isfunction(documented) and documented.__doc__:
                yield from _entry(f"{name}.{member}", documented, "####")


def _signature(name: str, found: object) -> str:
    """How it is called; of classes only those that one makes oneself."""
    if inspect.isclass(found) and not issubclass(found, Struct):
        return ""
    assert callable(found)
    text = re.sub(r"(?<=: )'([^']*)'|(?<=-> )'([^']*)'", r"\1\2", str(inspect.signature(found)))
    text = (
        re.sub(r"<function [^>]*>", "...", text)
        .replace("(self, /, ", "(")
        .replace("(self, ", "(")
        .replace("(self)", "()")
    )
    start = "await " if inspect.iscoroutinefunction(found) else ""
    return "\n".join(textwrap.wrap(f"{start}{name}{text}", 116, subsequent_indent="    ", break_long_words=False))


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
