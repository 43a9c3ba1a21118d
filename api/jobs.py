"""Jobs as a Python program writes them, and their translation into what is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol, TypedDict, cast, runtime_checkable

from msgspec import Struct

from holdfast.events.errors import BadInput
from holdfast.events.spec import (
    DEFAULT_GRACE_US,
    DEFAULT_MAX_OUTPUT_BYTES,
    FUNCTIONS,
    LOCAL,
    RETRY_ON_DEFAULT,
    Call,
    JobSpec,
)


@runtime_checkable
class HasIds(Protocol):
    """A job that was submitted, or several."""

    @property
    def ids(self) -> Sequence[int]:
        """Their ids."""
        ...


Command = str | Sequence[str]
Needed = HasIds | int | str
After = Needed | Iterable[Needed]


class PolicyOptions(TypedDict, total=False):
    """How a job is scheduled and tried again; see `Job`. A function says it for all jobs that call it."""

    limits: Sequence[str]
    priority: int
    retries: int
    retry_on: Sequence[str]
    retry_delay: timedelta
    retry_delay_max: timedelta
    timeout: timedelta | None


class JobOptions(PolicyOptions, total=False):
    """What can be said of a job beside what it runs; see `Job`."""

    name: str
    cwd: str | os.PathLike[str] | None
    after: After
    after_any: After
    after_failed: After
    target: str
    needs: Mapping[str, int]
    grace: timedelta
    max_output_bytes: int
    env: Mapping[str, str]
    secrets: Sequence[str]
    key: str | None
    hold: bool


class Job(Struct, frozen=True, kw_only=True):
    """A job to submit; the fields are those of a flow file.

    `run`: a list of strings (no shell), a string for `/bin/sh -c`, or what `holdfast.call` returns. `cwd`: None is the
    folder that the program is in when it submits. `after`, `after_any`, `after_failed`: jobs that were submitted, their
    ids, or names of jobs that are submitted together with it. `needs`: whole numbers, memory in bytes; one cpu, unless
    it says how many. `limits`: `name` or `name:key`. `key`: submitting the same key again is the same job.
    """

    run: Command | Call
    name: str = ""
    cwd: str | os.PathLike[str] | None = None
    after: After = ()
    after_any: After = ()
    after_failed: After = ()
    target: str = LOCAL
    needs: Mapping[str, int] = {}
    limits: Sequence[str] = ()
    priority: int = 0
    retries: int = 0
    retry_on: Sequence[str] = RETRY_ON_DEFAULT
    retry_delay: timedelta = timedelta(seconds=1)
    retry_delay_max: timedelta = timedelta(minutes=5)
    timeout: timedelta | None = None
    grace: timedelta = timedelta(microseconds=DEFAULT_GRACE_US)
    max_output_bytes: int = DEFAULT_MAX_OUTPUT_BYTES
    env: Mapping[str, str] = {}
    secrets: Sequence[str] = ()
    key: str | None = None
    hold: bool = False


def spec_of(job: Job, folder: str) -> JobSpec:
    """What is recorded of a job that is submitted from `folder`. Raises BadInput for a value of a wrong type."""
    where = f"job {job.name}" if job.name else "job"
    call, run, target, counted = None, job.run, job.target, "cpus"
    if isinstance(run, Call):
        call, run, target, counted = run, (), FUNCTIONS, "calls"
    try:
        return JobSpec(
            run=run if isinstance(run, str) else _strings(run, f"{where}: run"),
            call=call,
            name=job.name,
            cwd=folder if job.cwd is None else os.path.join(folder, os.fspath(job.cwd)),  # noqa: PTH118
            after=ids_of(job.after),
            after_any=ids_of(job.after_any),
            after_failed=ids_of(job.after_failed),
            target=target,
            needs={counted: 1, **job.needs},
            limits=_strings(job.limits, f"{where}: limits"),
            priority=job.priority,
            retries=job.retries,
            retry_on=_strings(job.retry_on, f"{where}: retry_on"),
            retry_delay_us=_microseconds(job.retry_delay),
            retry_delay_max_us=_microseconds(job.retry_delay_max),
            timeout_us=None if job.timeout is None else _microseconds(job.timeout),
            grace_us=_microseconds(job.grace),
            max_output_bytes=job.max_output_bytes,
            env=dict(job.env),
            secrets=_strings(job.secrets, f"{where}: secrets"),
            key=job.key,
            hold=job.hold,
        )
    except (TypeError, AttributeError) as error:
        raise BadInput(
            f"a value is of the wrong type: {error}", where=where, remedy="see `help(holdfast.Job)`"
        ) from error


def _strings(given: Sequence[str], where: str) -> tuple[str, ...]:
    if isinstance(given, str):
        raise BadInput(f"{given!r} is one string", where=where, remedy="give a list of strings")
    odd = next((each for each in cast("Sequence[object]", given) if not isinstance(each, str)), None)
    if odd is not None:
        raise BadInput(f"{odd!r} is no string", where=where, remedy='its members are strings: "4", not 4')
    return tuple(given)


def ids_of(given: After) -> tuple[str | int, ...]:
    """The ids, and the names, of the jobs that these stand for."""
    if isinstance(given, str | int):
        return (given,)
    if given == ():  # as nearly always, and the rest is slow
        return ()
    if isinstance(given, HasIds):
        return tuple(given.ids)
    return tuple(one for each in given for one in ids_of(each))


def _microseconds(given: timedelta) -> int:
    return given // timedelta(microseconds=1)
