"""Jobs as a Python program writes them, and their translation into what is recorded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypedDict, TypeVar, cast

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from holdfast.events.checks import NUMBER_MAX
from holdfast.events.errors import BadInput
from holdfast.events.spec import (
    DEFAULT_GRACE_US,
    DEFAULT_MAX_OUTPUT_BYTES,
    DEFAULT_RETRY_DELAY_MAX_US,
    DEFAULT_RETRY_DELAY_US,
    FUNCTIONS,
    LOCAL,
    RETRY_ON_DEFAULT,
    Call,
    JobSpec,
)
from holdfast.events.staging import InputFile, OutputFile, Pair, placed

from .clusters import Plain, texts_of
from .durations import Duration, microseconds
from .labels import check_label
from .targets import Amount, amounts_of

if TYPE_CHECKING:
    from typing_extensions import TypeIs

T = TypeVar("T")

_RUN: Final = "give a list of strings (no shell), or one string for `/bin/sh -c`"
# What most jobs leave as it is, and known by `is`: each look at what was not given would cost a submission 3 % more.
_NOTHING: Final = ()
_ID_REMEDY: Final = "give an id, or what `submit` returned"
_GRACE: Final = timedelta(microseconds=DEFAULT_GRACE_US)


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
    retry_delay: Duration
    retry_delay_max: Duration
    timeout: Duration | None


class JobOptions(PolicyOptions, total=False):
    """What can be said of a job beside what it runs; see `Job`."""

    name: str
    cwd: str | os.PathLike[str] | None
    after: After
    after_any: After
    after_failed: After
    target: str
    needs: Mapping[str, Amount]
    grace: Duration
    max_output_bytes: int
    env: Mapping[str, str]
    secrets: Sequence[str]
    key: str | None
    hold: bool
    inputs: Sequence[str | Pair]
    outputs: Sequence[str | Pair]
    sbatch: Mapping[str, Plain]
    template: str
    variables: Mapping[str, Plain]


class Job(Struct, frozen=True, kw_only=True):
    """A job to submit; the fields are those of a flow file.

    `run`: a list of strings (no shell), a string for `/bin/sh -c`, or what `holdfast.call` returns. `cwd`: None is the
    folder that the program is in when it submits, and on another machine the target's. `after`, `after_any`,
    `after_failed`: jobs that were submitted, their ids, or names of jobs that are submitted together with it. `needs`:
    whole numbers, memory in bytes or as "8GB"; one cpu, unless it says how many. Durations: a timedelta, or text such
    as "90s" or "1h30m". `limits`: `name` or `name:key`. `key`: submitting the same key again is the same job.

    `inputs`, `outputs`: files that go to another machine with it, and patterns of those that come back; each a path, or
    a pair of a path and its place there, or here; they are relative to the program's folder and to the job's.

    `sbatch`, `template`, `variables`: on a cluster, options for Slurm, the target's script that it takes, and what that
    may use.

    What is `UNSET` is as the function says that it calls, if it calls one; else there are no limits and no time-out,
    the priority is 0, and it is not tried again; where `retries` says that it is, after "failed" and "timeout", with
    delays from a second up to five minutes.
    """

    run: Command | Call
    name: str = ""
    cwd: str | os.PathLike[str] | None = None
    after: After = ()
    after_any: After = ()
    after_failed: After = ()
    target: str = LOCAL
    needs: Mapping[str, Amount] = {}
    limits: Sequence[str] | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    retries: int | UnsetType = UNSET
    retry_on: Sequence[str] | UnsetType = UNSET
    retry_delay: Duration | UnsetType = UNSET
    retry_delay_max: Duration | UnsetType = UNSET
    timeout: Duration | UnsetType | None = UNSET
    grace: Duration = _GRACE
    max_output_bytes: int = DEFAULT_MAX_OUTPUT_BYTES
    env: Mapping[str, str] = {}
    secrets: Sequence[str] = ()
    key: str | None = None
    hold: bool = False
    inputs: Sequence[str | Pair] = ()
    outputs: Sequence[str | Pair] = ()
    sbatch: Mapping[str, Plain] = {}
    template: str = ""
    variables: Mapping[str, Plain] = {}


def as_its_function_says(job: Job, options: PolicyOptions) -> Job:
    """The job, with what it leaves unset as the function says that it calls."""
    unset = {name: value for name, value in options.items() if getattr(job, name) is UNSET}
    return replace(job, **unset) if unset else job


def spec_of(job: Job, folder: str, where: str) -> JobSpec:
    """What is recorded of a job that is submitted from `folder`. Raises BadInput, at `where`, for what can't be.

    `folder`: empty if there is none any more; then a job that needs one is refused.
    """
    if job.name:
        check_label(job.name, "name", f"{where}.name")
    if job.key:
        check_label(job.key, "key", f"{where}.key")
    call, run, target, counted = None, job.run, job.target, "cpus"
    inputs, outputs = _staged(job, folder, where)
    if isinstance(run, Call):
        _check_call(job, where)
        call, run, target, counted = run, (), FUNCTIONS, "calls"
    try:
        return JobSpec(
            run=run if isinstance(run, str) else _strings(run, where, "run", _RUN),
            call=call,
            name=job.name,
            cwd=_folder(job, folder, target, where),
            after=ids_of(job.after),
            after_any=ids_of(job.after_any),
            after_failed=ids_of(job.after_failed),
            target=target,
            needs=_needs(job.needs, counted, where),
            limits=() if job.limits is UNSET else _strings(job.limits, where, "limits"),
            priority=0 if job.priority is UNSET else job.priority,
            retries=0 if job.retries is UNSET else job.retries,
            retry_on=RETRY_ON_DEFAULT if job.retry_on is UNSET else _strings(job.retry_on, where, "retry_on"),
            retry_delay_us=_microseconds(job.retry_delay, DEFAULT_RETRY_DELAY_US, where, "retry_delay"),
            retry_delay_max_us=_microseconds(job.retry_delay_max, DEFAULT_RETRY_DELAY_MAX_US, where, "retry_delay_max"),
            timeout_us=None if job.timeout is None else _microseconds(job.timeout, None, where, "timeout"),
            grace_us=DEFAULT_GRACE_US if job.grace is _GRACE else microseconds(job.grace, f"{where}.grace"),
            max_output_bytes=job.max_output_bytes,
            env=dict(job.env),
            secrets=() if job.secrets is _NOTHING else _strings(job.secrets, where, "secrets"),
            key=job.key,
            hold=job.hold,
            inputs=inputs,
            outputs=outputs,
            sbatch=texts_of(job.sbatch, f"{where}.sbatch") if job.sbatch else {},
            template=job.template,
            variables=texts_of(job.variables, f"{where}.variables") if job.variables else {},
        )
    except BadInput as error:
        raise error.at(where) from None
    except (TypeError, AttributeError) as error:
        raise BadInput(
            f"a value is of the wrong type: {error}", where=where, remedy="see `help(holdfast.Job)`"
        ) from error


def _check_call(job: Job, where: str) -> None:
    """Refuse what a call would drop. Raises BadInput."""
    given = (
        ("target", job.target not in (LOCAL, FUNCTIONS)),
        ("cwd", job.cwd is not None),
        ("max_output_bytes", job.max_output_bytes != DEFAULT_MAX_OUTPUT_BYTES),
    )
    for field, is_given in given:
        if is_given:
            problem = "a function is called in this program, in its folder, and its output is not kept"
            raise BadInput(problem, where=f"{where}.{field}", remedy="leave it out, or submit a command")


def _strings(given: Sequence[str], where: str, field: str, remedy: str = "give a list of strings") -> tuple[str, ...]:
    if isinstance(given, str):
        raise BadInput(f"{given!r} is one string", where=f"{where}.{field}", remedy=remedy)
    if isinstance(cast("object", given), bytes) or not isinstance(cast("object", given), Iterable):
        raise BadInput(f"{given!r} is no list", where=f"{where}.{field}", remedy=remedy)
    found = tuple(given)
    for each in cast("tuple[object, ...]", found):
        if not isinstance(each, str):
            remedy = 'its members are strings: "4", not 4; str(path), not a Path'
            raise BadInput(f"{each!r} is no string", where=f"{where}.{field}", remedy=remedy)
    return found


def _staged(job: Job, folder: str, where: str) -> tuple[tuple[InputFile, ...], tuple[OutputFile, ...]]:
    if job.inputs is _NOTHING and job.outputs is _NOTHING:
        return (), ()
    inputs, outputs = _pairs(job.inputs, where, "inputs"), _pairs(job.outputs, where, "outputs")
    if not folder:
        if any(source and not source.startswith("/") for source, _ in inputs):
            raise _no_folder(f"{where}.inputs", "give whole paths, or go to a folder that is there")
        if outputs:
            raise _no_folder(f"{where}.outputs", "go to a folder that is there: they come back to it")
    return placed(inputs, outputs, folder)


def _pairs(given: Sequence[str | Pair], where: str, field: str) -> list[Pair]:
    if isinstance(given, str):
        raise BadInput(f"{given!r} is one string", where=f"{where}.{field}", remedy="give a list")
    if not isinstance(cast("object", given), Iterable):
        raise BadInput(f"{given!r} is no list", where=f"{where}.{field}", remedy="give a list")
    pairs = [(each, "") if isinstance(each, str) else each for each in given]
    for pair in cast("list[object]", pairs):
        if not _is_pair(pair):
            remedy = "give a path, or a pair of a path and its place"
            raise BadInput(f"{pair!r} is no pair of paths", where=f"{where}.{field}", remedy=remedy)
    return pairs


def _is_pair(given: object) -> bool:
    if not isinstance(given, tuple | list):
        return False
    members = cast("Sequence[object]", given)
    return len(members) == 2 and all(isinstance(each, str) for each in members)  # noqa: PLR2004 - a pair


def ids_of(given: After) -> tuple[str | int, ...]:
    """The ids, and the names, of the jobs that these stand for. Raises BadInput for what stands for none."""
    if given is _NOTHING:
        return ()
    if isinstance(given, str | int):
        if isinstance(given, bool):
            raise _no_job(given)
        return (given,)
    if _has_ids(given):
        return tuple(given.ids)
    if isinstance(cast("object", given), bytes) or not isinstance(cast("object", given), Iterable):
        raise _no_job(given)
    return tuple(one for each in given for one in ids_of(each))


def numbers(jobs: tuple[After, ...]) -> tuple[int, ...]:
    """The ids of jobs that were submitted. Raises BadInput for a name."""
    found: list[int] = []
    for each in jobs:
        for one in ids_of(each):
            if isinstance(one, str):
                raise BadInput(f"{one!r} is a name", remedy=_ID_REMEDY)
            if not 0 < one <= NUMBER_MAX:
                raise BadInput(f"there is no job {one} in this home", remedy="`holdfast jobs` lists them")
            found.append(one)
    return tuple(found)


def _no_job(given: object) -> BadInput:
    return BadInput(f"{given!r} is no job", remedy="give its id, or what `submit` returned")


def _has_ids(given: After) -> TypeIs[HasIds]:
    return hasattr(given, "ids")  # `isinstance` takes 12 us for a protocol, a quarter of a submission


def _no_folder(where: str, remedy: str) -> BadInput:
    return BadInput("the folder that this program is in has been removed", where=where, remedy=remedy)


def _folder(job: Job, folder: str, target: str, where: str) -> str:
    """Where it runs: below `folder`, the program's own, or on another machine below the target's own."""
    given = "" if job.cwd is None else os.fspath(job.cwd)
    if target not in (LOCAL, FUNCTIONS):
        return given
    if not folder and target == LOCAL and not given.startswith("/"):  # a function is called wherever the program is
        raise _no_folder(f"{where}.cwd", "give a whole path, or go to a folder that is there")
    return os.path.join(folder, given) if given else folder  # noqa: PTH118 - text, as it is recorded


def _needs(given: Mapping[str, Amount], counted: str, where: str) -> dict[str, int]:
    return {counted: 1} if given == {} else {counted: 1, **amounts_of(given, f"{where}.needs")}


def _microseconds(given: Duration | UnsetType, default_us: T, where: str, field: str) -> int | T:
    return default_us if given is UNSET else microseconds(given, f"{where}.{field}")
