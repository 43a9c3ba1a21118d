"""What the user's words mean: a job, a number."""

from __future__ import annotations

import re

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.store.reader import Reader

_DIGITS = re.compile(r"[0-9]{1,18}")


def one_job(reader: Reader, text: str) -> int:
    """The id of the one job that a word means. Raises BadInput if there is none, or if it is a flow of several."""
    found = reader.find_jobs(text)
    if len(found) > 1:
        problem = f"{shown(text)} is a flow of {len(found):,} jobs"
        raise BadInput(problem, remedy=f"name one of them by its id or as flow/name; `holdfast jobs {text}` lists them")
    return found[0]


def whole_number(text: str, where: str, least: int, remedy: str) -> int:
    """The whole number, at least `least`. `where` and `remedy` are for the error: BadInput for anything else."""
    if not _DIGITS.fullmatch(text) or int(text) < least:
        raise BadInput(f"{shown(text)} is no whole number from {least} on", where=where, remedy=remedy)
    return int(text)
