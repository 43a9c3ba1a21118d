"""What must hold between the jobs of a flow: the dependencies are a graph without cycles, and no key stands twice."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.events.errors import BadInput
from holdfast.events.graph import Kind, validate
from holdfast.events.quoting import shown
from holdfast.events.spec import JobSpec

from .places import Misfit

_KINDS = [kind.key for kind in Kind]


def check_jobs(jobs: Sequence[JobSpec]) -> None:
    """Check the jobs of one flow against each other.

    Raises Misfit, whose path begins with the name of the job at fault.
    """
    seen: set[str | int] = set()
    keys: dict[str, str] = {}
    in_order = True
    for job in jobs:
        if in_order:
            for needed in (*job.after, *job.after_any, *job.after_failed):
                if needed not in seen and not isinstance(needed, int):
                    in_order = False
            seen.add(job.name)
        if job.key is not None:
            if job.key in keys:
                problem = f"the key {shown(job.key)} is given to the job {shown(keys[job.key])} already"
                raise Misfit(problem, path=(job.name, "key"), remedy="keys must be unique within a home")
            keys[job.key] = job.name
    # Where every job stands behind those that it needs, there is nothing to find, and finding that out costs a tenth.
    if not in_order:
        _validate(jobs)


def _validate(jobs: Sequence[JobSpec]) -> None:
    edges = {job.name: [(k, n) for k, many in _needed(job) for n in many if isinstance(n, str)] for job in jobs}
    try:
        validate([job.name for job in jobs], edges)
    except BadInput as error:
        raise Misfit(error.problem, path=_path(error.where, jobs), remedy=error.remedy) from None


def _needed(job: JobSpec) -> list[tuple[str, tuple[str | int, ...]]]:
    return list(zip(_KINDS, (job.after, job.after_any, job.after_failed), strict=True))


def _path(where: str, jobs: Sequence[JobSpec]) -> tuple[str, ...]:
    """The path behind `jobs.NAME.KEY`; names may hold dots, so that it is looked for rather than taken apart."""
    paths = [(job.name, *key) for job in jobs for key in ((), *((kind,) for kind in _KINDS))]
    found = [path for path in paths if where == ".".join(("jobs", *path))]
    return found[0] if len(found) == 1 else ()
