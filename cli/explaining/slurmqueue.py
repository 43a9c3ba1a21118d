"""Why a job that is in the hands of a cluster is where it is: what its attempt waits for, or why nobody can say."""

from __future__ import annotations

from typing import assert_never

from holdfast.events.records import ClosedBatch, Job, PlannedBatch, SubmittedBatch, UnclearBatch
from holdfast.events.states import Running, Unknown

from ..reading.batchscripts import Place, newest_place
from ..screen.terminal import printable
from .happenings import behind_text
from .hindrance import Conclusion, Hindrance
from .scene import Scene
from .slurmwords import waiting_text


def standing(scene: Scene, job: Job, subject: str) -> Conclusion | None:
    """Why a job whose attempt is in flight on a cluster is where it is; None if its attempt is in no batch."""
    place = newest_place(scene.reader, job.id, job.attempt)
    if place is None:
        return None
    stored, _ = scene.since(job.id)
    if isinstance(job.state, Running):
        on = f"on {place.batch.target}{_as_job(place)}, attempt {job.attempt}"
        return Conclusion(f"{subject} runs since {scene.clock(job.state.since)} {on} (event {stored.seq}).")
    if isinstance(job.state, Unknown) and not isinstance(place.batch.state, UnclearBatch):
        what = printable(job.state.reason)
        text = (
            f"how attempt {job.attempt} of {_of(subject)}{_as_job(place)} stands is not known since "
            f"{scene.clock(job.state.since)} (event {stored.seq}): {what}. It counts neither as running nor as ended; "
            f"{place.batch.target} is asked again and again, and what it then says is recorded."
        )
        return Conclusion(text, [Hindrance("slurm", f"{place.batch.target} does not say: {what}", job.id, stored.seq)])
    waiting = _waiting(scene, job, place, subject, stored.seq)
    attempt = scene.reader.lookups.attempt((job.id, job.attempt))
    if attempt is None or not attempt.after:
        return waiting
    behind = behind_text(attempt.after, scene.names)
    return Conclusion(f"{waiting.text} {place.batch.target} was told to wait for {behind}.", waiting.held_by)


def _waiting(scene: Scene, job: Job, place: Place, subject: str, seq: int) -> Conclusion:
    attempt, target = f"attempt {job.attempt} of {_of(subject)}", place.batch.target
    match place.batch.state:
        case PlannedBatch(reason=""):
            text = f"{attempt} is about to be submitted to {target} (event {seq})."
            return Conclusion(text, [Hindrance("slurm", f"it is about to be submitted to {target}", job.id, seq)])
        case PlannedBatch(reason=reason):
            what = f"{target} has not taken it yet: {printable(reason)}"
            text = f"{attempt} waits here: {what}. It is tried again."
            return Conclusion(text, [Hindrance("slurm", what, job.id, seq)])
        case UnclearBatch(since=since, reason=reason):
            what = f"whether {target} has it is not known since {scene.clock(since)}: {printable(reason)}"
            text = (
                f"{attempt} was submitted, but {what}. It is looked up there by its name, in the queue and in the "
                f"accounting; it is taken over if it is found, and submitted again only once {target} has answered, "
                "with time enough in between, that it is not there."
            )
            return Conclusion(text, [Hindrance("slurm", what, job.id, seq)])
        case SubmittedBatch(since=since, reason=reason):
            why = printable(waiting_text(reason)) if reason else "why it waits, Slurm has not said yet"
            text = f"{attempt} is in the queue of {target}{_as_job(place)} since {scene.clock(since)}: {why}."
            return Conclusion(text, [Hindrance("slurm", f"{target}: {why}", job.id, seq)])
        case ClosedBatch(reason=reason):
            text = f"{target} has nothing more of {attempt}: {printable(reason)}; its end is about to be recorded."
            return Conclusion(text)
        case _:
            assert_never(place.batch.state)


def _as_job(place: Place) -> str:
    number = place.slurm_id
    return "" if number is None else f" as Slurm's job {number}"


def _of(subject: str) -> str:
    return "the job" if subject == "it" else subject
