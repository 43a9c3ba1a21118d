"""What every store can do: the SQLite one, and its twin in memory. One suite of tests runs against both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from holdfast.events.draft import Base, Dependency, Draft
from holdfast.events.facts import AttemptBatched, Event
from holdfast.events.records import Batch, Job, Limit, RateMark
from holdfast.events.spec import JobSpec


class StoredEvent(Struct, frozen=True, gc=False):
    """A line of the log, as it is stored; `time` in microseconds since the epoch."""

    seq: int
    time: int
    type: str
    version: int
    author: str
    cause: int | None
    data: str


class LiveBase(Base, Protocol):
    """A draft's base that can also list what is alive."""

    def live_jobs(self) -> Iterator[Job]:
        """Every job that has not ended, by id."""
        ...

    def live_edges(self) -> Iterator[Dependency]:
        """What depends on a job that has not ended."""
        ...

    def limits(self) -> list[Limit]:
        """All limits."""
        ...

    def marks(self) -> list[RateMark]:
        """All rate marks."""
        ...

    def specs(self, jobs: Sequence[int]) -> dict[int, JobSpec]:
        """What was asked for, for each of these jobs."""
        ...

    def secret_names(self) -> set[str]:
        """The names of all secrets that jobs which have not ended ask for."""
        ...

    def open_batches(self, target: str) -> list[Batch]:
        """The batches of a cluster of which something is still to be expected, by name."""
        ...

    def script(self, batch: str) -> str | None:
        """What is submitted for a batch; None if there is none of this name."""
        ...

    def batched(self, jobs: Sequence[int]) -> dict[int, AttemptBatched]:
        """For each of these jobs of which an attempt ever was in a batch: the newest such event."""
        ...


class Store(Protocol):
    """The log and its views, held by the one process that may write."""

    @property
    def seq(self) -> int:
        """The position of the newest event."""
        ...

    @property
    def base(self) -> LiveBase:
        """The committed state."""
        ...

    def commit(self, drafts: Sequence[Draft]) -> list[int]:
        """Append the drafts' events and write their records, all in one synced transaction.

        Returns the seq before the first event of each draft. Raises Unavailable (DiskFull, LogBusy, ReadOnly: nothing
        was recorded; LogFailed: it may or may not have been, and the store must be opened again).
        """
        ...

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        """The log from the event after `after`. Raises Damaged for an event that can't be read."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
