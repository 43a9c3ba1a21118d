"""Why a job ended as it did: its own end, or the chain of ends that led to its being skipped, down to the root."""

from __future__ import annotations

from typing import Final

from holdfast.events.codec import decode_event
from holdfast.events.facts import CancelRequested
from holdfast.events.records import Job
from holdfast.events.spec import FUNCTIONS
from holdfast.events.states import Cancelled, Failed, JobState, Lost, Skipped, Succeeded, name_of

from ..screen.terminal import printable
from .hindrance import Conclusion
from .scene import Scene

_LINKS_SHOWN: Final = 4

BadEnd = Failed | Cancelled | Skipped | Lost


def blame(scene: Scene, job: Job, state: BadEnd, subject: str) -> Conclusion:
    """Why it ended so, and what would make it go on."""
    if isinstance(state, Skipped):
        links = _links(scene, state)
        return Conclusion(f"{subject} {_chain(scene, job.id, links)}. {_remedy_of_skip(scene, state, links[-1])}")
    return Conclusion(f"{subject} {_end(scene, job.id)}. {_remedy(job, state)}")


def _chain(scene: Scene, number: int, links: list[int]) -> str:
    """`was skipped (event 102) because job 5 was skipped (event 101), because job 3 (fetch) failed: ... (event 99)`."""
    shown = links if len(links) <= _LINKS_SHOWN else [*links[: _LINKS_SHOWN - 1], links[-1]]
    told = [_end(scene, link, of=scene.names(link)) for link in shown]
    if len(links) > len(shown):
        told.insert(-1, f"{len(links) - len(shown):,} more were skipped in turn")
    stored, _ = scene.since(number)
    return f"was skipped (event {stored.seq}) " + ", ".join(f"because {each}" for each in told)


def _links(scene: Scene, skipped: Skipped) -> list[int]:
    """The jobs that led to a skip, from the one before to the root, which was not skipped itself."""
    links: list[int] = []
    state: JobState = skipped
    while isinstance(state, Skipped):
        links.append(state.because)
        state = scene.job(state.because).state
    return links


def _end(scene: Scene, number: int, of: str = "") -> str:
    """How a job stands, with the event that says so; `of` is its name where the sentence needs it."""
    job = scene.job(number)
    stored, _ = scene.since(number)
    subject = f"{of} " if of else ""
    where = f"(event {stored.seq})"
    match job.state:
        case Failed(reason=reason):
            tries = f" in {job.failures} tries" if job.failures > 1 else ""
            return f"{subject}failed{tries}: {printable(reason)} {where}"
        case Lost(reason=reason):
            return f"{subject}is lost: {printable(reason)} {where}"
        case Cancelled():
            return f"{subject}was cancelled {_canceller(scene, number)}"
        case Succeeded():
            return f"{subject}succeeded {where}"
        case Skipped():
            return f"{subject}was skipped {where}"
        case _:
            return f"{subject}is {name_of(job.state)} {where} by now"


def _canceller(scene: Scene, number: int) -> str:
    """By whom a job was cancelled: whoever asked for it, or else whoever recorded it."""
    newest = None
    for stored in reversed(scene.reader.events_of(number)):
        newest = newest or stored
        if isinstance(decode_event(stored.type, stored.version, stored.data), CancelRequested):
            newest = stored
            break
        if stored.cause is None:
            break
    assert newest is not None, "a cancelled job has events"
    return scene.who(newest)


def _remedy_of_skip(scene: Scene, state: Skipped, root: int) -> str:
    if state.unneeded:
        return "Nothing went wrong: there was just no need of it."
    return f"`holdfast retry {root}` runs {scene.names(root)} again, and with it what was skipped."


def _remedy(job: Job, state: Failed | Cancelled | Lost) -> str:
    if isinstance(state, Lost):
        return f"If it may run again: `holdfast retry {job.id}`."
    wrote = state.started_at is not None and job.policy.target != FUNCTIONS
    read = "" if not wrote else f"`holdfast logs {job.id}` shows what it wrote; "
    return f"{read}`holdfast retry {job.id}` runs it again."
