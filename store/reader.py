"""Reading a home beside a running supervisor: events from any position, jobs, and a tail that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

import apsw

from holdfast.events.errors import BadInput, IllegalMove
from holdfast.events.facts import Event

from .connection import open_reader, translated
from .contract import StoredEvent
from .errors import DamagedLog
from .fold import Fold
from .home import Home
from .listing import Heads, JobLine, list_jobs
from .lookups import LIVE_STATES, Lookups
from .migrations import check_schema, load_migrations
from .reading import home_id, newest_seq, read_events

FOLLOW_S: Final = 0.05
_EVENTS_OF_JOB: Final = (
    "select seq, time, type, version, author, cause, data from events "
    "where data ->> 'job' = ? and seq > ? order by seq"
)


class Reader:
    """A home opened for reading only; use it in a `with`. Raises NoHome, Damaged or Unavailable."""

    def __init__(self, home: Home) -> None:
        home.must_exist()
        self.home = home
        self._connection = open_reader(home.log)
        with translated(home.log):
            found = check_schema(self._connection, home.log)
            if found < len(load_migrations()):
                self._connection.close()
                raise DamagedLog(home.log, f"its schema {found} is old or its making was cut off; open it with `holdfast run`")
            self.lookups = Lookups(self._connection, home_id(self._connection, home.log) or "")

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @property
    def connection(self) -> apsw.Connection:
        """The connection, for queries of one place only."""
        return self._connection

    @property
    def seq(self) -> int:
        """The position of the newest event."""
        with translated(self.home.log):
            return newest_seq(self._connection)

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        """The log after a position. Raises Damaged."""
        return read_events(self._connection, self.home.log, after)

    def events_of(self, job: int, after: int = 0) -> list[StoredEvent]:
        """The events of one job after a position."""
        with translated(self.home.log):
            return [StoredEvent(*row) for row in self._connection.execute(_EVENTS_OF_JOB, (job, after))]

    def follow(self, after: int, wait: Callable[[float], None]) -> Iterator[tuple[StoredEvent, Event]]:
        """The log after a position, and on as it grows; `wait(seconds)` is called between looks and may raise."""
        while True:
            for stored, event in read_events(self._connection, self.home.log, after):
                after = stored.seq
                yield stored, event
            wait(FOLLOW_S)

    def jobs(self, where: str = "", values: tuple[int | str, ...] = ()) -> Iterator[JobLine]:
        """Jobs as `jobs` shows them; `where` as for `list_jobs`."""
        with translated(self.home.log):
            yield from list_jobs(self._connection, where, values)

    def counts(self, flow: str | None = None) -> dict[str, int]:
        """How many jobs are in which state, of one flow or of all."""
        condition, values = ("where flow = ?", (flow,)) if flow is not None else ("", ())
        sql = f"select state, count(*) from job {condition} group by state"  # noqa: S608
        with translated(self.home.log):
            return dict(self._connection.execute(sql, values))

    def unfinished(self, flow: str | None = None) -> int:
        """How many jobs have not ended, of one flow or of all."""
        condition, values = ("and flow = ?", (flow,)) if flow is not None else ("", ())
        sql = f"select count(*) from job where state in ({LIVE_STATES}) {condition}"  # noqa: S608
        with translated(self.home.log):
            row = self._connection.execute(sql, values).fetchone()
        assert row is not None, "an aggregate gives one row"
        return row[0]

    def find_jobs(self, text: str) -> list[int]:
        """The ids that a user's word for jobs means: an id, a name, `flow/name`, or a flow (all its jobs).

        Raises BadInput if there is none, or if a name is in several flows.
        """
        with translated(self.home.log):
            return _find(self._connection, text)

    def replay(self, until: Callable[[StoredEvent], bool] | None = None) -> list[JobLine]:
        """The jobs as they stood before the first event for which `until` is true. Raises Damaged."""
        fold = Fold()
        heads = Heads()
        for stored, event in self.events():
            if until is not None and until(stored):
                break
            try:
                fold.take(event, stored.seq, stored.time)
            except IllegalMove as error:
                raise DamagedLog(self.home.log, f"event {stored.seq} can't follow those before it: {error}") from error
            heads.note(event, stored.time)
        return [heads.line(fold.jobs.changed[job]) for job in sorted(fold.jobs.changed)]


def _find(connection: apsw.Connection, text: str) -> list[int]:
    if text.isdecimal() and text.isascii():
        rows = connection.execute("select id from job where id = ?", (min(int(text), 2**63 - 1),)).fetchall()
        if not rows:
            raise BadInput(f"there is no job {text} in this home", remedy="`holdfast jobs` lists them")
        return [rows[0][0]]
    flow, slash, name = text.partition("/")
    if slash:
        rows = connection.execute("select id from job where flow = ? and name = ?", (flow, name)).fetchall()
    else:
        rows = connection.execute("select id from job where flow = ? order by id", (text,)).fetchall()
        if not rows:
            rows = connection.execute("select id from job where name = ? order by id", (text,)).fetchall()
            if len(rows) > 1:
                numbers = ", ".join(str(row[0]) for row in rows[:5])
                problem = f"{len(rows)} jobs are called {text!r}: {numbers}"
                raise BadInput(problem, remedy="name one by its id or as flow/name")
    if not rows:
        raise BadInput(f"there is no job or flow {text!r} in this home", remedy="`holdfast jobs` lists them")
    return [row[0] for row in rows]
