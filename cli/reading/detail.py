"""A job with all that belongs to it, as `show --json` prints it: the fields of `jobs --json`, and many more."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from holdfast.events.batches import NAMES as BATCH_STATES
from holdfast.events.limits import limit_of
from holdfast.events.records import Attempt, ClosedBatch, Ended, Launched, OutputRange, Revoked, Started
from holdfast.events.spec import Call, LimitSpec
from holdfast.events.states import name_of
from holdfast.store.listing import JobLine, format_time
from holdfast.store.reader import Reader

from ..explaining.naming import Names
from .batchscripts import Place, places_of, script_of

STREAMS = ("stdout", "stderr")


class Needed(msgspec.Struct, frozen=True):
    """A job that this one depends on, how (`after`, `after_any`, `after_failed`), and its state."""

    job: int
    name: str
    kind: str
    state: str


class LimitUse(msgspec.Struct, frozen=True):
    """A limit that the job counts against, and its bounds: attempts at once, microseconds between starts."""

    key: str
    concurrent: int | None
    interval_us: int | None
    burst: int


class Output(msgspec.Struct, frozen=True):
    """One stream of an attempt: bytes written, of which some were dropped, and where they are; None while unknown."""

    stream: str
    segment: str
    start: int
    end: int | None
    dropped_start: int
    dropped_end: int

    @property
    def dropped_bytes(self) -> int:
        """How much of it was let go because of `max_output`."""
        return max(0, self.dropped_end - self.dropped_start)


class InSlurm(msgspec.Struct, frozen=True):
    """An attempt on a cluster: its batch, how that stands (planned, unclear, submitted, closed), and why it waits.

    `id`: its own in Slurm, null as long as that is not known; `index`: its number in an array. `sha256`: of the script.
    """

    batch: str
    index: int | None
    id: str | None
    state: str
    reason: str | None
    sha256: str


class AttemptDetail(msgspec.Struct, frozen=True):
    """One try; `phase`: launched, started, ended or revoked. Times are RFC 3339, null where not (yet) known.

    Of a cluster: `word` is Slurm's own for the end, `nodes` those it ran on, `queued_us` its time in the queue.
    """

    number: int
    token: str
    target: str
    phase: str
    launched_at: str
    started_at: str | None = None
    ended_at: str | None = None
    pid: int | None = None
    how: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    cpu_us: int | None = None
    result: str | None = None
    memory_bytes: int | None = None
    output: tuple[Output, ...] = ()
    word: str | None = None
    nodes: str | None = None
    queued_us: int | None = None
    slurm: InSlurm | None = None


class JobDetail(JobLine, frozen=True):
    """The contract of `show --json`: a job's line, what was asked for, its dependencies and its attempts."""

    run: tuple[str, ...] | str
    call: Call | None
    cwd: str
    dependencies: list[Needed]
    needed_by: list[int]
    needs: dict[str, int]
    limits: list[LimitUse]
    priority: int
    failures: int
    retries: int
    retry_on: tuple[str, ...]
    retry_delay_us: int
    retry_delay_max_us: int
    timeout_us: int | None
    grace_us: int
    max_output_bytes: int
    env: dict[str, str]
    secrets: tuple[str, ...]
    key: str | None
    submitted_by: str
    submitted_seq: int
    newest_seq: int
    attempts: list[AttemptDetail]
    sbatch: dict[str, str]
    template: str
    variables: dict[str, str]


def detail_of(reader: Reader, number: int) -> JobDetail:
    """Everything about a job that there is. Raises Damaged or Unavailable."""
    line = next(reader.jobs("id = ?", (number,)))
    job = reader.lookups.job(number)
    assert job is not None, "a job that has a line has a record"
    spec = reader.lookups.specs([number])[number]
    events = reader.events_of(number)
    return JobDetail(
        **msgspec.structs.asdict(line),
        run=spec.run,
        call=spec.call,
        cwd=spec.cwd,
        dependencies=_dependencies(reader, number),
        needed_by=sorted({each.job for each in reader.lookups.dependents(number)}),
        needs=spec.needs,
        limits=[_limit(reader, key) for key in spec.limits],
        priority=job.priority,
        failures=job.failures,
        retries=spec.retries,
        retry_on=spec.retry_on,
        retry_delay_us=spec.retry_delay_us,
        retry_delay_max_us=spec.retry_delay_max_us,
        timeout_us=spec.timeout_us,
        grace_us=spec.grace_us,
        max_output_bytes=spec.max_output_bytes,
        env=spec.env,
        secrets=spec.secrets,
        key=spec.key,
        submitted_by=events[0].author,
        submitted_seq=events[0].seq,
        newest_seq=events[-1].seq,
        attempts=_attempts(reader, number, places_of(reader, events)),
        sbatch=spec.sbatch,
        template=spec.template,
        variables=spec.variables,
    )


def _dependencies(reader: Reader, number: int) -> list[Needed]:
    names = Names(reader)
    found: list[Needed] = []
    for each in reader.lookups.dependencies(number):
        needed = reader.lookups.job(each.needed)
        assert needed is not None, f"job {number} depends on job {each.needed}, which does not exist"
        found.append(Needed(each.needed, names.bare(each.needed), each.kind.key, name_of(needed.state)))
    return found


def _limit(reader: Reader, key: str) -> LimitUse:
    limit = reader.lookups.limit(limit_of(key))
    spec = LimitSpec() if limit is None else limit.spec
    return LimitUse(key, spec.concurrent, spec.interval_us, spec.burst)


def _attempts(reader: Reader, job: int, places: Mapping[int, Place]) -> list[AttemptDetail]:
    found = reader.lookups.attempts(job)
    return [_in_slurm(reader, _attempt(each), places.get(each.number)) for each in found]


def _in_slurm(reader: Reader, detail: AttemptDetail, place: Place | None) -> AttemptDetail:
    if place is None:
        return detail
    batch = place.batch
    reason = batch.state.reason if not isinstance(batch.state, ClosedBatch) else ""
    there = InSlurm(
        batch.name,
        place.index,
        place.slurm_id,
        BATCH_STATES[type(batch.state)],
        reason or None,
        script_of(reader, batch.name).sha256,
    )
    return replace(detail, slurm=there)


def _attempt(attempt: Attempt) -> AttemptDetail:
    common = (attempt.number, attempt.token, attempt.target)
    launched_at = format_time(attempt.launched_at)
    match attempt.phase:
        case Launched():
            return AttemptDetail(*common, "launched", launched_at)
        case Revoked(reason=reason):
            return AttemptDetail(*common, "revoked", launched_at, error=reason)
        case Started() as phase:
            started_at = format_time(phase.started_at)
            outputs = _outputs(phase.output, running=True)
            pid = None if phase.process is None else phase.process.pid
            return AttemptDetail(*common, "started", launched_at, started_at, pid=pid, output=outputs)
        case Ended(outcome=outcome):
            return AttemptDetail(
                *common,
                "ended",
                launched_at,
                None if outcome.started_at is None else format_time(outcome.started_at),
                format_time(outcome.ended_at),
                how=outcome.how,
                exit_code=outcome.exit_code,
                signal=outcome.signal,
                error=outcome.error,
                cpu_us=outcome.cpu_us,
                result=outcome.result,
                memory_bytes=outcome.memory_bytes,
                output=_outputs(outcome.output, running=False),
                word=outcome.word,
                nodes=outcome.nodes,
                queued_us=outcome.queued_us,
            )


def _outputs(ranges: tuple[OutputRange, ...], *, running: bool) -> tuple[Output, ...]:
    return tuple(
        Output(stream, each.segment, each.start, None if running else each.end, each.dropped_start, each.dropped_end)
        for stream, each in zip(STREAMS, ranges, strict=False)
    )
