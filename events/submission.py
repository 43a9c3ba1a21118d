"""Submitting a flow: checked as a whole, then recorded as a whole or not at all (promise P7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .capacity import counted, lacking
from .checks import check_below, check_for_slurm, check_job, check_limit, check_text, unknown_target
from .commands import merged, set_limits
from .draft import ROOT, Dependency, Draft
from .errors import BadInput
from .facts import FlowSubmitted, JobSubmitted, TargetConfigured
from .graph import KEYS, Kind, Verdict, judge, validate
from .limits import limit_of
from .messages import Submitted
from .pilots import check_in_allocation, offers
from .remote import check_targets
from .settle import resolve
from .spec import DEFAULT_MAX_OUTPUT_BYTES, DEFAULT_NEEDS, HERE, FlowSpec, JobSpec, TargetSpec
from .states import has_ended

_KINDS: Final = tuple(Kind)
_AFTER: Final = Kind.AFTER  # looked up once: a flow of 100,000 jobs asks for it as often


class _Around(Struct, frozen=True):
    """What a job's recording must know of its flow."""

    flow: str | None
    cause: int | None
    names: dict[str, int]
    first: int
    """The first of its new jobs."""


def submit(draft: Draft, flow: FlowSpec) -> Submitted:
    """Record the flow's jobs. Raises BadInput, with nothing recorded, for anything in it that breaks a rule.

    A job whose key was submitted before is that job; a flow whose equal is unfinished is that flow.
    """
    if flow.digest is not None and not flow.again:
        unfinished = draft.unfinished_flow(flow.digest)
        if unfinished is not None:
            return Submitted((), unfinished, continued=True)
    check_flow(draft, flow)
    keys = [job.key for job in flow.jobs if job.key is not None]
    known = draft.jobs_by_key(keys) if keys else {}  # as of most, which have none; so with the next two
    fresh = [job for job in flow.jobs if job.key is None or job.key not in known] if known else flow.jobs
    numbers = _take_numbers(draft, len(fresh))
    following = iter(numbers)
    ids = [known[job.key] if job.key in known else next(following) for job in flow.jobs] if known else numbers
    names = {job.name: number for job, number in zip(flow.jobs, ids, strict=True) if job.name}
    name, cause = _record_flow(draft, flow, numbers)
    around = _Around(name, cause, names, numbers.start)
    pairs = zip(fresh, numbers, strict=True)
    unsettled = [number for job, number in pairs if _record_job(draft, job, number, around)]
    for number in unsettled:
        if not has_ended(draft.known_job(number).state):
            resolve(draft, number)
    return Submitted(tuple(ids), name, tuple(known[job.key] for job in flow.jobs if job.key in known))


def check_flow(draft: Draft, flow: FlowSpec) -> None:
    """Raise BadInput, with nothing recorded, for anything in the flow that breaks a rule; `submit` does so first."""
    if not flow.jobs:
        raise BadInput("there are no jobs in it", where="jobs", remedy="a flow needs at least one job")
    check_text((flow.name, flow.digest or ""), "name")
    check_targets(draft, flow.targets)
    for name, spec in flow.limits.items():
        check_limit(name, spec)
    names: set[str | int] = set()
    in_order = True
    keys: set[str] = set()
    offered: dict[str, TargetSpec] = {}
    for position, job in enumerate(flow.jobs, 1):
        name = job.name
        where = f"jobs.{name or position}"
        check_job(job, where)
        _check_in_home(draft, flow, offered, job, where)
        if job.after or job.after_any or job.after_failed:
            in_order = _follows(draft, job, where, names) and in_order
        if name:
            in_order = in_order and name not in names
            names.add(name)
        if job.key is not None:
            if job.key in keys:
                problem = f"the key {job.key!r} is given to more than one job"
                raise BadInput(problem, where=f"{where}.key", remedy="keys must be unique within a home")
            keys.add(job.key)
    # Where each name is new, and all that a job needs stands before it, there is nothing wrong with the graph.
    if not in_order:
        _check_graph(flow.jobs)


def _follows(draft: Draft, job: JobSpec, where: str, names: set[str | int]) -> bool:
    """Whether all that the job depends on by name is among `names`; checks that what it depends on by id exists."""
    if names.issuperset(job.after) and not job.after_any and not job.after_failed:  # as of most
        return True
    follows = True
    for key, needs in zip(KEYS, (job.after, job.after_any, job.after_failed), strict=True):
        for each in needs:
            if isinstance(each, str):
                follows = follows and each in names
            elif draft.jobs.get(each) is None:
                problem = f"there is no job {each} in this home"
                raise BadInput(problem, where=f"{where}.{key}", remedy="`holdfast jobs` lists them")
    return follows


def _check_graph(jobs: Sequence[JobSpec]) -> None:
    """Check names and dependencies among the jobs of a flow."""
    # A job without a name is known by its position: nothing can depend on it, but it can depend on others.
    labels: list[str | int] = [job.name or position for position, job in enumerate(jobs, 1)]
    wanted: dict[str | int, list[tuple[str, str | int]]] = {}
    for label, job in zip(labels, jobs, strict=True):
        pairs = zip(KEYS, (job.after, job.after_any, job.after_failed), strict=True)
        wanted[label] = [(key, each) for key, needs in pairs for each in needs if isinstance(each, str)]
    validate(labels, wanted)


def _check_in_home(draft: Draft, flow: FlowSpec, offered: dict[str, TargetSpec], job: JobSpec, where: str) -> None:
    """Check the target, needs and limits of a job against what the home has, or the flow gives it.

    `offered`: the targets that were looked up so far.
    """
    there = offered.get(job.target)
    if there is None:
        if job.target not in HERE and job.target not in flow.targets and draft.targets.get(job.target) is None:
            raise unknown_target(job.target, f"{where}.target")
        there = offered[job.target] = _offered(draft, flow, job.target)
    if job.target not in HERE:
        check_below(job.cwd, f"{where}.cwd", "the target's workdir")
    if job.sbatch or job.template or job.variables or (there.slurm is not None and _asks_slurm(job)):
        check_for_slurm(job, there.slurm, where)
    needs, capacity = job.needs, there.capacity
    if there.slurm is not None and there.slurm.pilot is not None:
        capacity = offers(there.capacity, there.slurm.pilot)
        check_in_allocation(job, there.slurm.pilot, where)
        needs = {name: amount for name, amount in needs.items() if name != "cpus" or name in capacity}
    elif there.slurm is not None:
        _check_output(job, where)
        needs = dict(counted(tuple(job.needs.items()), there.capacity))
    short = lacking(needs, capacity)
    if short is not None:
        name, needed, most = short
        is_pilot = there.slurm is not None and there.slurm.pilot is not None
        whose = f"each allocation of the target {job.target!r}" if is_pilot else f"the target {job.target!r}"
        problem = f"the job needs {name} = {needed}, but {whose} has {most}"
        place = "pilot" if is_pilot and name == "cpus" else "capacity"
        remedy = f"lower it, or raise targets.{job.target}.{place}.{name}"
        raise BadInput(problem, where=f"{where}.needs.{name}", remedy=remedy)
    for key in job.limits:
        limit = limit_of(key)
        if limit not in flow.limits and draft.limits.get(limit) is None:
            problem = f"there is no limit {limit!r}"
            remedy = f"declare it under [limits.{limit}] in a flow, or from Python by `hf.limit({limit!r}, ...)`"
            raise BadInput(problem, where=f"{where}.limits", remedy=remedy)


def _check_output(job: JobSpec, where: str) -> None:
    """Refuse to promise a bound that nobody keeps: a command in a batch script writes its output by itself.

    `ulimit -f` would end it for a large file of results as well, and a process that cuts would cost one for each job.
    """
    if job.max_output_bytes != DEFAULT_MAX_OUTPUT_BYTES:
        problem = f"nothing cuts the output of a job in the queue of the target {job.target!r}"
        remedy = "leave it out, or give the target a pilot, whose runner keeps to it"
        raise BadInput(problem, where=f"{where}.max_output", remedy=remedy)


def _asks_slurm(job: JobSpec) -> bool:
    """Whether the job asks for more than what every job does that says nothing."""
    return job.needs != DEFAULT_NEEDS or job.timeout_us is not None


def _take_numbers(draft: Draft, count: int) -> range:
    """The ids of that many new jobs."""
    first = draft.base.next_job() + draft.new_jobs
    if not draft.new_jobs:
        draft.jobs.expect_new(first)
    draft.new_jobs += count
    return range(first, first + count)


def _record_flow(draft: Draft, flow: FlowSpec, jobs: range) -> tuple[str | None, int | None]:
    """Record what the jobs share; returns the flow's id, if it has a name, and what causes its jobs."""
    name, cause = None, ROOT
    if flow.name:
        number = draft.base.next_flow() + draft.new_flows
        draft.new_flows += 1
        name = f"{flow.name}-{number}"
        cause = draft.record(FlowSubmitted(name, number, len(jobs), flow.digest))
        if flow.digest is not None:
            draft.add_flow(flow.digest, name, jobs)
    if flow.limits:
        set_limits(draft, flow.limits, cause)
    for target_name in flow.targets:
        target = draft.targets.get(target_name)
        offered = _offered(draft, flow, target_name)
        if target is None or TargetSpec(target.capacity, target.ssh, target.slurm) != offered:
            draft.record(TargetConfigured(target_name, offered.capacity, offered.ssh, offered.slurm), cause)
    return name, cause


def _offered(draft: Draft, flow: FlowSpec, name: str) -> TargetSpec:
    """A target once the flow is recorded: as before, but for the needs, and the way there, that the flow gives."""
    return merged(draft.targets.get(name), flow.targets.get(name) or TargetSpec({}))


def _record_job(draft: Draft, job: JobSpec, number: int, around: _Around) -> bool:
    """Record one job; whether something it depends on has ended so that it can't run."""
    unmet, never = 0, False
    names = around.names
    if job.after_any or job.after_failed:
        ids = [_ids(needs, names) for needs in (job.after, job.after_any, job.after_failed)]
        job = replace(job, after=ids[0], after_any=ids[1], after_failed=ids[2])
        unmet, never = _depend(draft, number, tuple(zip(_KINDS, ids, strict=True)), around.first)
    elif job.after:
        after = _ids(job.after, names)
        job = replace(job, after=after)
        unmet, never = _depend(draft, number, ((_AFTER, after),), around.first)
    state = "held" if job.hold else "waiting" if unmet else "ready"
    draft.record_job(JobSubmitted(number, state, job, around.flow), around.cause)
    if unmet:
        draft.unmet[number] = unmet
    if job.key is not None:
        draft.keys[job.key] = number
    return never


def _ids(needs: Sequence[str | int], names: Mapping[str, int]) -> tuple[int, ...]:
    """Ids for names and ids, each once: a name may stand for a job that is given by its id, too."""
    if len(needs) == 1:
        (each,) = needs
        return (names[each] if isinstance(each, str) else each,)
    return tuple(dict.fromkeys([names[each] if isinstance(each, str) else each for each in needs]))


def _depend(draft: Draft, number: int, ids: tuple[tuple[Kind, tuple[int, ...]], ...], first: int) -> tuple[int, bool]:
    """Note what the new job depends on: how much of it is unmet, and whether some of that never will be met.

    `ids`: of the jobs that it depends on, by the kind. `first`: the first job of its flow.
    """
    unmet, never = 0, False
    dependencies: list[Dependency] = []
    for kind, needs in ids:
        for needed in needs:
            dependencies.append(Dependency(number, needed, kind))
            there = draft.jobs.get(needed) if needed < first else None  # the flow's own jobs have not ended yet
            if there is not None and has_ended(there.state):
                if judge(kind, there.state) is Verdict.MET:
                    continue
                never = True
            unmet += 1
    draft.add_dependencies(number, dependencies)
    return unmet, never
