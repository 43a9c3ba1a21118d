"""`holdfast map`: a job for each argument, as with GNU parallel, but no shell ever sees the arguments.

`{}` is the argument wherever it stands in the command, `{1}` `{2}` ... those of several `:::` lists, of which all
combinations are made. Without any of these the arguments are added at the end.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from pathlib import PurePath
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.spec import FlowSpec
from holdfast.store.home import Home

from .mapinput import arguments_of, check_argument, read_standard_input
from .options import command_of, deliver_jobs, job_table, make_job
from .submit import tell_submitted

SEPARATOR: Final = ":::"
_USAGE: Final = "holdfast map [options] CMD [{}] ::: ARG ...  (or arguments on standard input, a line each)"
_PLACE: Final = re.compile(r"\{(\d*)\}")
_NAME_MAX: Final = 60
JOBS_MAX: Final = 1_000_000


def execute(arguments: Namespace, home: Home) -> int:
    """Submit the jobs as one flow and print their ids."""
    command, lists = _split(command_of(arguments, _USAGE))
    if not lists:
        lists = [list(arguments_of(read_standard_input(), by_nul=arguments.null))]
    count = prod(map(len, lists))
    if not count:
        raise BadInput("there are no arguments to map over", remedy=_USAGE)
    if count > JOBS_MAX:
        remedy = f"{JOBS_MAX:,} at once are the most; divide them"
        raise BadInput(f"the lists of arguments make {count:,} jobs", remedy=remedy)
    table = job_table(arguments, home)
    base = str(table.pop("name", "")) or _safe(PurePath(command[0]).name) or "map"
    if "key" in table and count > 1:
        raise BadInput("one key can't stand for several jobs", where="--key", remedy="leave it out")
    jobs = tuple(
        make_job({**table, "name": f"{base}.{position}"}, list(substitute(command, combination)))
        for position, combination in enumerate(product(*lists), start=1)
    )
    tell_submitted(home, deliver_jobs(home, FlowSpec(jobs=jobs, name=base)), as_json=arguments.json)
    return 0


def _split(words: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The command, and the lists of arguments after each `:::`. Raises BadInput for one that no job can have."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            if len(parts) > 1:
                check_argument(word, f"{SEPARATOR} argument {len(parts[-1]) + 1}")
            parts[-1].append(word)
    if not parts[0]:
        raise BadInput("there is no command before :::", remedy=_USAGE)
    return parts[0], parts[1:]


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
