"""Why a job is where it is, in a sentence or two: one function for each group of states."""

from __future__ import annotations

from typing import assert_never

from holdfast.events.codec import decode_event
from holdfast.events.facts import CancelRequested, JobCancelled
from holdfast.events.hosts import last_error_of
from holdfast.events.records import Job, Started
from holdfast.events.states import (
    Cancelled,
    Delayed,
    Failed,
    Held,
    Launching,
    Lost,
    Ready,
    Running,
    Skipped,
    Succeeded,
    Unknown,
    Waiting,
)

from ..screen.amounts import duration_text
from ..screen.terminal import printable
from .blame import blame
from .dependencies import wait_of
from .hindrance import Conclusion, Hindrance
from .readiness import hindrance_of_host, readiness, way_of
from .scene import Scene
from .slurmqueue import standing


def conclude(scene: Scene, job: Job, subject: str) -> Conclusion:
    """Why the job is in its state. `subject` stands for it in the sentences: `it`, or its name."""
    match job.state:
        case Waiting():
            return wait_of(scene, job, subject, conclude)
        case Held():
            return _held(scene, job, subject)
        case Ready():
            return readiness(scene, job, subject)
        case Delayed():
            return _delayed(scene, job, job.state, subject)
        case Launching() | Running() | Unknown():
            return _in_flight(scene, job, subject)
        case Succeeded():
            stored, _ = scene.since(job.id)
            at = scene.clock(job.state.ended_at)
            return Conclusion(f"{subject} succeeded at {at}, in attempt {job.attempt} (event {stored.seq}).")
        case Failed() | Cancelled() | Skipped() | Lost():
            return blame(scene, job, job.state, subject)
        case _:
            assert_never(job.state)


def _held(scene: Scene, job: Job, subject: str) -> Conclusion:
    stored, _ = scene.since(job.id)
    since = f"held since {scene.clock(stored.time)} by {printable(stored.author)} (event {stored.seq})"
    text = f"{subject} is {since}; `holdfast release {job.id}` lets it go on."
    return Conclusion(text, [Hindrance("hold", since, job.id, stored.seq)])


def _delayed(scene: Scene, job: Job, state: Delayed, subject: str) -> Conclusion:
    stored, _ = scene.since(job.id)
    tries = f"try {job.failures + 1} of {job.policy.retries + 1}"
    after = f"after attempt {job.attempt} failed: {printable(state.reason)} (event {stored.seq})"
    left_us = state.due_at - scene.now
    if left_us > 0:
        when = f"waits until {scene.clock(state.due_at)}, {duration_text(left_us)} from now, for {tries}"
    else:
        when = f"is due for {tries} since {scene.clock(state.due_at)}"
    held_by = [Hindrance("delay", f"its back-off ends at {scene.clock(state.due_at)}", job.id, stored.seq)]
    text = f"{subject} {when}, {after}."
    if scene.supervisor is None:
        text += " No supervisor is running to start it then; `holdfast run` does."
        held_by.append(Hindrance("supervisor", "no supervisor is running"))
    return Conclusion(text, held_by)


def _in_flight(scene: Scene, job: Job, subject: str) -> Conclusion:
    queued = standing(scene, job, subject)
    if queued is not None:
        return Conclusion(queued.text + _cancelling(scene, job) + _unwatched(scene), queued.held_by)
    stored, _ = scene.since(job.id)
    target, number = job.place, job.attempt
    held_by: list[Hindrance] = []
    state = job.state
    if isinstance(state, Unknown):
        what = printable(state.reason)
        text = (
            f"the target {target} of {_of(subject)} is out of reach since {scene.clock(state.since)} "
            f"(event {stored.seq}): {what}. Whether attempt {number} still runs is not known until it answers again"
            f"{_now(scene, target, state.reason)}."
        )
        held_by.append(Hindrance("target", f"{target} is out of reach: {what}", job.id, stored.seq))
    elif isinstance(state, Running):
        text = (
            f"{subject} runs since {scene.clock(state.since)} on {target}{_process(scene, job)} (event {stored.seq})."
        )
    else:
        since = scene.clock(stored.time)
        launched = f"attempt {number} of {_of(subject)} was launched on {target} at {since} (event {stored.seq}); "
        found = scene.reader.lookups.target(target)
        if found is not None and found.slurm is not None:
            text = f"{launched}it has not been submitted yet."
            held_by.extend(way_of(scene, found))
            text += "".join(f" {each.what[0].upper()}{each.what[1:]}." for each in held_by)
        else:
            text = f"{launched}the runner has not said yet that it runs."
    return Conclusion(text + _cancelling(scene, job) + _unwatched(scene), held_by)


def _now(scene: Scene, target: str, told: str) -> str:
    """How the host of a target stands now, if there is more to say of it than was told when it went out of reach."""
    found = scene.reader.lookups.target(target)
    if found is None or not found.is_elsewhere or last_error_of(found.host) in {None, told}:
        return ""
    return f"; {hindrance_of_host(scene, found).what}"


def _of(subject: str) -> str:
    return "the job" if subject == "it" else subject


def _process(scene: Scene, job: Job) -> str:
    attempt = scene.reader.lookups.attempt((job.id, job.attempt))
    if attempt is None or not isinstance(attempt.phase, Started) or attempt.phase.process is None:
        return ""
    return f" as process {attempt.phase.process.pid}, attempt {job.attempt}"


def _cancelling(scene: Scene, job: Job) -> str:
    if not (isinstance(job.state, Launching | Running | Unknown) and job.state.cancelling):
        return ""
    for stored in reversed(scene.reader.events_of(job.id)):
        if isinstance(decode_event(stored.type, stored.version, stored.data), CancelRequested | JobCancelled):
            return f" It was asked to end {scene.who(stored)}."
    return ""


def _unwatched(scene: Scene) -> str:
    if scene.supervisor is not None:
        return ""
    return " No supervisor is running; what becomes of it is recorded by the next `holdfast run`."
