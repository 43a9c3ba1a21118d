"""Single records and what hangs on them, read from the views.

The `Base` of a draft when no supervisor lives, and the fallback of the scheduler's memory for what has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias, TypeVar

import apsw
import msgspec

from holdfast.events.capacity import take
from holdfast.events.codec import decode_event
from holdfast.events.draft import Dependency
from holdfast.events.errors import Damaged
from holdfast.events.evolve import phase_of
from holdfast.events.facts import AttemptBatched, AttemptLaunched, BatchPlanned, JobSubmitted
from holdfast.events.graph import Kind
from holdfast.events.records import Attempt, Batch, Flow, Job, Limit, Policy, RateMark, Target
from holdfast.events.spec import JobSpec
from holdfast.events.states import LIVE, NAMES

from .statements import first, number, select
from .views import decode

T = TypeVar("T")

_JOB: Final = msgspec.json.Decoder(Job)
_TARGET: Final = msgspec.json.Decoder(Target)
_LIMIT: Final = msgspec.json.Decoder(Limit)
_MARK: Final = msgspec.json.Decoder(RateMark)
_FLOW: Final = msgspec.json.Decoder(Flow)
_BATCH: Final = msgspec.json.Decoder(Batch)
_BATCHED: Final = msgspec.json.Decoder(AttemptBatched)
_PLANNED: Final = msgspec.json.Decoder(BatchPlanned)
_SUBMITTED: Final = msgspec.json.Decoder(JobSubmitted)

_KINDS: Final = tuple(Kind)
_POLICIES_MAX: Final = 10_000
_CHUNK: Final = 500

_DATA: Final[type[tuple[str, ...]]] = tuple[str]
_Row: TypeAlias = tuple[str, int, str, int, int]
_OF_ATTEMPT: Final[type[_Row]] = tuple[str, int, str, int, int]
_JOB_ROW: Final[type[tuple[str, int]]] = tuple[str, int]
_EDGE: Final[type[tuple[int, int, int]]] = tuple[int, int, int]

_STEP: Final = "select e.data ->> 'result' from step s join events e on e.seq = s.seq where s.name = ? and s.key = ?"

LIVE_STATES: Final = ", ".join(f"'{NAMES[state]}'" for state in LIVE)

# Each repeats the term of a partial index, so that SQLite sees that it may use it.
LIVE_JOBS: Final = (
    "select data, id from job where activity > 0 and activity = 1 union all "
    "select data, id from job where activity > 0 and activity = 2 order by id"
)
JOBS_IN_FLIGHT: Final = "select data, id from job where activity > 0 and activity = 2 order by id"
LIVE_EDGES: Final = (
    "select d.job, d.needed, d.kind from job n indexed by job_live join dependency d on d.needed = n.id "
    "where n.activity > 0 order by n.id, d.job, d.kind"
)
UNFINISHED_FLOW: Final = (
    "select id from flow where digest = ? and exists "
    "(select 1 from job where job.flow = flow.id and job.activity > 0) order by number desc limit 1"
)
_NAMES_OF_SECRETS: Final = (
    "select distinct s.value from job j indexed by job_live join events e on e.seq = j.seq "
    "join json_each(e.data, '$.spec.secrets') s where j.activity > 0"
)
OPEN_BATCHES: Final = "select data from batch where open = 1 and target = ? order by name"
SCRIPT: Final = "select e.data from batch b join events e on e.seq = b.planned where b.name = ?"
NEWEST_BATCHED: Final = "select data from events where job = ? and type = 'attempt_batched' order by seq desc limit 1"
# Their launches, and whatever put them in another phase. The JSON is asked only of those that are of such a type.
_OF_ATTEMPTS: Final = (
    "select type, version, data, time, data ->> 'attempt' from events where job = ? "
    "and type in ('attempt_launched', 'attempt_started', 'attempt_ended', 'attempt_revoked')"
)
EVENTS_OF_ATTEMPT: Final = f"{_OF_ATTEMPTS} and data ->> 'attempt' = ? order by seq"
EVENTS_OF_ATTEMPTS: Final = f"{_OF_ATTEMPTS} order by seq"


class Lookups:
    """Reads from the views through a connection that the caller keeps open; see `Base` for what each means.

    Every method raises Unavailable if the log can't be read, and DamagedView for a row that holds no record.
    """

    def __init__(self, connection: apsw.Connection, home: str) -> None:
        """`home` is the home's id."""
        self._connection = connection
        self.home = home
        self._policies: dict[Policy, Policy] = {}

    def _one(self, decoder: msgspec.json.Decoder[T], sql: str, *key: str | int) -> T | None:
        row = first(self._connection, _DATA, sql, key)
        return None if row is None else decode(decoder, row[0])

    def _all(self, decoder: msgspec.json.Decoder[T], sql: str) -> list[T]:
        return [decode(decoder, row[0]) for row in select(self._connection, _DATA, sql)]

    def _jobs(self, sql: str) -> Iterator[Job]:
        return (self._with_shared_policy(decode(_JOB, row[0])) for row in select(self._connection, _JOB_ROW, sql))

    def _edges(self, sql: str, *values: int) -> Iterator[Dependency]:
        rows = select(self._connection, _EDGE, sql, values)
        return (Dependency(row[0], row[1], _KINDS[row[2]]) for row in rows)

    def job(self, job: int, /) -> Job | None:
        """See `Base`."""
        found = self._one(_JOB, "select data from job where id = ?", job)
        return None if found is None else self._with_shared_policy(found)

    def attempt(self, key: tuple[int, int], /) -> Attempt | None:
        """See `Base`."""
        rows = list(select(self._connection, _OF_ATTEMPT, EVENTS_OF_ATTEMPT, key))
        return _attempt(key[0], rows) if rows else None

    def attempts(self, job: int) -> Iterator[Attempt]:
        """All of a job by number, read at once: one by one, each would read the events of all."""
        rows = select(self._connection, _OF_ATTEMPT, EVENTS_OF_ATTEMPTS, (job,))
        return (_attempt(job, list(its)) for _, its in groupby(rows, key=itemgetter(4)))

    def target(self, name: str, /) -> Target | None:
        """See `Base`."""
        return self._one(_TARGET, "select data from target where name = ?", name)

    def limit(self, name: str, /) -> Limit | None:
        """See `Base`."""
        return self._one(_LIMIT, "select data from limit_ where name = ?", name)

    def mark(self, key: str, /) -> RateMark | None:
        """See `Base`."""
        return self._one(_MARK, "select data from rate_mark where key = ?", key)

    def flow(self, flow: str, /) -> Flow | None:
        """See `Base`."""
        return self._one(_FLOW, "select data from flow where id = ?", flow)

    def batch(self, name: str, /) -> Batch | None:
        """See `Base`."""
        return self._one(_BATCH, "select data from batch where name = ?", name)

    def step(self, place: tuple[str, str], /) -> str | None:
        """See `Base`."""
        row = first(self._connection, _DATA, _STEP, place)
        return None if row is None else row[0]

    def shared(self, policy: Policy, /) -> Policy:
        """See `Base`."""
        found = self._policies.get(policy)
        if found is None:
            if len(self._policies) >= _POLICIES_MAX:
                self._policies.clear()
            found = self._policies[policy] = policy
        return found

    def _with_shared_policy(self, job: Job) -> Job:
        policy = self.shared(job.policy)
        return Job(job.id, policy, job.state, job.priority, job.attempt, job.failures, job.allocation)

    def dependents(self, job: int, /) -> Sequence[Dependency]:
        """See `Base`; by job."""
        return list(self._edges("select job, needed, kind from dependency where needed = ? order by job, kind", job))

    def dependencies(self, job: int, /) -> Sequence[Dependency]:
        """See `Base`; by the job that is needed."""
        return list(self._edges("select job, needed, kind from dependency where job = ? order by needed, kind", job))

    def unmet(self, job: int, /) -> int | None:
        """See `Base`: not kept here."""
        del job
        return None

    def used(self, target: str, /) -> dict[str, int]:
        """See `Base`."""
        used: dict[str, int] = {}
        for job in self.in_flight(target):
            take(used, job.policy.needs)
        return used

    def in_flight(self, target: str, /) -> Sequence[Job]:
        """See `Base`; by id."""
        return [job for job in self._jobs(JOBS_IN_FLIGHT) if job.place == target]

    def next_job(self) -> int:
        """See `Base`."""
        return number(self._connection, "select max(id) from job") + 1

    def next_flow(self) -> int:
        """See `Base`."""
        return number(self._connection, "select max(number) from flow") + 1

    def jobs_by_key(self, keys: Iterable[str], /) -> dict[str, int]:
        """See `Base`."""
        wanted = list(keys)
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            sql = f"select key, id from job where key in ({', '.join('?' * len(part))})"  # noqa: S608 - only marks
            found.update(select(self._connection, tuple[str, int], sql, part))
        return found

    def unfinished_flow(self, digest: str, /) -> str | None:
        """See `Base`."""
        row = first(self._connection, _DATA, UNFINISHED_FLOW, (digest,))
        return None if row is None else row[0]

    # What a restart reads: what is alive, not what ever happened.

    def live_jobs(self) -> Iterator[Job]:
        """See `LiveBase`."""
        return self._jobs(LIVE_JOBS)

    def live_edges(self) -> Iterator[Dependency]:
        """See `LiveBase`."""
        return self._edges(LIVE_EDGES)

    def targets(self) -> list[Target]:
        """See `Base`; by name."""
        return self._all(_TARGET, "select data from target order by name")

    def limits(self) -> list[Limit]:
        """See `LiveBase`; by name."""
        return self._all(_LIMIT, "select data from limit_ order by name")

    def marks(self) -> list[RateMark]:
        """See `LiveBase`; by key."""
        return self._all(_MARK, "select data from rate_mark order by key")

    def specs(self, jobs: Sequence[int]) -> dict[int, JobSpec]:
        """See `LiveBase`."""
        found: dict[int, JobSpec] = {}
        for start in range(0, len(jobs), _CHUNK):
            part = jobs[start : start + _CHUNK]
            marks = ", ".join("?" * len(part))
            sql = f"select j.id, e.data from job j join events e on e.seq = j.seq where j.id in ({marks})"  # noqa: S608
            rows = select(self._connection, tuple[int, str], sql, part)
            found.update((job, decode(_SUBMITTED, data).spec) for job, data in rows)
        return found

    def secret_names(self) -> set[str]:
        """See `LiveBase`."""
        return {row[0] for row in select(self._connection, _DATA, _NAMES_OF_SECRETS)}

    def open_batches(self, target: str) -> list[Batch]:
        """See `LiveBase`."""
        rows = select(self._connection, _DATA, OPEN_BATCHES, (target,))
        return [decode(_BATCH, row[0]) for row in rows]

    def script(self, batch: str) -> str | None:
        """See `LiveBase`."""
        planned = self._one(_PLANNED, SCRIPT, batch)
        return None if planned is None else planned.script

    def batched(self, jobs: Sequence[int]) -> dict[int, AttemptBatched]:
        """See `LiveBase`."""
        found = ((job, self._one(_BATCHED, NEWEST_BATCHED, job)) for job in jobs)
        return {job: event for job, event in found if event is not None}


def _attempt(job: int, rows: Sequence[_Row]) -> Attempt:
    """From the events that put it in its phases, of which there is one at least."""
    launch, phase = decode_event(*rows[0][:3]), phase_of(decode_event(*rows[-1][:3]))
    if not isinstance(launch, AttemptLaunched) or phase is None:
        raise Damaged(f"the log says what became of attempt {rows[0][4]} of job {job}, and not that it was launched")
    return Attempt(launch.job, launch.attempt, launch.token, launch.target, rows[0][3], phase, launch.after)
