"""Single records and what hangs on them, read from the views: the `Base` of a draft when no supervisor lives, and the
fallback of the scheduler's memory for what has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

import apsw
import msgspec

from holdfast.events.capacity import take
from holdfast.events.draft import Dependency
from holdfast.events.facts import JobSubmitted
from holdfast.events.graph import Kind
from holdfast.events.records import Attempt, Flow, Job, Limit, Policy, RateMark, Target
from holdfast.events.spec import JobSpec
from holdfast.events.states import IN_FLIGHT, LIVE, NAMES

T = TypeVar("T")

_JOB: Final = msgspec.json.Decoder(Job)
_ATTEMPT: Final = msgspec.json.Decoder(Attempt)
_TARGET: Final = msgspec.json.Decoder(Target)
_LIMIT: Final = msgspec.json.Decoder(Limit)
_MARK: Final = msgspec.json.Decoder(RateMark)
_FLOW: Final = msgspec.json.Decoder(Flow)
_SUBMITTED: Final = msgspec.json.Decoder(JobSubmitted)

_KINDS: Final = tuple(Kind)
_POLICIES_MAX: Final = 10_000
_CHUNK: Final = 500

LIVE_STATES: Final = ", ".join(f"'{NAMES[state]}'" for state in LIVE)
_FLIGHT_STATES: Final = ", ".join(f"'{NAMES[state]}'" for state in IN_FLIGHT)


class Lookups:
    """Reads from the views through a connection that the caller keeps open; see `Base` for what each means."""

    def __init__(self, connection: apsw.Connection, home: str) -> None:
        self._connection = connection
        self.home = home
        self._policies: dict[Policy, Policy] = {}

    def _one(self, decoder: msgspec.json.Decoder[T], sql: str, *key: str | int) -> T | None:
        row = self._connection.execute(sql, key).fetchone()
        return None if row is None else decoder.decode(row[0])

    def job(self, job: int, /) -> Job | None:
        found = self._one(_JOB, "select data from job where id = ?", job)
        return None if found is None else self._with_shared_policy(found)

    def attempt(self, key: tuple[int, int], /) -> Attempt | None:
        return self._one(_ATTEMPT, "select data from attempt where job = ? and number = ?", *key)

    def target(self, name: str, /) -> Target | None:
        return self._one(_TARGET, "select data from target where name = ?", name)

    def limit(self, name: str, /) -> Limit | None:
        return self._one(_LIMIT, "select data from limit_ where name = ?", name)

    def mark(self, key: str, /) -> RateMark | None:
        return self._one(_MARK, "select data from rate_mark where key = ?", key)

    def flow(self, flow: str, /) -> Flow | None:
        return self._one(_FLOW, "select data from flow where id = ?", flow)

    def shared(self, policy: Policy, /) -> Policy:
        found = self._policies.get(policy)
        if found is None:
            if len(self._policies) >= _POLICIES_MAX:
                self._policies.clear()
            found = self._policies[policy] = policy
        return found

    def _with_shared_policy(self, job: Job) -> Job:
        return Job(job.id, self.shared(job.policy), job.state, job.priority, job.attempt, job.failures)

    def dependents(self, job: int, /) -> Sequence[Dependency]:
        rows = self._connection.execute("select job, needed, kind from dependency where needed = ?", (job,))
        return [Dependency(row[0], row[1], _KINDS[row[2]]) for row in rows]

    def dependencies(self, job: int, /) -> Sequence[Dependency]:
        rows = self._connection.execute("select job, needed, kind from dependency where job = ?", (job,))
        return [Dependency(row[0], row[1], _KINDS[row[2]]) for row in rows]

    def unmet(self, job: int, /) -> int | None:
        del job
        return None

    def used(self, target: str, /) -> dict[str, int]:
        used: dict[str, int] = {}
        for job in self.in_flight(target):
            take(used, job.policy.needs)
        return used

    def in_flight(self, target: str, /) -> Sequence[Job]:
        # The partial index on live jobs serves this: its terms are repeated so that SQLite sees that it may.
        rows = self._connection.execute(
            f"select data from job where state in ({LIVE_STATES}) and state in ({_FLIGHT_STATES})"  # noqa: S608
        )
        jobs = (self._with_shared_policy(_JOB.decode(row[0])) for row in rows)
        return [job for job in jobs if job.policy.target == target]

    def next_job(self) -> int:
        return self._number("select max(id) from job") + 1

    def next_flow(self) -> int:
        return self._number("select max(number) from flow") + 1

    def _number(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        assert row is not None, "an aggregate gives one row"
        return row[0] or 0

    def jobs_by_key(self, keys: Iterable[str], /) -> dict[str, int]:
        wanted = list(keys)
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            marks = ", ".join("?" * len(part))
            found.update(self._connection.execute(f"select key, id from job where key in ({marks})", part))  # noqa: S608
        return found

    def unfinished_flow(self, digest: str, /) -> str | None:
        row = self._connection.execute(
            "select id from flow where digest = ? and exists "  # noqa: S608 - the states are ours
            f"(select 1 from job where job.flow = flow.id and job.state in ({LIVE_STATES})) "
            "order by number desc limit 1",
            (digest,),
        ).fetchone()
        return None if row is None else row[0]

    # What a restart reads: what is alive, not what ever happened.

    def live_jobs(self) -> Iterator[Job]:
        """Every job that has not ended, by id."""
        rows = self._connection.execute(f"select data from job where state in ({LIVE_STATES}) order by id")  # noqa: S608
        return (self._with_shared_policy(_JOB.decode(row[0])) for row in rows)

    def live_edges(self) -> Iterator[Dependency]:
        """What depends on a job that has not ended."""
        rows = self._connection.execute(
            "select d.job, d.needed, d.kind from job n join dependency d on d.needed = n.id "  # noqa: S608
            f"where n.state in ({LIVE_STATES}) order by d.needed, d.job, d.kind"
        )
        return (Dependency(row[0], row[1], _KINDS[row[2]]) for row in rows)

    def targets(self) -> list[Target]:
        """All targets."""
        return [_TARGET.decode(row[0]) for row in self._connection.execute("select data from target order by name")]

    def limits(self) -> list[Limit]:
        """All limits."""
        return [_LIMIT.decode(row[0]) for row in self._connection.execute("select data from limit_ order by name")]

    def marks(self) -> list[RateMark]:
        """All rate marks."""
        return [_MARK.decode(row[0]) for row in self._connection.execute("select data from rate_mark order by key")]

    def specs(self, jobs: Sequence[int]) -> dict[int, JobSpec]:
        """What was asked for, for each of these jobs."""
        execute = self._connection.execute
        found: dict[int, JobSpec] = {}
        for job in jobs:
            row = execute("select e.data from job j join events e on e.seq = j.seq where j.id = ?", (job,)).fetchone()
            if row is not None:
                found[job] = _SUBMITTED.decode(row[0]).spec
        return found
