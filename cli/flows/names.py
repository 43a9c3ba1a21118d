"""What may stand in names and texts: the rules for names of jobs, limits and needs, for variables, and for what is run.

Nothing here may hold a NUL, which no system call takes, or another control character, which would act on the terminal
that shows it. Texts that are run may hold line breaks and tabs: scripts do.
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.events.quoting import shown
from holdfast.labels import LABEL_REMEDY, PLAIN_NAME, label_problem, named

from .places import Misfit, expected

RESERVED_VARIABLES: Final = ("HOLDFAST_JOB", "HOLDFAST_ATTEMPT", "HOLDFAST_TOKEN")

_PLAIN_NAME: Final = re.compile(PLAIN_NAME)  # what it takes passes all of `check_name`
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_LINES_AND_TABS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def check_label(value: object, what: str = "name") -> str:
    """A name of anything: 1 to 200 printable characters, no blank at either end. Raises Misfit; `what` is its noun."""
    if not isinstance(value, str):
        raise expected("a string", value)
    problem = label_problem(value, what)
    if problem:
        raise Misfit(problem, remedy=LABEL_REMEDY)
    return value


def check_name(value: object) -> str:
    """A job's name: a label without slashes, and not all digits, for that is an id. Raises Misfit."""
    if isinstance(value, str) and _PLAIN_NAME.fullmatch(value):
        return value
    name = check_label(value)
    if "/" in name:
        raise Misfit(f"the name {shown(name)} holds a slash", remedy="use another character, such as - or .")
    if name.isdecimal():
        raise Misfit(f"the name {shown(name)} would be taken for an id", remedy="put a letter into it")
    return name


def check_limit_name(value: object) -> str:
    """The name of a limit: a label without a colon, which separates it from a key. Raises Misfit."""
    name = check_label(value)
    if ":" in name:
        raise Misfit(f"the name {shown(name)} holds a colon", remedy="jobs add a key to a limit as NAME:KEY")
    return name


def check_variable(value: object) -> str:
    """The name of a variable as shells know it, not one of Holdfast's own. Raises Misfit."""
    if not isinstance(value, str):
        raise expected("a string", value)
    if not _VARIABLE.fullmatch(value):
        raise Misfit(f"{shown(value)} is no name of a variable", remedy="use letters, digits and _, no digit first")
    return _not_reserved(value)


def check_environment_name(value: str) -> str:
    """A name in `env`: whatever the system takes, so neither empty nor with '='. Raises Misfit."""
    if not value:
        raise Misfit("the name of a variable is empty", remedy="give it a name, or take it out")
    if "=" in value:
        raise Misfit(f"the name {shown(value)} holds an '='", remedy="write env = { NAME = 'value' }")
    return _not_reserved(check_text(value, "the name", lines=False))


def check_text(value: object, what: str, *, lines: bool = True) -> str:
    """A text that holds no control characters, but line breaks and tabs if `lines`. Raises Misfit.

    `what` names the text, which itself is never shown: it may hold what is secret.
    """
    if not isinstance(value, str):
        raise expected("a string", value)
    if value.isprintable():
        return value
    found = (_CONTROL_BUT_LINES_AND_TABS if lines else _CONTROL).search(value)
    if found:
        problem = f"{what} holds the character {named(found[0])} at position {found.start() + 1}"
        remedy = "only line breaks and tabs are allowed" if lines else "no control character is allowed"
        raise Misfit(problem, remedy=f"{remedy}; take it out")
    return value


def _not_reserved(name: str) -> str:
    if name in RESERVED_VARIABLES:
        raise Misfit(f"{name} is set by Holdfast itself", remedy="use another name")
    return name
