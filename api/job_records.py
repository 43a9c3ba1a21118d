"""What is known of a job, as a Python program gets it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

from holdfast.events.errors import BadInput, HoldfastError
from holdfast.events.records import Ended, Outcome
from holdfast.store.listing import JobLine
from holdfast.store.reader import Reader

from .kinds import value_of

if TYPE_CHECKING:
    from typing_extensions import TypeForm

_US: Final = 1_000_000

T = TypeVar("T")


class JobRecord(Struct, frozen=True):
    """A job as it stands: its line in `holdfast jobs`, and what its newest attempt used.

    `state` is one of those in docs/lifecycle.md; times are in UTC, None where not yet. `signal`: what killed it.
    `cpu_s`: processor time of all its processes. `memory_bytes`: the largest that one of them was. `result`: what a
    function returned, as JSON text. Of a cluster: `word` is Slurm's own for the end, such as "NODE_FAIL", `nodes` names
    those it ran on, and `queued_s` is its time in the queue.
    """

    id: int
    name: str
    flow: str | None
    state: str
    target: str
    attempt: int
    exit_code: int | None
    reason: str | None
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    signal: int | None = None
    cpu_s: float | None = None
    memory_bytes: int | None = None
    result: str | None = None
    word: str | None = None
    nodes: str | None = None
    queued_s: float | None = None

    def result_as(self, kind: TypeForm[T]) -> T:
        """What the function returned, as a value of `kind`: a type such as `Size`, `list[int]` or `int | None`.

        Raises JobFailed if the job did not succeed, BadInput if its result is of another kind, or if it has none.
        """
        if not self.succeeded:
            raise JobFailed(self)
        if self.result is None:
            raise BadInput(f"job {self.id} has no result", remedy="only calls of functions have one")
        return value_of(self.result, kind, f"the result of job {self.id}")

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.state == "succeeded"

    @property
    def ended(self) -> bool:
        """Whether it has ended, well or not."""
        return self.ended_at is not None


class JobFailed(HoldfastError):
    """A job was to have a result, and did not succeed; `record` says how it ended."""

    exit_code = 1

    def __init__(self, record: JobRecord) -> None:
        why = f": {record.reason}" if record.reason else ""
        super().__init__(f"job {record.id} has no result, because it is {record.state}{why}")
        self.record = record


def record_of(reader: Reader, job: int) -> JobRecord:
    """The job as it stands now. Raises BadInput if there is none, Damaged or Unavailable."""
    reader.find_jobs(str(job))
    (line,) = reader.jobs("id = ?", (job,))
    attempt = reader.lookups.attempt((job, line.attempt)) if line.attempt else None
    outcome = attempt.phase.outcome if attempt is not None and isinstance(attempt.phase, Ended) else None
    return _record(line, outcome)


def _record(line: JobLine, outcome: Outcome | None) -> JobRecord:
    return JobRecord(
        line.id,
        line.name,
        line.flow,
        line.state,
        line.target,
        line.attempt,
        line.exit_code,
        line.reason,
        datetime.fromisoformat(line.submitted_at),
        _moment(line.started_at),
        _moment(line.ended_at),
        None if outcome is None else outcome.signal,
        None if outcome is None or outcome.cpu_us is None else outcome.cpu_us / _US,
        None if outcome is None else outcome.memory_bytes,
        None if outcome is None else outcome.result,
        None if outcome is None else outcome.word,
        None if outcome is None else outcome.nodes,
        None if outcome is None or outcome.queued_us is None else outcome.queued_us / _US,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
