"""The views afresh from the log, in one transaction: before it or after it, never between (promise P4)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import apsw

from holdfast.events.facts import Event
from holdfast.events.records import Job

from .errors import DamagedLog
from .fold import BoundedFold, Fold, fold_log
from .lookups import Lookups
from .reading import newest_seq, read_facts, views_seq
from .statements import transaction
from .views import clear_views, write_views

# So many jobs are kept in memory; those that were written are read again from the views when an event changes them.
JOBS_MAX: Final = 50_000


class Written:
    """What a fold wrote into the views and forgot; a job that it never saw is not looked for there."""

    def __init__(self, views: apsw.Connection) -> None:
        """`views`: a connection that stays open."""
        self._lookups = Lookups(views, "")
        self.newest_job = 0
        """The highest id that was written."""

    def note(self, fold: Fold) -> None:
        """Take in that everything in `fold` was written."""
        self.newest_job = max(self.newest_job, max(fold.jobs.changed, default=0))

    def job(self, job: int, /) -> Job | None:
        """The job as written, or None."""
        return self._lookups.job(job) if job <= self.newest_job else None


def check_end(connection: apsw.Connection, path: Path) -> None:
    """Raise DamagedLog if the views have followed events that the log does not hold."""
    newest, followed = newest_seq(connection), views_seq(connection)
    if followed > newest:
        raise DamagedLog(path, f"it ends with event {newest}, but there were {followed} when it was last written")


def rebuild(connection: apsw.Connection, path: Path) -> int:
    """Empty the views and fold the whole log into them; returns how many events it took.

    Raises DamagedLog, with the views left as they were, if the log can't be folded, or has lost events that the views
    have followed: what they know of those would be gone as well.
    """
    with transaction(connection):
        check_end(connection, path)
        clear_views(connection)
        return fold_into(connection, read_facts(connection, path), path)


def fold_into(
    views: apsw.Connection, facts: Iterable[tuple[int, int, Event]], path: Path, jobs_max: int = JOBS_MAX
) -> int:
    """Fold the log at `path` into empty views, inside the caller's transaction; returns the last event's seq.

    `facts`: its events as `read_facts` gives them. `jobs_max` bounds the memory it takes. Raises DamagedLog for an
    event that can't follow those before it.
    """
    written = Written(views)
    fold = BoundedFold(written.job)

    def write() -> None:
        write_views(views, fold.changes(), fold.numbered)
        written.note(fold)
        fold.forget()

    seq = fold_log(fold, facts, path, write, jobs_max)
    if seq:
        write()
    return seq
