"""The jobs as they stood after some event, folded from the log alone, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.codec import encode

from .fold import BoundedFold, Fold, fold_log
from .listing import JobLine, line_of_head, list_jobs
from .reading import ALL, read_facts
from .rebuild import Written
from .statements import run, run_many

# So many jobs are kept in memory, about a kilobyte each; of more, those so far are put away on disk.
JOBS_MAX: Final = 100_000

# As much of the view of the same name as `list_jobs` and `Lookups.job` read.
_TABLE: Final = "create table job (id integer primary key, submitted_at, name, flow, data)"
_INSERT: Final = "insert into job (id, submitted_at, name, flow, data) values (?, ?, ?, ?, ?)"
_UPDATE: Final = "update job set data = ? where id = ?"


def replay(log: apsw.Connection, path: Path, until: int = ALL, jobs_max: int = JOBS_MAX) -> Iterator[JobLine]:
    """The jobs after event `until` of the log at `path`, by id: folded at once, made into lines as they are asked for.

    Raises DamagedLog or Unavailable.
    """
    # A name of "" is a private file on disk that is gone when the connection is closed.
    shelf = apsw.Connection("")
    run(shelf, _TABLE)
    run(shelf, "pragma journal_mode = off")
    run(shelf, "begin")
    written = Written(shelf)
    fold = BoundedFold(written.job)

    def put_away() -> None:
        _put_away(fold, shelf)
        written.note(fold)
        fold.forget()

    fold_log(fold, read_facts(log, path, until), path, put_away, jobs_max)
    if not written.newest_job:
        shelf.close()
        heads = fold.numbered.heads
        return (line_of_head(job, heads[number]) for number, job in sorted(fold.jobs.changed.items()))
    put_away()
    return list_jobs(shelf)


def _put_away(fold: Fold, shelf: apsw.Connection) -> None:
    jobs, heads = fold.jobs.changed, fold.numbered.heads
    new = ((number, head[1], head[2], head[3], encode(jobs[number])) for number, head in heads.items())
    run_many(shelf, _INSERT, new)
    run_many(shelf, _UPDATE, ((encode(job), number) for number, job in jobs.items() if number not in heads))
