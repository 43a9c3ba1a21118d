"""Options of `submit` and `map` as the table of plain values that a flow file would have for the same job."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.client import Delivery, deliver
from holdfast.clusters import check_scripts
from holdfast.events.errors import BadInput
from holdfast.events.messages import Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.events.units import parse_amount
from holdfast.store.errors import NoHome
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..flows.jobfields import job_from
from ..flows.places import Misfit

_PLAIN: Final = ("name", "target", "timeout", "key", "cwd", "template")
_NUMBERS: Final = ("priority", "retries")
# Where a job's key is not called as the option that gives it.
_OPTIONS: Final = {"run": "the command", "limits": "--limit", "secrets": "--secret", "variables": "--variable"}
_PLACE: Final = re.compile(
    r"jobs\..*?\.(?P<key>after(?:_any|_failed)?|cwd|needs|limits|env|sbatch|template|variables)"
    r"(\.(?P<below>\S+))?: (?P<rest>.*)"
)


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
    if arguments.sbatch:
        # `--sbatch exclusive` is an option without a value.
        table["sbatch"] = dict(_pair(each if "=" in each else f"{each}=true", "--sbatch") for each in arguments.sbatch)
    if arguments.variable:
        table["variables"] = dict(_pair(each, "--variable") for each in arguments.variable)
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
    """The job of these fields that runs this command in the working folder. Raises BadInput at the option."""
    try:
        return job_from({**table, "run": list(run)}, os.fspath(Path.cwd()))
    except Misfit as error:
        raise _at_option(error, error.path) from None


def deliver_jobs(home: Home, flow: FlowSpec) -> Delivery:
    """Submit what options made. Raises BadInput at the option, as far as that can be told, or Unavailable."""
    try:
        check_scripts(home, flow)
        return deliver(home, Submit(flow))
    except BadInput as error:
        # A supervisor refuses with a sentence that begins with the place, such as `jobs.1.needs.gpus: `.
        found = _PLACE.fullmatch(str(error))
        if found is None:
            raise
        keys = tuple(key for key in (found["key"], found["below"]) if key)
        raise _at_option(BadInput(found["rest"]), keys) from None


def _at_option(error: BadInput, keys: Sequence[str]) -> BadInput:
    """The error at the option, or the part of the command, that gave the value under these keys of a job."""
    if not keys:
        return BadInput(error.problem, remedy=error.remedy)
    option = _OPTIONS.get(keys[0], f"--{keys[0].replace('_', '-')}")
    return BadInput(error.problem, where=" ".join([option, *keys[1:]]), remedy=error.remedy)


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
