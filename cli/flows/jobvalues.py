"""What the values of a job's fields may be: one function for each kind of value, used through `jobfields.FIELDS`.

Each takes a plain value as TOML, JSON or an option gave it, and returns what JobSpec holds. Each raises BadInput that
says what was seen, the rule and the remedy; the place is added by who knows the key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from holdfast.events.checks import NUMBER_MAX, PRIORITY_MAX
from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.spec import RETRY_ON
from holdfast.events.units import parse_duration, parse_size

from .names import (
    check_environment_name,
    check_label,
    check_text,
    check_variable,
)
from .places import Misfit, expected, kind_of, within

RETRIES_MAX: Final = 1_000_000


def list_reader(
    what: str, read_one: Callable[[object], object], *, unique: bool = False
) -> Callable[[object], list[object]]:
    """A reader of lists, or of one thing in place of a list of one; `what` names both. `unique`: nothing twice."""

    def read(value: object) -> list[object]:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return [read_one(value)]
        found = [read_one(each) for each in items(value, what)]
        if unique and len(set(found)) < len(found):
            twice = next(each for position, each in enumerate(found) if each in found[:position])
            raise Misfit(f"{shown(twice)} stands in it twice", remedy="take one of them out")
        return found

    return read


def items(value: object, what: str) -> list[object]:
    """The members of a list. Raises Misfit, with `what` as the right kind of value, if it is none."""
    if not isinstance(value, list):
        raise expected(what, value)
    return list(cast("list[object]", value))


def members(value: object, what: str) -> dict[str, object]:
    """The members of a table. Raises Misfit, with `what` as the right kind of value, if it is none."""
    if not isinstance(value, dict):
        raise expected(what, value)
    return cast("dict[str, object]", value)  # keys of TOML, of JSON and of options are strings


def read_whole(value: object, lowest: int, highest: int) -> int:
    """A whole number within bounds, which belong to it. Raises Misfit."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected("a whole number", value)
    if not lowest <= value <= highest:
        problem = f"{shown(value)} is out of bounds"
        raise Misfit(problem, remedy=f"give a whole number from {lowest} to {highest}")
    return value


def read_run(value: object) -> str | list[str]:
    """What to run: a string for the shell, or a list of strings."""
    if isinstance(value, str):
        if not value.strip():
            raise Misfit("the command is empty", remedy="give what the job runs")
        return check_text(value, "the command")
    strings = _strings(value)
    if strings is None:
        arguments = items(value, "a string (for the shell) or a list of strings")
        position, wrong = next((at, each) for at, each in enumerate(arguments, 1) if not isinstance(each, str))
        remedy = 'arguments are strings: write "4", not 4'
        raise Misfit(f"number {position} of the list is {kind_of(wrong)}", remedy=remedy)
    if not strings:
        raise Misfit("the list is empty", remedy="its first string is the program")
    if not "".join(strings).isprintable():
        for position, each in enumerate(strings, 1):
            check_text(each, f"number {position} of the list")
    if not strings[0]:
        raise Misfit("the first string of the list is empty", remedy="it is the program")
    return strings


def read_dependencies(value: object) -> list[str] | list[object]:
    """Names of jobs of the flow and ids of jobs of the home; that the names exist is checked when all are known."""
    strings = _strings(value)
    return _read_dependencies(value) if strings is None else strings


def _strings(value: object) -> list[str] | None:
    """The value, if it is a list of nothing but strings; joining them finds that out faster than asking each."""
    if isinstance(value, list):
        strings = cast("list[str]", value)
        try:
            "".join(strings)
        except TypeError:
            return None
        return strings
    return None


def _read_dependency(value: object) -> str | int:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return read_whole(value, 1, NUMBER_MAX)
    raise expected("a name or an id", value)


_read_dependencies: Final = list_reader("a name, an id, or a list of these", _read_dependency)


def read_target(value: object) -> str:
    """The name of a target; whether there is such a one, the home knows."""
    return check_label(value, "target")


def read_amount(value: object) -> int:
    """A counted amount: a whole number, or a size with its unit in bytes."""
    if isinstance(value, str):
        return parse_size(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected('a whole number, or a size such as "8GB"', value)
    return read_whole(value, 0, NUMBER_MAX)


def read_amounts(value: object, example: str) -> dict[str, int]:
    """Counted amounts by name. `example` is how they are written."""
    amounts: dict[str, int] = {}
    for name, amount in members(value, f"a table such as {example}").items():
        try:
            amounts[check_label(name)] = read_amount(amount)
        except BadInput as error:
            raise within(error, name) from None
    return amounts


def read_needs(value: object) -> dict[str, int]:
    """What a job needs of its target's capacity: one cpu, unless it says how many."""
    return {"cpus": 1, **read_amounts(value, '{ cpus = 4, memory = "8GB" }')}


def read_limit(value: object) -> str:
    """A limit, as `name` or `name:key`."""
    limit = check_label(value, "limit")
    name, colon, key = limit.partition(":")
    if not name or (colon and not key):
        raise Misfit(f"the limit {shown(limit)} lacks a part", remedy="write NAME, or NAME:KEY to count each key apart")
    return limit


def read_priority(value: object) -> int:
    """Which of several ready jobs goes first: the higher."""
    return read_whole(value, -PRIORITY_MAX, PRIORITY_MAX)


def read_retries(value: object) -> int:
    """How often to try again."""
    return read_whole(value, 0, RETRIES_MAX)


def read_retry_on(value: object) -> list[str]:
    """The ends after which to try again."""
    ends = [value] if isinstance(value, str) else items(value, f"a list of {', '.join(RETRY_ON)}")
    if not ends:
        raise Misfit("the list is empty", remedy="leave it out, or set retries = 0")
    found: list[str] = []
    for end in ends:
        if not isinstance(end, str) or end not in RETRY_ON:
            problem = f"{shown(end) if isinstance(end, str) else kind_of(end)} is nothing to retry on"
            raise Misfit(problem, remedy=f"use: {', '.join(RETRY_ON)}")
        if end in found:
            raise Misfit(f"{shown(end)} stands in it twice", remedy="take one of them out")
        found.append(end)
    return found


def read_duration(value: object) -> int:
    """A duration, in microseconds."""
    if not isinstance(value, str):
        raise expected("a duration", value, 'write it with its unit, as in "90s"')
    return parse_duration(value)


def read_timeout(value: object) -> int:
    """A duration above zero, in microseconds."""
    timeout_us = read_duration(value)
    if timeout_us == 0:
        raise Misfit("a time-out of 0 would end the job before it began", remedy="leave it out for none")
    return timeout_us


def read_size(value: object) -> int:
    """A size, in bytes."""
    if isinstance(value, str):
        return parse_size(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected("a size", value, 'write bytes as a whole number, or a unit, as in "64MB"')
    return read_whole(value, 0, NUMBER_MAX)


def read_env(value: object) -> dict[str, str]:
    """Variables; their values are never shown, for some are secret."""
    env: dict[str, str] = {}
    for name, text in members(value, 'a table such as { NAME = "value" }').items():
        try:
            check_environment_name(name)
            if not isinstance(text, str):
                raise expected("a string", text, "put it in quotes")
            env[name] = check_text(text, "the value")
        except BadInput as error:
            raise within(error, name) from None
    return env


def read_cwd(value: object) -> str:
    """The folder to run in."""
    cwd = check_text(value, "the path", lines=False)
    if not cwd.strip():
        raise Misfit("the path is empty", remedy="leave it out for the flow's folder")
    return cwd


def read_secret(value: object) -> str:
    """The name of a variable whose value is filled in at launch."""
    return check_variable(value)


def read_key(value: object) -> str:
    """What makes a second submission the same job."""
    return check_label(value, "key")


def read_hold(value: object) -> bool:
    """Whether the job waits to be released."""
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value
