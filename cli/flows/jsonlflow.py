"""Flows in JSON Lines: an object a line, with a job's fields and its `name`; blank lines don't count.

The first line may be an object that has `limits`, `targets` and `defaults`, some of them and nothing else. Lines are
read one by one, so that beside the bytes only jobs are in memory.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Final, cast

import msgspec

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.spec import FlowSpec, JobSpec

from .declarations import KEYS, Declarations, read_declarations, with_defaults
from .flowjobs import check_jobs
from .jobfields import job_of, read_fields
from .places import Misfit, in_file
from .plainlines import PLAIN_KEYS, plain_job
from .tomlflow import decode

Load = Callable[[bytes], dict[str, object]]

LINE_MAX_BYTES: Final = 16 * 2**20

_TRUNCATED: Final = "Input data was truncated"  # as msgspec says it
_TOO_DEEP: Final = "lists or objects are nested too deeply in it"
_NO_OBJECT: Final = re.compile(r"Expected `object`, got `(array|str|int|float|bool|null)`")
_KINDS: Final = {
    "array": "a list",
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}
_KEYS: Final = frozenset(KEYS)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_ONE_LINE: Final = "each job is one JSON object on one line"


def parse_jsonl(data: bytes, source: str, folder: str) -> FlowSpec:
    """The flow, without name and digest. Raises BadInput at `source` and the line.

    `folder` is the absolute path that the jobs' `cwd` is relative to.
    """
    jobs: list[JobSpec] = []
    lines: dict[str, int] = {}
    declared: Declarations | None = None
    number = 0
    plain = False  # whether the line before might have been; jobs of one flow are much alike
    load = msgspec.json.Decoder(dict[str, object]).decode
    try:
        for number, raw in enumerate(io.BytesIO(data), 1):
            line = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
            if line.isspace() or not line:
                continue
            job = plain_job(line, folder) if plain and len(line) <= LINE_MAX_BYTES else None
            if job is None:
                table = _load(line, number, source, load)
                if declared is None:
                    declared = _header(table, folder)
                    if table and table.keys() <= _KEYS:
                        continue
                job = _job(table, declared, folder)
                plain = table.keys() <= PLAIN_KEYS and not declared.defaults
            if lines.setdefault(job.name, number) != number:
                raise _taken(job.name, lines[job.name])
            jobs.append(job)
    except Misfit as error:
        raise in_file(error, source, number) from None
    if not jobs or declared is None:
        remedy = 'a flow needs at least one job: {"name": "hello", "run": ["echo", "hello"]}'
        raise BadInput("there are no jobs in it", where=source, remedy=remedy)
    try:
        check_jobs(jobs)
    except Misfit as error:
        raise _placed(error, source, lines) from None
    return FlowSpec(tuple(jobs), limits=declared.limits, targets=declared.targets)


def _header(table: dict[str, object], folder: str) -> Declarations:
    """What the first line declares, if it is no job."""
    return read_declarations(table if table and table.keys() <= _KEYS else {}, folder)


def _job(table: dict[str, object], declared: Declarations, folder: str) -> JobSpec:
    if "name" not in table:
        header = table.keys() & _KEYS and "run" not in table
        remedy = "only the first line may declare these" if header else 'names tell jobs apart: add "name": "..."'
        raise Misfit("the job has no name", remedy=remedy)
    return job_of(with_defaults(read_fields(table), declared.defaults), folder)


def _taken(name: str, line: int) -> Misfit:
    problem = f"the name {shown(name)} is given on line {line} already"
    return Misfit(problem, path=("name",), remedy="names must be unique within a flow")


def _placed(error: Misfit, source: str, lines: dict[str, int]) -> BadInput:
    """An error of `check_jobs`, whose path begins with a job's name, at that job's line."""
    name, *keys = error.path or ("",)
    return in_file(Misfit(error.problem, path=tuple(keys), remedy=error.remedy), source, lines.get(name))


def _load(line: bytes, number: int, source: str, load: Load) -> dict[str, object]:
    where = f"{source}:{number}"
    if len(line) > LINE_MAX_BYTES:
        raise too_long(source, number)
    try:
        table = load(line)
    except RecursionError:
        raise BadInput(_TOO_DEEP, where=where, remedy=_ONE_LINE) from None
    except UnicodeDecodeError:
        decode(line, source, number)
        raise
    except msgspec.DecodeError as error:
        raise _syntax(error, decode(line, source, number), where) from None
    # Each member has one colon, so that lines with as many are known to repeat no key, of which JSON readers keep one.
    colons = line.count(b":")
    if colons != len(table) and colons != _count_members(table):
        _refuse_repeated_keys(line)
    return table


def too_long(source: str, number: int) -> BadInput:
    """The error for a line above LINE_MAX_BYTES, wherever that is noticed."""
    problem = f"the line is longer than {LINE_MAX_BYTES} bytes"
    return BadInput(problem, where=f"{source}:{number}", remedy=_ONE_LINE)


def _syntax(error: msgspec.DecodeError, text: str, where: str) -> BadInput:
    """The error for a line that msgspec refuses; Python's own reader, slower, knows the exact column."""
    if isinstance(error, msgspec.ValidationError):
        other = _NO_OBJECT.fullmatch(str(error))
        if other:
            return BadInput(f"expected an object, got {_KINDS[other[1]]}", where=where, remedy=_ONE_LINE)
        return BadInput("a number in it is out of range", where=where, remedy="no field takes such a one")
    constants: list[str] = []
    try:
        json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as exact:
        if str(error) == _TRUNCATED:
            return BadInput("the line ends before its JSON does", where=where, remedy=_ONE_LINE)
        seen = exact.msg[:1].lower() + exact.msg[1:]
        return BadInput(f"this is not JSON: {seen}", where=f"{where}:{exact.colno}", remedy=_ONE_LINE)
    except (ValueError, RecursionError):
        return BadInput(f"this can't be read: {error}", where=where, remedy=_ONE_LINE)
    if constants:
        return BadInput(f"{constants[0]} is no number in JSON", where=where, remedy="leave it out")
    remedy = "write both halves of the surrogate pair, or the character itself"
    return BadInput(r"an escape \u in it stands for half a character", where=where, remedy=remedy)


def _count_members(table: dict[str, object]) -> int:
    return len(table) + sum(
        len(cast("dict[str, object]", value)) for value in table.values() if isinstance(value, dict)
    )


def _refuse_repeated_keys(line: bytes) -> None:
    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        table = dict(found)
        if len(table) < len(found):
            names = [key for key, _ in found]
            twice = next(key for position, key in enumerate(names) if key in names[:position])
            raise Misfit("the key stands twice in one object", path=(twice,), remedy="take one of them out")
        return table

    try:
        json.loads(line.decode(), object_pairs_hook=pairs)
    except RecursionError:
        raise Misfit(_TOO_DEEP, remedy=_ONE_LINE) from None
