"""`holdfast jobs`: what there is and how it stands, a line each."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Final

import msgspec

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.records import ClosedBatch, SubmittedBatch
from holdfast.events.states import NAMES, Launching
from holdfast.store.home import Home
from holdfast.store.listing import JobLine
from holdfast.store.reader import Reader

from ..explaining.slurmwords import waiting_text
from ..reading.batchscripts import newest_place
from ..reading.joblist import print_jobs
from ..screen.remarks import remark
from .chosen import whole_number

STATES: Final = tuple(NAMES.values())
_LAUNCHING: Final = NAMES[Launching]


def execute(arguments: Namespace, home: Home) -> int:
    """Print them; 0 also if there are none. Raises BadInput for an unknown state, job or number."""
    states = [_state(text) for text in arguments.state]
    limit = None if arguments.limit is None else whole_number(arguments.limit, "--limit", 1, "give a number such as 20")
    with Reader(home) as reader:
        where, values = _condition(_chosen(reader, arguments.jobs), states, limit)
        printed = print_jobs(reader.jobs(where, values), as_json=arguments.json, why=Queues(reader))
    if not printed:
        narrowed = bool(arguments.jobs or arguments.state)
        remark(f"holdfast: {'no job is like that' if narrowed else f'no jobs yet in {home.path}'}")
    return 0


class Queues:
    """Why jobs that were launched on a cluster have not begun, looked up once for each batch."""

    def __init__(self, reader: Reader) -> None:
        """`reader` is kept open by the caller."""
        self._reader = reader
        self._clusters = {target.name for target in reader.lookups.targets() if target.is_cluster}

    def __call__(self, line: JobLine) -> str | None:
        """In words; None for a job that no cluster has in its queue."""
        if line.state != _LAUNCHING or line.target not in self._clusters:
            return None
        place = newest_place(self._reader, line.id, line.attempt)
        if place is None:
            return None
        state = place.batch.state
        reason = "" if isinstance(state, ClosedBatch) else state.reason
        queued = isinstance(state, SubmittedBatch)
        return waiting_text(reason) if reason else "in the cluster's queue" if queued else "to be submitted"


def _state(text: str) -> str:
    if text in STATES:
        return text
    from difflib import get_close_matches  # noqa: PLC0415 - needed only to word this error

    close = get_close_matches(text, STATES, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"the states are: {', '.join(STATES)}"
    raise BadInput(f"there is no state {shown(text)}", where="--state", remedy=remedy)


def _chosen(reader: Reader, texts: Sequence[str]) -> list[int]:
    return [job for text in texts for job in reader.find_jobs(text)]


def _condition(chosen: list[int], states: Sequence[str], limit: int | None) -> tuple[str, tuple[int | str, ...]]:
    """The SQL condition and its values; a list of any length is one value."""
    terms: list[str] = []
    values: list[int | str] = []
    for column, wanted in (("id", chosen), ("state", states)):
        if wanted:
            terms.append(f"{column} in (select value from json_each(?))")  # noqa: S608 - the columns are ours
            values.append(msgspec.json.encode(wanted).decode())
    where = " and ".join(terms)
    if limit is not None:
        newest = f"select id from job where {where or 'true'} order by id desc limit ?"  # noqa: S608 - the terms are ours
        where = f"id in ({newest})"
        values.append(limit)
    return where, tuple(values)
