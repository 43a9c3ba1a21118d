"""Why a ready job has not been launched: no supervisor, a pause, needs or limits in use, a rate, or others first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from holdfast.events.capacity import counted, fits, lacking
from holdfast.events.hosts import Down, Refused, Up, last_error_of, name_of
from holdfast.events.limits import limit_of
from holdfast.events.records import Job, Over, Retired, Target
from holdfast.events.spec import FUNCTIONS
from holdfast.events.states import Launching, Unknown
from holdfast.store.statements import number

from ..reading.hostlist import host_lines
from ..screen.amounts import amount_text, count_text, list_text
from ..screen.terminal import printable
from .hindrance import Conclusion, Hindrance
from .scene import Scene

# A query, because a hundred thousand records take seconds to decode.
_AHEAD: Final = """
    select count(*) from (select id, data, coalesce(data ->> '$.priority', 0) as priority from job where activity > 0
    and state = 'ready') where coalesce(data ->> '$.policy.target', 'local') = ?
    and (priority > ? or priority = ? and id < ?)"""


def readiness(scene: Scene, job: Job, subject: str) -> Conclusion:
    """All that holds a ready job, in the order in which it would have to go away."""
    stored, _ = scene.since(job.id)
    held_by = list(_hindrances(scene, job))
    text = f"{subject} is ready since {scene.clock(stored.time)} (event {stored.seq})"
    if not held_by:
        return Conclusion(f"{text}; nothing holds it: it is about to be launched.")
    kinds = {each.kind for each in held_by}
    starts = "The program that has the function" if job.policy.target == FUNCTIONS else "`holdfast run`"
    remedy = f" {starts} starts one." if "supervisor" in kinds else ""
    if "pause" in kinds:
        remedy += f" `holdfast resume {job.policy.target}` ends the pause."
    return Conclusion(f"{text}, but {'; '.join(each.what for each in held_by)}.{remedy}", held_by)


def _hindrances(scene: Scene, job: Job) -> Iterator[Hindrance]:
    if scene.supervisor is None:
        yield Hindrance("supervisor", "no supervisor is running to launch it")
    target = scene.reader.lookups.target(job.policy.target)
    if target is not None:
        yield from _of_target(scene, target)
        yield from _needs(scene, job, target)
        yield from _pilot(scene, job, target)
    yield from _limits(scene, job)
    ahead = _ahead(scene, job)
    if ahead:
        yield Hindrance("queue", f"{count_text(ahead, 'ready job')} {'goes' if ahead == 1 else 'go'} first")


def _of_target(scene: Scene, target: Target) -> Iterator[Hindrance]:
    if target.paused:
        stored = scene.paused_by(target)
        who = "" if stored is None else f" {scene.who(stored)}"
        seq = None if stored is None else stored.seq
        yield Hindrance("pause", f"its target {target.name} was paused{who}", None, seq)
    there = list(way_of(scene, target))
    if there:
        yield from there
        return
    if target.is_cluster and target.journal is None:
        what = f"Slurm on {target.name} has not answered yet (`holdfast doctor {target.name}` says what is wrong)"
        yield Hindrance("target", what, None, scene.host_changed(target))
    yield from _max_queued(scene, target)
    for other in scene.in_flight:
        if other.policy.target == target.name and isinstance(other.state, Unknown):
            stored, _ = scene.since(other.id)
            why = f"{printable(other.state.reason)} (event {stored.seq})"
            yield Hindrance("target", f"its target {target.name} is out of reach: {why}", None, stored.seq)
            return


def way_of(scene: Scene, target: Target) -> Iterator[Hindrance]:
    """What is wrong with the way to a target elsewhere."""
    if target.is_elsewhere and not isinstance(target.host, Up):
        yield hindrance_of_host(scene, target)


def _pilot(scene: Scene, job: Job, target: Target) -> Iterator[Hindrance]:
    """Whether there is an allocation that has room for it."""
    if target.slurm is None or target.slurm.pilot is None:
        return
    lines = [line for line in host_lines(scene.reader) if line.name.startswith(f"{target.name}/")]
    there = [line for line in lines if line.state not in {"asked", "over"}]
    if any(fits(line.used, job.policy.needs, line.capacity) for line in there):
        return
    asked = [line for line in lines if line.state == "asked"]
    if there:
        whole = f"no allocation of {target.name} has room"
        what = f"{whole if len(there) > 1 else f'{there[0].name} has no room'} for it"
    else:
        what = f"no allocation of {target.name} is there yet"
    if asked:
        why = f" ({asked[0].reason})" if asked[0].reason else ""
        what += f"; asked for: {len(asked):,}{why}"
    elif not there and (why := _end_of_the_last(scene, target.name)):
        what += f", and the last one came to nothing: {why}"
    yield Hindrance("slurm", what)


def _end_of_the_last(scene: Scene, cluster: str) -> str:
    """Why the newest allocation of a cluster is over, if its runner never answered; else nothing."""
    last: tuple[int, str] = (0, "")
    for each in scene.reader.lookups.targets():
        its = each.allocation
        if its is not None and its.cluster == cluster and isinstance(its.state, Over | Retired):
            last = max(last, (its.number, "" if each.journal else printable(its.state.reason)))
    return last[1]


def _max_queued(scene: Scene, target: Target) -> Iterator[Hindrance]:
    """Whether as many attempts are with a cluster as it may have."""
    if target.slurm is None:
        return
    there = sum(other.place == target.name for other in scene.in_flight)
    if there >= target.slurm.max_queued:
        what = (
            f"{count_text(there, 'attempt')} are with {target.name}, and max_queued allows {target.slurm.max_queued:,}"
        )
        yield Hindrance("slurm", what)


def hindrance_of_host(scene: Scene, target: Target) -> Hindrance:
    """Why the machine of a target can't be used now, and what a person can do about it."""
    host, reason = target.host, last_error_of(target.host)
    what = f"its host {target.name} is {name_of(host)}" + (f": {printable(reason)}" if reason else "")
    match host:
        case Refused(fingerprint=fingerprint):
            what += f" (`holdfast hosts trust {target.name} --fingerprint {fingerprint}` accepts it)"
        case Down(retry_at=retry_at):
            what += f" (tried again at {scene.clock(retry_at)})"
        case _:
            pass
    return Hindrance("target", what, None, scene.host_changed(target))


def _needs(scene: Scene, job: Job, target: Target) -> Iterator[Hindrance]:
    needs = job.policy.needs if target.slurm is None else counted(job.policy.needs, target.capacity)
    short = lacking(dict(needs), target.capacity)
    if short is not None:
        name, needed, there = short
        there_in_all = f"{target.name} has {amount_text(there)} in all"
        yield Hindrance("need", f"it needs {name} {amount_text(needed)}, and {there_in_all}, so it can't start")
        return
    for name, needed in needs:
        capacity = target.capacity.get(name, 0)
        users = [(other, amount) for other, amount in _users(scene, target, name) if amount]
        free = capacity - sum(amount for _, amount in users)
        if needed > free:
            amounts = f"{amount_text(max(0, free))} of {amount_text(capacity)} are free"
            yield Hindrance("need", f"it needs {name} {amount_text(needed)}, and {amounts}: {_takers(scene, users)}")


def _takers(scene: Scene, users: list[tuple[Job, int]]) -> str:
    """Who has what is not free. Launches that go beyond a capacity wait in the runner, and have nothing yet."""
    has = [f"{scene.names(job.id)} has {amount_text(amount)}" for job, amount in users if not _is_queued(job)]
    queued = sum(_is_queued(job) for job, _ in users)
    first = f"{count_text(queued, 'job')} launched before it {'comes' if queued == 1 else 'come'} first"
    return ", and ".join([list_text(has)] * bool(has) + [first] * bool(queued))


def _users(scene: Scene, target: Target, need: str) -> Iterator[tuple[Job, int]]:
    """The jobs in flight on a target that need some of this, and how much."""
    for other in scene.in_flight:
        if other.policy.target == target.name:
            yield from ((other, amount) for name, amount in other.policy.needs if name == need)


def _is_queued(job: Job) -> bool:
    return isinstance(job.state, Launching)


def _limits(scene: Scene, job: Job) -> Iterator[Hindrance]:
    for key in job.policy.limits:
        limit = scene.reader.lookups.limit(limit_of(key))
        if limit is None:
            continue
        spec = limit.spec
        holders = [other.id for other in scene.in_flight if key in other.policy.limits]
        if spec.concurrent is not None and len(holders) >= spec.concurrent:
            who = list_text([scene.names(each) for each in holders])
            yield Hindrance("limit", f"the limit {key} allows {spec.concurrent} at once, taken by {who}")
        mark = scene.reader.lookups.mark(key)
        if spec.interval_us is not None and mark is not None:
            due_at = mark.arrival_at - (spec.burst - 1) * spec.interval_us
            if due_at > scene.now:
                yield Hindrance("rate", f"the rate of the limit {key} allows the next start at {scene.clock(due_at)}")


def _ahead(scene: Scene, job: Job) -> int:
    """How many ready jobs of its target come before it: of higher priority, or as high and older."""
    values = (job.policy.target, job.priority, job.priority, job.id)
    return number(scene.reader.connection, _AHEAD, values)
