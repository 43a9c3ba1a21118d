"""Flows in TOML: `[jobs.NAME]` for each job, and what `declarations` describes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.spec import FlowSpec, JobSpec

from .declarations import KEYS, read_declarations, with_defaults
from .flowjobs import check_jobs
from .jobfields import job_of, read_fields
from .jobvalues import members
from .names import check_name
from .places import Misfit, in_file, unknown_key, within
from .tomllines import line_of

_TOP_KEYS: Final = ("jobs", *KEYS)
_AT_POSITION: Final = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)
_AT_END: Final = re.compile(r"(.*) \(at end of document\)", re.DOTALL)
_NO_JOBS: Final = "there are no jobs in it"
_JOB_EXAMPLE: Final = 'a flow needs at least one job: [jobs.hello] with run = ["echo", "hello"]'


def parse_toml(data: bytes, source: str, folder: str) -> FlowSpec:
    """The flow, without name and digest. Raises BadInput at `source`, and the line where it is known for sure.

    `folder` is the absolute path that the jobs' `cwd` is relative to.
    """
    text = decode(data, source)
    table = _load(text, source)
    try:
        return _flow(table, folder)
    except Misfit as error:
        raise in_file(error, source, line_of(text, error.path) if error.path else None) from None


def decode(data: bytes, source: str, first_line: int = 1) -> str:
    """The text of UTF-8 bytes, without a byte-order mark. Raises BadInput at the line; the first is `first_line`."""
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = first_line + before.count(b"\n")
        column = error.start - before.rfind(b"\n")
        utf_16 = first_line == 1 and data[:2] in {b"\xff\xfe", b"\xfe\xff"}
        seen = f"byte {column} of the line is 0x{data[error.start]:02x}, which is not UTF-8"
        remedy = "it looks like UTF-16; save it as UTF-8" if utf_16 else "save it as UTF-8"
        raise BadInput(seen, where=f"{source}:{line}", remedy=remedy) from None


def _load(text: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at_position, at_end = _AT_POSITION.fullmatch(str(error)), _AT_END.fullmatch(str(error))
        if at_position:
            where = f"{source}:{at_position[2]}:{at_position[3]}"
            raise BadInput(f"this is not TOML: {_sentence(at_position[1])}", where=where) from None
        problem = f"{at_end[1]}, at the end of the text" if at_end else str(error)
        raise BadInput(f"this is not TOML: {_sentence(problem)}", where=source) from None
    except RecursionError:
        raise BadInput(
            "lists or tables are nested too deeply in it", where=source, remedy="flows need few levels"
        ) from None
    except ValueError:
        # The one ValueError that isn't tomllib's own: Python converts no more than 4,300 digits.
        raise BadInput("a number in it has too many digits", where=source, remedy="no field takes such a one") from None


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:]


def _flow(table: Mapping[str, object], folder: str) -> FlowSpec:
    for key in table:
        if key not in _TOP_KEYS:
            raise unknown_key(key, _TOP_KEYS)
    declared = read_declarations(table, folder)
    try:
        jobs = tuple(
            _job(name, value, declared.defaults, folder)
            for name, value in members(table.get("jobs", {}), "a table of jobs").items()
        )
        check_jobs(jobs)
    except BadInput as error:
        raise within(error, "jobs") from None
    if not jobs:
        raise Misfit(_NO_JOBS, remedy=_JOB_EXAMPLE)
    return FlowSpec(jobs, limits=declared.limits, targets=declared.targets)


def _job(name: str, value: object, defaults: dict[str, object], folder: str) -> JobSpec:
    try:
        check_name(name)
        table = members(value, "a table of the job's fields")
        if "name" in table:
            raise Misfit("the job has a name already", path=("name",), remedy="it is the NAME in [jobs.NAME]")
        fields = with_defaults(read_fields(table), defaults)
        fields["name"] = name
        return job_of(fields, folder)
    except BadInput as error:
        raise within(error, name) from None
