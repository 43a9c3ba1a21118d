"""Reading a home beside a running supervisor: events from any position, jobs, and a tail that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

import apsw

from holdfast.events.errors import BadInput
from holdfast.events.facts import Event

from .connection import open_reader
from .contract import StoredEvent
from .errors import NoHome
from .home import Home, check_unused
from .listing import JobLine, list_jobs
from .lookups import LIVE_STATES, Lookups
from .migrations import check_readable
from .reading import ALL, COLUMNS, LINE, home_id, newest_seq, read_events
from .replaying import replay
from .statements import Value, first, number, select

FOLLOW_S: Final = 0.05
_NAMED_MAX: Final = 5
EVENTS_OF_JOB: Final = f"select {COLUMNS} from events where job = ? and seq > ? order by seq"  # noqa: S608


class Reader:
    """A home opened for reading only; use it in a `with`. Raises NoHome, Damaged (also where a log was) or Unavailable.

    A home of which nothing is recorded yet, because it is just being made, counts as none.
    """

    def __init__(self, home: Home) -> None:
        """Open the log of `home`; what is read holds the connection until `with` is left."""
        home.must_exist()
        self.home = home
        self._connection = open_reader(home.log)
        try:
            self.lookups = Lookups(self._connection, _home_id(self._connection, home))
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it, where a `with` can't."""
        self._connection.close()

    @property
    def connection(self) -> apsw.Connection:
        """The connection, for queries of one place only."""
        return self._connection

    @property
    def seq(self) -> int:
        """The position of the newest event. Raises Unavailable."""
        return newest_seq(self._connection)

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        """The log after a position, of one moment. Raises Damaged or Unavailable."""
        return read_events(self._connection, self.home.log, after)

    def events_of(self, job: int, after: int = 0) -> list[StoredEvent]:
        """The events of one job after a position. Raises Unavailable."""
        return [StoredEvent(*row) for row in select(self._connection, LINE, EVENTS_OF_JOB, (job, after))]

    def follow(self, after: int, wait: Callable[[float], None]) -> Iterator[tuple[StoredEvent, Event]]:
        """The log after a position, and on as it grows; `wait(seconds)` is called between looks and may raise.

        Raises as `events`.
        """
        while True:
            for stored, event in read_events(self._connection, self.home.log, after):
                after = stored.seq
                yield stored, event
            wait(FOLLOW_S)

    def jobs(self, where: str = "", values: tuple[int | str, ...] = ()) -> Iterator[JobLine]:
        """Jobs as `jobs` shows them; `where` as for `list_jobs`. Raises Damaged or Unavailable."""
        return list_jobs(self._connection, where, values)

    def counts(self, flow: str | None = None) -> dict[str, int]:
        """How many jobs are in which state, of one flow or of all. Raises Unavailable."""
        condition, values = _of_flow(flow)
        sql = f"select state, count(*) from job where {condition} group by state"  # noqa: S608
        return dict(select(self._connection, tuple[str, int], sql, values))

    def unfinished(self, flow: str | None = None) -> int:
        """How many jobs have not ended, of one flow or of all. Raises Unavailable."""
        if flow is None:
            return number(self._connection, "select count(*) from job where activity > 0")
        sql = f"select count(*) from job where flow = ? and state in ({LIVE_STATES})"  # noqa: S608
        return number(self._connection, sql, (flow,))

    def find_jobs(self, text: str) -> list[int]:
        """The ids that a user's word for jobs means: an id, a name, `flow/name`, or a flow (all its jobs).

        Raises BadInput if there is none, or if a name is in several flows.
        """
        return _find(self._connection, text)

    def replay(self, until: int = ALL) -> Iterator[JobLine]:
        """The jobs as they stood after event `until`, from the log alone. Raises Damaged or Unavailable."""
        return replay(self._connection, self.home.log, until)


def _home_id(connection: apsw.Connection, home: Home) -> str:
    check_readable(connection, home.log)
    found = home_id(connection, home.log)
    if found is None:
        check_unused(home.log)
        raise NoHome(home.path)
    return found


def _of_flow(flow: str | None) -> tuple[str, tuple[str, ...]]:
    return ("true", ()) if flow is None else ("flow = ?", (flow,))


def _find(connection: apsw.Connection, text: str) -> list[int]:
    if text.isdecimal() and text.isascii():
        if first(connection, tuple[int], "select id from job where id = ?", (min(int(text), 2**63 - 1),)) is None:
            raise BadInput(f"there is no job {text} in this home", remedy="`holdfast jobs` lists them")
        return [int(text)]
    flow, slash, name = text.partition("/")
    # An empty name is no name: `flow/` and `` must not mean all the jobs that have none.
    found = _ids(connection, "flow = ? and name = ?", (flow, name)) if slash and name else []
    found = found or _ids(connection, "flow = ?", (text,))
    if found:
        return found
    found = _ids(connection, "name = ?", (text,)) if text else []
    if len(found) > 1:
        numbers = ", ".join(str(each) for each in found[:_NAMED_MAX]) + (", ..." if len(found) > _NAMED_MAX else "")
        problem = f"{len(found)} jobs are called {text!r}: {numbers}"
        raise BadInput(problem, remedy="name one by its id or as flow/name")
    if not found:
        raise BadInput(f"there is no job or flow {text!r} in this home", remedy="`holdfast jobs` lists them")
    return found


def _ids(connection: apsw.Connection, condition: str, values: tuple[Value, ...]) -> list[int]:
    sql = f"select id from job where {condition} order by id"  # noqa: S608 - the conditions are ours
    return [row[0] for row in select(connection, tuple[int], sql, values)]
