"""A job's events with their causes in words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from holdfast.events import facts
from holdfast.events.codec import TYPE_NAMES, decode_event
from holdfast.events.facts import Event
from holdfast.store.contract import StoredEvent
from holdfast.store.listing import format_time

from ..reading.batchscripts import happened_to, places_of
from ..screen.terminal import printable
from .happenings import describe, ending
from .scene import Scene


class Happened(msgspec.Struct, frozen=True):
    """One event of a job: `what` happened, and `because` of what else, where that says more than their order does."""

    seq: int
    time: str
    local: str
    type: str
    author: str
    cause: int | None
    what: str
    because: str | None

    @property
    def sentence(self) -> str:
        """Both in one, fit for a terminal."""
        # The reason of a skip says the same as its cause, in fewer words.
        what = self.what.partition(":")[0] if self.type == TYPE_NAMES[facts.JobSkipped] and self.because else self.what
        return printable(what if self.because is None else f"{what}, because {self.because}")


def history(scene: Scene, job: int) -> Iterator[Happened]:
    """The job's events in order, and among them those of the batches that its attempts went to a cluster in."""
    own = scene.reader.events_of(job)
    batches = {place.batch.name for place in places_of(scene.reader, own).values()}
    others = [stored for name in batches for stored in happened_to(scene.reader, name)]
    for stored in sorted([*own, *others], key=lambda each: each.seq) if others else own:
        event = decode_event(stored.type, stored.version, stored.data)
        yield Happened(
            stored.seq,
            format_time(stored.time),
            scene.clock(stored.time),
            stored.type,
            stored.author,
            stored.cause,
            describe(event, scene.names, scene.clock),
            _because(scene, stored, event),
        )


def _because(scene: Scene, stored: StoredEvent, event: Event) -> str | None:
    if stored.cause is None:
        return None
    cause, of = scene.event(stored.cause)
    if isinstance(of, facts.FlowSubmitted):
        return None  # which flow it is of, is said above all events
    if isinstance(of, facts.OfJob) and isinstance(event, facts.OfJob) and of.job == event.job:
        # A job's own events follow one another; only the end of a delay is not told by the next line itself.
        over = isinstance(event, facts.JobReady) and isinstance(of, facts.AttemptEnded)
        return f"its delay after event {cause.seq} is over" if over else None
    return f"{_told(scene, of)} (event {cause.seq})"


def _told(scene: Scene, event: Event) -> str:
    match event:
        case facts.AttemptEnded(job=job):
            return f"{scene.names(job)} {ending(event)}"
        case facts.JobCancelled(job=job):
            return f"{scene.names(job)} was cancelled"
        case facts.JobSkipped(job=job):
            return f"{scene.names(job)} was skipped"
        case facts.JobRetried(job=job):
            return f"{scene.names(job)} is to run again"
        case facts.TargetAttached(target=target):
            return f"another runner than before answers on {target}"
        case facts.OfJob(job=job):
            return f"{scene.names(job)}: {describe(event, scene.names, scene.clock)}"
        case _:
            return describe(event, scene.names, scene.clock)
