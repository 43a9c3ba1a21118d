"""Writes docs/api.md from the docstrings and signatures of the Python API: `python -m tests.api.api_page`."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from msgspec import Struct

import holdfast
from holdfast import testing
from holdfast.events import facts
from tests.tree import ROOT

PAGE: Final = Path("docs/api.md")
EXAMPLES: Final = Path("tests/api/examples.md")
COMMAND: Final = "python -m tests.api.api_page"

_START: Final = """\
# The Python API

`import holdfast`, and `holdfast.events.facts` where you match on events. The examples are run by a test; what stands
below them is written from the docstrings by `python -m tests.api.api_page`, so change it there.
"""

_WORDS: Final = """\
## Words in signatures

- `Command`: one string, for `/bin/sh -c`, or a list of strings, without a shell.
- `After`: a job that was submitted, or several; an id; the name of a job that is submitted with it; or a list of these.
- `Amount`: a whole number, or text such as "8GB". `Duration`: a `timedelta`, or text such as "90s" or "1h30m".
- `JobOptions`: the fields of `Job` but for `run`. `PolicyOptions`: those of them from `limits` to `timeout`.
- `Event`: one of the classes of `holdfast.events.facts`, see [The log](#the-log).
"""

# In the order in which one meets them; a test looks that every public name is here.
CHAPTERS: Final = {
    "Opening a home": ("open", "open_sync", "Holdfast", "SyncHoldfast"),
    "Jobs": ("Job", "SubmittedJob", "Submission", "SyncJob", "SyncSubmission", "JobRecord", "Output"),
    "What commands answer": ("Changed", "Unchanged", "Status"),
    "Clusters": ("Slurm", "Pilot"),
    "Functions as jobs": ("call", "Call", "Function", "Attempt", "CallStopped", "Step"),
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
        "NoPlaceLeft",
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

TESTING: Final = ("open", "Command", "WrongLoop")

# What has no underscore, as the package's own modules use it, and is nothing that one calls from outside.
INTERNAL: Final = {"Step.take", "Step.request", "Step.text", "Attempt.stop", "Events.held"}
# Names of unions that a signature would otherwise spell out.
_SHORT: Final = (
    (re.compile(r"(?:holdfast\.events\.(?:cluster)?facts\.\w+(?: \| )?){9,}"), "Event"),
    (re.compile(r"\b(?:holdfast(?:\.[a-z_]+)+|collections\.abc|datetime|msgspec|os)\.(?=\w)"), ""),
    (re.compile(r"HasIds \| int \| str \| Iterable\[HasIds \| int \| str\]"), "After"),
)


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join((_START, (ROOT / EXAMPLES).read_text(encoding="utf-8"), *_reference(), ""))


def _reference() -> Iterator[str]:
    yield _WORDS
    for title, names in CHAPTERS.items():
        yield f"## {title}\n"
        for name in names:
            yield from _entry(name, getattr(holdfast, name), "###")
        if title == "The log":
            yield "### Events, by what they are about\n"
            yield "Of `holdfast.events.facts`, and from `BatchPlanned` on of `holdfast.events.clusterfacts`.\n"
            yield "\n".join(f"- `{each.__name__}`: {_first_line(each)}" for each in _events()) + "\n"
    yield "## Holdfast in a test: `holdfast.testing`\n"
    for name in TESTING:
        yield from _entry(f"testing.{name}", getattr(testing, name), "###")


def _events() -> Iterator[type]:
    return iter(get_args(facts.JobEvent) + get_args(facts.HomeEvent))


def _first_line(found: type) -> str:
    return inspect.cleandoc(found.__doc__ or "").partition("\n")[0]


def _entry(name: str, found: object, level: str) -> Iterator[str]:
    yield f"{level} `{name}`\n"
    shown = _attribute(name, found) if isinstance(found, property) else _signature(name, found)
    if shown:
        yield f"```python\n{shown}\n```\n"
    yield f"{inspect.cleandoc(found.__doc__ or '')}\n"
    if inspect.isclass(found):
        for member, value in vars(found).items():
            public = not member.startswith("_") and f"{name}.{member}" not in INTERNAL
            if public and (inspect.isfunction(value) or isinstance(value, property)) and value.__doc__:
                yield from _entry(f"{name}.{member}", value, f"{level}#")


def _attribute(name: str, found: property) -> str:
    """A property, which is read and not called."""
    assert found.fget is not None, "each of ours can be read"
    return f"{name}: {inspect.signature(found.fget).return_annotation}"


def _signature(name: str, found: object) -> str:
    """How it is called; of classes only those that one makes oneself."""
    if inspect.isclass(found) and not issubclass(found, Struct):
        return ""
    assert callable(found), "what is public is a class, a function or a property"
    text = re.sub(r"(?<=: )'([^']*)'|(?<=-> )'([^']*)'", r"\1\2", str(inspect.signature(found)))
    text = (
        re.sub(r"<function [^>]*>", "...", text)
        .replace("(self, /, ", "(")
        .replace("(self, ", "(")
        .replace("(self)", "()")
    )
    for pattern, short in _SHORT:
        text = pattern.sub(short, text)
    start = "await " if inspect.iscoroutinefunction(found) else ""
    return "\n".join(textwrap.wrap(f"{start}{name}{text}", 116, subsequent_indent="    ", break_long_words=False))


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
