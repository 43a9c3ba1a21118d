"""A job as `jobs` and `replay` show it: the same line from the views as from a fold of the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import apsw
import msgspec

from holdfast.events.errors import Damaged
from holdfast.events.records import Job
from holdfast.events.states import (
    Cancelled,
    Delayed,
    Failed,
    JobState,
    Lost,
    Running,
    Skipped,
    Succeeded,
    Unknown,
    name_of,
)

from .statements import select
from .views import Head, decode

_JOB: Final = msgspec.json.Decoder(Job)
# Without a time zone, because it is only ever added to and written, a million times for a million jobs.
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001

_ROW: Final[type[tuple[str, str, str | None, int]]] = tuple[str, str, str | None, int]


class JobLine(msgspec.Struct, frozen=True):
    """The contract of `jobs --json`; times are RFC 3339, UTC, with microseconds, null where not yet."""

    id: int
    name: str
    flow: str | None
    state: str
    target: str
    attempt: int
    exit_code: int | None
    submitted_at: str
    started_at: str | None
    ended_at: str | None
    reason: str | None


def format_time(time: int) -> str:
    """RFC 3339, UTC, with microseconds: `2026-11-20T13:52:00.000000Z`; `time` in microseconds since the epoch.

    Raises Damaged for a time outside the years 1 to 9999, which no clock of ours gave.
    """
    second, microsecond = divmod(time, 1_000_000)
    try:
        return f"{_second_text(second)}.{microsecond:06d}Z"
    except OverflowError as error:
        raise Damaged(f"{time} us since 1970 is no time that can be written; the log or a clock is wrong") from error


@lru_cache(maxsize=1024)  # many of a million jobs are of the same seconds
def _second_text(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat()


def _maybe(time: int | None) -> str | None:
    return None if time is None else format_time(time)


def times_of(state: JobState) -> tuple[int | None, int | None]:
    """When the newest attempt started and when the job ended, as far as the state says."""
    if type(state) is Succeeded:  # most are
        return state.started_at, state.ended_at
    match state:
        case Running(since=since):
            return since, None
        case Unknown(started_at=started_at):
            return started_at, None
        case Failed() | Cancelled() | Lost():
            return state.started_at, state.ended_at
        case Skipped(ended_at=ended_at):
            return None, ended_at
        case _:
            return None, None


def exit_code_of(state: JobState) -> int | None:
    """The exit code that the job ended with, or None if it has none."""
    if type(state) is Succeeded:
        return 0
    return state.exit_code if type(state) is Failed or type(state) is Cancelled else None


def reason_of(state: JobState) -> str | None:
    """Why it is in this state, where the state says."""
    if type(state) is Succeeded:
        return None
    match state:
        case Delayed() | Unknown() | Failed() | Cancelled() | Skipped() | Lost():
            return state.reason
        case _:
            return None


def line_of(job: Job, name: str, flow: str | None, submitted_at: int) -> JobLine:
    """The line for a record and what its submission said; `submitted_at` in microseconds."""
    started_at, ended_at = times_of(job.state)
    return JobLine(
        job.id,
        name,
        flow,
        name_of(job.state),
        job.policy.target,
        job.attempt,
        exit_code_of(job.state),
        format_time(submitted_at),
        _maybe(started_at),
        _maybe(ended_at),
        reason_of(job.state),
    )


def list_jobs(connection: apsw.Connection, where: str = "", values: tuple[int | str, ...] = ()) -> Iterator[JobLine]:
    """Lines from the views, by id; `where` is a SQL condition of ours on table `job`, `values` its parameters.

    Raises Unavailable, or Damaged for a row that holds no record.
    """
    sql = f"select data, name, flow, submitted_at from job where {where or 'true'} order by id"  # noqa: S608
    rows = select(connection, _ROW, sql, values)
    return (line_of(decode(_JOB, data), name, flow, submitted_at) for data, name, flow, submitted_at in rows)


def line_of_head(job: Job, head: Head) -> JobLine:
    """The line for a record and the head that its submission gave it. Raises Damaged for an impossible time."""
    _, submitted_at, name, flow, _ = head
    return line_of(job, name, flow, submitted_at)
