"""Why a ready job has not been launched: no supervisor, a pause, needs or limits in use, a rate, or others first."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.events.capacity import lacking
from holdfast.events.limits import limit_of
from holdfast.events.records import Job, Target
from holdfast.events.states import Ready, Unknown

from ..screen.amounts import amount_text, count_text, list_text
from ..screen.terminal import printable
from .hindrance import Conclusion, Hindrance
from .scene import Scene


def readiness(scene: Scene, job: Job, subject: str) -> Conclusion:
    """All that holds a ready job, in the order in which it would have to go away."""
    stored, _ = scene.since(job.id)
    held_by = list(_hindrances(scene, job))
    text = f"{subject} is ready since {scene.clock(stored.time)} (event {stored.seq})"
    if not held_by:
        return Conclusion(f"{text}; nothing holds it: it is about to be launched.")
    kinds = {each.kind for each in held_by}
    remedy = " `holdfast run` starts one." if "supervisor" in kinds else ""
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
    for other in scene.in_flight:
        if other.policy.target == target.name and isinstance(other.state, Unknown):
            stored, _ = scene.since(other.id)
            why = f"{printable(other.state.reason)} (event {stored.seq})"
            yield Hindrance("target", f"its target {target.name} is out of reach: {why}", None, stored.seq)
            return


def _needs(scene: Scene, job: Job, target: Target) -> Iterator[Hindrance]:
    short = lacking(dict(job.policy.needs), target.capacity)
    if short is not None:
        name, needed, there = short
        there_in_all = f"{target.name} has {amount_text(there)} in all"
        yield Hindrance("need", f"it needs {name} {amount_text(needed)}, and {there_in_all}, so it can't start")
        return
    used = scene.reader.lookups.used(target.name)
    for name, needed in job.policy.needs:
        capacity = target.capacity.get(name, 0)
        free = capacity - used.get(name, 0)
        if needed > free:
            users = [
                f"{scene.names(other.id)} has {amount_text(amount)}"
                for other in scene.in_flight
                for what, amount in other.policy.needs
                if what == name and amount and other.policy.target == target.name
            ]
            amounts = f"{amount_text(max(0, free))} of {amount_text(capacity)} are free"
            yield Hindrance("need", f"it needs {name} {amount_text(needed)}, and {amounts}: {list_text(users)}")


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
    rank = (-job.priority, job.id)
    return sum(
        isinstance(other.state, Ready)
        and other.policy.target == job.policy.target
        and (-other.priority, other.id) < rank
        for other in scene.reader.lookups.live_jobs()
    )
