"""Options of `submit` and `map` as the table of plain values that a flow file would have for the same job."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from holdfast.events.errors import BadInput
from holdfast.events.spec import JobSpec
from holdfast.store.errors import NoHome
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..flows.jobfields import job_from
from ..flows.units import parse_amount

_PLAIN = ("name", "timeout", "key", "cwd")
_NUMBERS = ("priority", "retries")


def job_table(arguments: Namespace, home: Home) -> dict[str, object]:
    """The job's fields but for `run`. Raises BadInput."""
    table: dict[str, object] = {
        name: getattr(arguments, name) for name in _PLAIN if getattr(arguments, name) is not None
    }
    for name in _NUMBERS:
        text = getattr(arguments, name)
        if text is not None:
            table[name] = whole_number(text, f"--{name}")
    if arguments.env:
        table["env"] = dict(_pair(each, "--env") for each in arguments.env)
    if arguments.needs:
        pairs = (_pair(each, "--needs") for each in arguments.needs)
        table["needs"] = {key: parse_amount(value, f"--needs {key}") for key, value in pairs}
    lists = {"limits": arguments.limit, "retry_on": arguments.retry_on, "secrets": arguments.secret}
    table.update({name: given for name, given in lists.items() if given})
    if arguments.hold:
        table["hold"] = True
    for name in ("after", "after_any", "after_failed"):
        given = getattr(arguments, name)
        if given:
            table[name] = _job_ids(given, home, f"--{name.replace('_', '-')}")
    return table


def make_job(table: dict[str, object], run: Sequence[str]) -> JobSpec:
    """The job of these fields that runs this command in the working folder. Raises BadInput."""
    return job_from({**table, "run": list(run)}, os.fspath(Path.cwd()))


def whole_number(text: str, where: str) -> int:
    """The number. Raises BadInput."""
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{text!r} is no whole number", where=where, remedy="give one such as 3") from None


def _pair(text: str, where: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"{text!r} is not NAME=VALUE", where=where, remedy=f"write {where} name=value")
    return name, value


def _job_ids(given: Sequence[str], home: Home, where: str) -> list[int]:
    try:
        with Reader(home) as reader:
            return [job for text in given for job in reader.find_jobs(text)]
    except NoHome:
        raise BadInput(f"there is no job {given[0]!r}: nothing was submitted here yet", where=where) from None
    except BadInput as error:
        raise error.at(where) from None


def command_of(arguments: Namespace, usage: str) -> list[str]:
    """The words after the options, without the `--` before them. Raises BadInput if there are none."""
    words: list[str] = arguments.command
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise BadInput("there is no command", remedy=usage)
    if words[0].startswith("-"):
        raise BadInput(
            f"there is no option {words[0]!r}", remedy=f"{usage}; a command that begins with - goes after --"
        )
    return words
