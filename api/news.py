"""What those who wait for jobs must know of the log: which of them live, and which have changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from holdfast.events.draft import Draft
from holdfast.events.errors import BadInput
from holdfast.events.facts import SupervisorStarted
from holdfast.events.records import Job
from holdfast.store.reader import Reader
from holdfast.store.statements import select

_CHUNK: Final = 500
_STATES: Final = "select id, activity from job where id in ({})"
_CHANGED: Final = "select distinct data ->> 'job' from events where seq > ? and data ->> 'job' is not null"


def starts_anew(draft: Draft) -> bool:
    """Whether a scheduler begins with this commit. What the one before it committed last, it may have told nobody."""
    return type(draft.entries[0].event) is SupervisorStarted


def live_among(reader: Reader, jobs: Sequence[int]) -> list[int]:
    """Those of the jobs that have not ended. Raises BadInput if one is unknown."""
    live: list[int] = []
    for start in range(0, len(jobs), _CHUNK):
        chunk = jobs[start : start + _CHUNK]
        sql = _STATES.format(", ".join("?" * len(chunk)))
        activities = dict(select(reader.connection, tuple[int, int], sql, tuple(chunk)))
        for job in chunk:
            if job not in activities:
                raise BadInput(f"there is no job {job} in this home", remedy="`holdfast jobs` lists them")
        live += [job for job in chunk if activities[job]]
    return live


def changed_since(reader: Reader, seq: int) -> list[Job]:
    """The jobs of which the log says something after `seq`, as they are now."""
    numbers = [row[0] for row in select(reader.connection, tuple[int], _CHANGED, (seq,))]
    jobs = (reader.lookups.job(number) for number in numbers)
    return [job for job in jobs if job is not None]
