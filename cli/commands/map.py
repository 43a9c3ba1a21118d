"""`holdfast map`: a job for each argument, as with GNU parallel, but no shell ever sees the arguments.

`{}` is the argument wherever it stands in the command, `{1}` `{2}` ... those of several `:::` lists, of which all
combinations are made. Without any of these the arguments are added at the end.
"""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import PurePath
from typing import Final

from holdfast.client import send
from holdfast.events.errors import BadInput
from holdfast.events.messages import Submit, Submitted
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.home import Home

from .options import command_of, job_table, make_job
from .submit import hint_without_supervisor, print_submitted

SEPARATOR: Final = ":::"
_USAGE: Final = "holdfast map [options] CMD [{}] ::: ARG ...  (or arguments on standard input, a line each)"
_PLACE: Final = re.compile(r"\{(\d*)\}")
_NAME_MAX: Final = 60


def execute(arguments: Namespace, home: Home) -> int:
    """Submit the jobs as one flow and print their ids."""
    words = command_of(arguments, _USAGE)
    command, lists = _split(words)
    if not lists:
        lists = [list(_from_input(b"\0" if arguments.null else b"\n"))]
    combinations = list(product(*lists))
    if not combinations:
        raise BadInput("there are no arguments to map over", remedy=_USAGE)
    table = job_table(arguments, home)
    base = str(table.pop("name", "")) or _safe(PurePath(command[0]).name) or "map"
    if "key" in table and len(combinations) > 1:
        raise BadInput("one key can't stand for several jobs", where="--key", remedy="leave it out")
    jobs = tuple(
        _job(table, command, arguments_of_one, f"{base}.{number}")
        for number, arguments_of_one in enumerate(combinations, start=1)
    )
    answer = send(home, Submit(FlowSpec(jobs=jobs, name=base)))
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    print_submitted(answer, as_json=arguments.json)
    hint_without_supervisor(home)
    return 0


def _job(table: dict[str, object], command: Sequence[str], arguments: Sequence[str], name: str) -> JobSpec:
    return make_job({**table, "name": name}, list(substitute(command, arguments)))


def _split(words: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The command, and the lists of arguments after each `:::`."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(word)
    if not parts[0]:
        raise BadInput("there is no command before :::", remedy=_USAGE)
    return parts[0], parts[1:]


def _from_input(end: bytes) -> Iterator[str]:
    if sys.stdin.isatty():
        sys.stderr.write("holdfast: reading arguments from the terminal, a line each; end with Ctrl-D\n")
    data = sys.stdin.buffer.read()
    for line in data.removesuffix(end).split(end) if data else ():
        try:
            yield line.decode()
        except UnicodeDecodeError:
            shown = line.decode(errors="backslashreplace")
            problem = f"the argument {shown!r} is not UTF-8"
            raise BadInput(problem, where="standard input", remedy="rename it, or submit it in a script") from None


def substitute(command: Sequence[str], arguments: Sequence[str]) -> Iterator[str]:
    """The command's words with `{}`, `{1}`, `{2}` ... replaced; the arguments at the end if there is none of these.

    Raises BadInput for a number that no list stands for.
    """

    def value(match: re.Match[str]) -> str:
        if not match[1]:
            return " ".join(arguments)
        number = int(match[1])
        if not 1 <= number <= len(arguments):
            problem = f"{match[0]} stands for no list of arguments: there are {len(arguments)}"
            raise BadInput(problem, remedy=f"use {{1}} to {{{len(arguments)}}}")
        return arguments[number - 1]

    found = False
    for word in command:
        if word == "{}" and len(arguments) > 1:
            found = True
            yield from arguments
            continue
        replaced, count = _PLACE.subn(value, word)
        found = found or count > 0
        yield replaced
    if not found:
        yield from arguments


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)[:_NAME_MAX].lstrip("-.")
