"""How the jobs that a `run` sees to stand, kept up by commits: counts, what went wrong, whether anything can start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from holdfast.events.records import Job
from holdfast.events.spec import FUNCTIONS
from holdfast.events.states import FINAL, Cancelled, Failed, Lost, Ready, Skipped, name_of
from holdfast.store.lookups import LIVE_STATES
from holdfast.store.reader import Reader
from holdfast.store.statements import first, number, select, snapshot

Terms = tuple[str, tuple[int | str, ...]]

_WRONG: Final = (
    "(state in ('failed', 'cancelled', 'lost') or state = 'skipped' and coalesce(data ->> '$.state.unneeded', 0) = 0)"
)
_WRONG_STATES: Final = ("failed", "cancelled", "lost", "skipped")
_IDLE: Final = frozenset({"waiting", "held"})
_CALLS: Final = f"state = 'ready' and data ->> '$.policy.target' = '{FUNCTIONS}'"
_IN_FLIGHT_AT: Final = (
    "select count(*) from job where activity > 0 and state in ('launching', 'running', 'unknown') "
    "and data ->> '$.policy.target' = ?"
)
_AMONG: Final = "id in (select value from json_each(?))"


def went_wrong(job: Job) -> bool:
    """Whether the job ended otherwise than one would wish."""
    state = job.state
    return isinstance(state, Failed | Cancelled | Lost) or (isinstance(state, Skipped) and not state.unneeded)


def at_clusters(reader: Reader) -> dict[str, int]:
    """How many jobs are in the hands of each cluster, where they go on without a supervisor."""
    clusters = [target.name for target in reader.lookups.targets() if target.slurm is not None]
    return {name: count for name in clusters if (count := number(reader.connection, _IN_FLIGHT_AT, (name,)))}


def waiting_calls(reader: Reader) -> int:
    """How many jobs are ready to call a function, which only the program that has it can do."""
    return number(reader.connection, f"select count(*) from job where activity > 0 and {_CALLS}")  # noqa: S608 - ours


class Watch:
    """The jobs of one flow, or (flow None) all that were unfinished when it began or have changed since.

    It knows each that has not ended; of the others only how many ended how, so its size is that of what lives (P9).
    """

    def __init__(self, reader: Reader, flow: str | None, also: Sequence[int] = (), began: int | None = None) -> None:
        """`also`: jobs of other flows that this one's keys stand for; `began`: a seq, that of now unless given."""
        self.flow = flow
        self.counts: Counter[str] = Counter()
        self.stale = False
        self._also = frozenset(also)
        self._began = reader.seq if began is None else began
        self._live: dict[int, str] = {}
        self._calls: set[int] = set()
        self._newest = 0
        self._of_flow = _ids_of(reader, flow)
        self.refresh(reader)

    def refresh(self, reader: Reader) -> None:
        """Count anew what the views say."""
        counts: Counter[str] = Counter()
        self.stale = False
        with snapshot(reader.connection):
            self._newest = number(reader.connection, "select max(id) from job")
            self._live = {}
            self._calls = set()
            for where, values in self._members(f"state in ({LIVE_STATES})", "activity > 0"):
                sql = f"select id, state from job where {where}"  # noqa: S608 - the conditions are ours
                self._live.update(select(reader.connection, tuple[int, str], sql, values))
            for where, values in self._members(f"state not in ({LIVE_STATES})", "activity = 0 and last > ?"):
                sql = f"select state, count(*) from job where {where} group by state"  # noqa: S608 - the conditions are ours
                counts.update(dict(select(reader.connection, tuple[str, int], sql, values)))
            for where, values in self._members(_CALLS, f"activity > 0 and {_CALLS}"):
                sql = f"select id from job where {where}"  # noqa: S608 - the conditions are ours
                self._calls.update(row[0] for row in select(reader.connection, tuple[int], sql, values))
        counts.update(self._live.values())
        self.counts = counts

    def _members(self, in_flow: str, in_home: str) -> list[Terms]:
        """Conditions for the jobs watched, with one more for those of a flow, or of all; and their values."""
        if self.flow is None:
            return [(in_home, (self._began,) if "?" in in_home else ())]
        also = msgspec.json.encode(sorted(self._also)).decode()
        terms: list[Terms] = [(f"flow = ? and {in_flow}", (self.flow,))]
        return [*terms, (f"{_AMONG} and {in_flow}", (also,))] if self._also else terms

    def note(self, job: Job) -> bool:
        """Take in a job that changed; whether it is one that has just gone wrong."""
        if self.flow is not None and job.id not in self._of_flow and job.id not in self._also:
            return False
        state = name_of(job.state)
        before = self._live.pop(job.id, None)
        self._calls.discard(job.id)
        if before is not None:
            self.counts[before] -= 1
        elif job.id <= self._newest:
            self.stale = True  # it had ended, somehow, and was retried
        self._newest = max(self._newest, job.id)
        self.counts[state] += 1
        if not isinstance(job.state, FINAL):
            self._live[job.id] = state
            if isinstance(job.state, Ready) and job.policy.target == FUNCTIONS:
                self._calls.add(job.id)
            return False
        return went_wrong(job)

    @property
    def unfinished(self) -> int:
        """How many have not ended."""
        return len(self._live)

    @property
    def stuck(self) -> bool:
        """Whether those left are held, or wait for others or for their program: nothing of them is about to start."""
        return all(state in _IDLE or job in self._calls for job, state in self._live.items())

    @property
    def calls(self) -> int:
        """How many are ready to call a function, which only the program that has it can do."""
        return len(self._calls)

    def anything_wrong(self, reader: Reader) -> bool:
        """Whether one of them ended otherwise than one would wish; of a flow's also before this watch began."""
        if not any(self.counts[state] for state in _WRONG_STATES):
            return False
        conditions = self._members(_WRONG, f"last > ? and {_WRONG}")
        return any(next(reader.jobs(where, values), None) is not None for where, values in conditions)


def _ids_of(reader: Reader, flow: str | None) -> range:
    """The ids of a flow's own jobs, which are submitted at once and so follow one another."""
    sql = "select coalesce(min(id), 0), coalesce(max(id), -1) from job where flow = ?"
    row = first(reader.connection, tuple[int, int], sql, (flow,))
    return range(0) if row is None else range(row[0], row[1] + 1)
