"""What an explanation looks at: the records of a home, the names of its jobs, the time, and who has its lock."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from holdfast.events.codec import decode_event
from holdfast.events.facts import AttemptBatched, AttemptProgressed, CancelRequested, Event, FilesStaged, JobPrioritised
from holdfast.events.records import Job, Target
from holdfast.store.contract import StoredEvent
from holdfast.store.lock import holder
from holdfast.store.reader import Reader
from holdfast.store.statements import first

from ..screen.moments import clock_text, now_us
from ..screen.terminal import printable
from .naming import Names

_NEWEST_PAUSE: Final = (
    "select seq from events where type = 'target_paused' and data ->> 'target' = ? order by seq desc limit 1"
)
_NEWEST_HOST: Final = (
    "select seq from events where type = 'host_changed' and data ->> 'target' = ? order by seq desc limit 1"
)

_MOVES_NOTHING: Final = (JobPrioritised, CancelRequested, AttemptProgressed, FilesStaged, AttemptBatched)


class Scene:
    """Everything that conclusions are drawn from, through a reader that the caller keeps open."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.names = Names(reader)
        self.now = now_us()

    @cached_property
    def supervisor(self) -> int | None:
        """The pid of the process that has the home's lock, or None."""
        return holder(self.reader.home)

    @cached_property
    def in_flight(self) -> list[Job]:
        """All jobs that have an attempt in flight, on any target."""
        return [job for target in self.reader.lookups.targets() for job in self.reader.lookups.in_flight(target.name)]

    def job(self, number: int) -> Job:
        """The record of a job that exists."""
        found = self.reader.lookups.job(number)
        assert found is not None, f"there is no job {number}"
        return found

    def clock(self, moment_us: int) -> str:
        """Local time, with the date unless it is today."""
        return clock_text(moment_us, self.now)

    def event(self, seq: int) -> tuple[StoredEvent, Event]:
        """The event at a position of the log."""
        return next(self.reader.events(seq - 1))

    def since(self, number: int) -> tuple[StoredEvent, Event]:
        """The event that brought a job into the state that it is in."""
        for stored in reversed(self.reader.events_of(number)):
            event = decode_event(stored.type, stored.version, stored.data)
            if not isinstance(event, _MOVES_NOTHING):
                return stored, event
        message = f"job {number} has no event"
        raise AssertionError(message)

    def host_changed(self, target: Target) -> int | None:
        """The seq of the event that put a target's host into its state."""
        row = first(self.reader.connection, tuple[int], _NEWEST_HOST, (target.name,))
        return None if row is None else row[0]

    def paused_by(self, target: Target) -> StoredEvent | None:
        """The event that paused a target, which is paused."""
        row = first(self.reader.connection, tuple[int], _NEWEST_PAUSE, (target.name,))
        return None if row is None else self.event(row[0])[0]

    def who(self, stored: StoredEvent) -> str:
        """By whom, when and where in the log: `by ada at 13:52:07 (event 41)`."""
        return f"by {printable(stored.author)} at {self.clock(stored.time)} (event {stored.seq})"
