"""What is known of the attempts that are in a cluster's hands: kept in memory, made again from the log and the queue.

No I/O and no clock: `now` and `asked_at` are seconds on Trio's clock, and come from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from holdfast.events.facts import AttemptBatched
from holdfast.events.messages import AttemptStatus
from holdfast.events.records import Batch, OutputRange, PlannedBatch, SubmittedBatch

from .squeue import Row
from .words import Meaning, meaning_of

SKEW_US: Final = 3_600_000_000
"""By how much the clocks of two machines may differ, at the most."""
QUEUED: Final = "queued"
RUNNING: Final = "running"
UNCLEAR: Final = "unclear"
FENCE_S: Final = 10.0
"""The script of an attempt that was to wait for others looks for half as long whether they have ended so."""
# Of several copies of an attempt, what the one counts for whose number is least.
_RANKS: Final = {Meaning.RUNS: 0, Meaning.WAITS: 1, Meaning.UNKNOWN: 2, Meaning.ENDED: 3}


class Member:
    """An attempt in a batch.

    `told`: what the scheduler heard of it last; `seen_at`: when the cluster was asked last that had it in its queue;
    `left_at`: since when it is not there; `ended`: the queue's last word of it, where it still had one then; `over`:
    its end was told. `is_missing`: the queue has others of its array, and not this one. `is_behind`: it was to wait
    there for others; `begun_at`: when it was first seen to run, if so.
    """

    __slots__ = (
        "attempt",
        "batch",
        "begun_at",
        "ended",
        "index",
        "is_astray",
        "is_behind",
        "is_missing",
        "job",
        "left_at",
        "nodes",
        "over",
        "seen_at",
        "started_at",
        "stopped_at",
        "stopping",
        "token",
        "told",
    )

    def __init__(self, token: str, job: int, attempt: int, batch: str, index: int | None) -> None:
        self.token, self.job, self.attempt, self.batch, self.index = token, job, attempt, batch, index
        self.told = ""
        self.started_at: int | None = None
        self.nodes: str | None = None
        self.seen_at: float | None = None
        self.left_at: float | None = None
        self.is_behind = False
        self.begun_at: float | None = None
        self.ended: Row | None = None
        self.is_missing = False
        self.over = False
        self.is_astray = False
        self.stopping = False
        self.stopped_at: float | None = None

    @property
    def folder(self) -> str:
        """The name of its folder on the cluster."""
        return f"{self.job}.{self.attempt}"

    @property
    def output(self) -> tuple[OutputRange, OutputRange]:
        """Where its output comes to, from the first byte."""
        return OutputRange(f"{self.folder}.out", 0), OutputRange(f"{self.folder}.err", 0)


class Entry:
    """A batch that is open.

    `id`: the cluster's, once it is known; `sent`: the cluster may have it. `sent_at`: an answer to a question that was
    asked before says nothing of it. `missed_at`: when the cluster first said that it does not have it, after it had
    been sent and its answer got lost. `doubtful`: it may have been sent more often than was answered, so that a copy of
    it may come to life at any time. `retry_at`: the cluster does not take it before, after so many `failures`.
    `submitted_at`: by the cluster's clock, as it was seen. `absences`: how often it was sent and, by the cluster's
    word, did not arrive. `secrets`: the names of those that it needs, None before they were asked for. `script`: all
    that is submitted; `plan`: what it notes with its claims. `after`: the tokens of attempts that it waits for there.
    """

    __slots__ = (
        "absences",
        "after",
        "closed",
        "doubtful",
        "failures",
        "id",
        "members",
        "missed_at",
        "name",
        "plan",
        "planned_at",
        "reason",
        "retry_at",
        "script",
        "secrets",
        "sent",
        "sent_at",
        "submitted_at",
    )

    def __init__(self, name: str, planned_at: int, members: Iterable[Member], script: str = "") -> None:
        self.name, self.planned_at, self.script = name, planned_at, script
        self.members = {member.index or 0: member for member in members}
        self.id: str | None = None
        self.reason = ""
        self.sent = False
        self.sent_at = 0.0
        self.missed_at: float | None = None
        self.submitted_at: int | None = None
        self.closed = False
        self.failures, self.retry_at, self.absences = 0, 0.0, 0
        self.secrets: tuple[str, ...] | None = None
        self.doubtful = False
        self.plan = ""
        self.after: tuple[str, ...] = ()

    @property
    def is_array(self) -> bool:
        """Whether its members are tasks of an array."""
        return any(member.index is not None for member in self.members.values())


class Sights(Struct, frozen=True):
    """What an answer of the cluster's queue says that was not known: see `Book.see`."""

    statuses: list[AttemptStatus]
    waits: list[tuple[Entry, str]]
    found: list[tuple[Entry, str]]
    missed: list[Entry]
    strangers: list[str]


class Book:
    """The open batches of one target, and their members."""

    def __init__(self, home: str) -> None:
        self._prefix = f"{home}."
        self.entries: dict[str, Entry] = {}
        self.members: dict[str, Member] = {}

    # How it comes to be.

    def load(self, batches: Sequence[Batch], placed: Sequence[tuple[str, AttemptBatched]], now: float) -> None:
        """Begin anew from what the log says: `placed` are the attempts in flight, by token.

        What was planned may have been sent, and its answer lost with the supervisor.
        """
        self.entries.clear()
        self.members.clear()
        members: dict[str, list[Member]] = {}
        for token, where in placed:
            member = Member(token, where.job, where.attempt, where.batch, where.index)
            members.setdefault(where.batch, []).append(member)
        for batch in batches:
            entry = Entry(batch.name, batch.planned_at, members.get(batch.name, ()))
            entry.plan, entry.after = batch.plan, batch.after
            entry.sent, entry.sent_at = True, now
            entry.doubtful = not isinstance(batch.state, SubmittedBatch)
            if isinstance(batch.state, SubmittedBatch):
                entry.id, entry.reason = batch.state.id, batch.state.reason
            elif isinstance(batch.state, PlannedBatch):
                entry.reason = batch.state.reason
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """A batch was planned."""
        self.entries[entry.name] = entry
        for member in entry.members.values():
            member.is_behind = bool(entry.after)
            self.members[member.token] = member

    def drop(self, member: Member) -> Entry | None:
        """A member is over; returns its batch if that was the last one."""
        self.members.pop(member.token, None)
        entry = self.entries.get(member.batch)
        if entry is None:
            return None
        entry.members.pop(member.index or 0, None)
        return None if entry.members else entry

    def close(self, entry: Entry) -> None:
        """Nothing of it is to be expected any more."""
        self.entries.pop(entry.name, None)
        for member in entry.members.values():
            self.members.pop(member.token, None)

    # What is asked of it.

    @property
    def waits_for_cluster(self) -> bool:
        """Whether anything may be in the cluster's hands, so that its queue must be looked at."""
        return any(entry.sent for entry in self.entries.values())

    @property
    def needed(self) -> set[str]:
        """The folders of attempts that batches here are to wait for."""
        return {token.removeprefix(self._prefix) for entry in self.entries.values() for token in entry.after}

    def left(self) -> list[Member]:
        """Those that were in the queue and are not any more."""
        return [member for member in self.members.values() if member.left_at is not None and not member.over]

    def to_stop(self) -> Iterator[tuple[str, list[Member]]]:
        """Those that are to be stopped and may still be there, by the cluster's id."""
        for entry in self.entries.values():
            if entry.id is not None:
                members = [each for each in entry.members.values() if each.stopping and each.left_at is None]
                if members:
                    yield entry.id, members

    def status_of(self, member: Member) -> AttemptStatus:
        """What can be said of it when a supervisor comes (again): it is known, whatever became of it."""
        entry = self.entries[member.batch]
        if entry.sent and entry.id is None:
            reason = "its submission was not answered, and the cluster is asked for it"
            return AttemptStatus(member.token, UNCLEAR, error=reason)
        if member.told == RUNNING or member.over:
            return _running(member)
        return AttemptStatus(member.token, QUEUED)

    def name_of(self, number: int, submitted_at: int) -> str:
        """The batch that has this id and was submitted then, as was seen under its own name; "" if there is none.

        Ids are given out again, where a controller was put back to an older state.
        """
        for entry in self.entries.values():
            if entry.id == str(number) and entry.submitted_at == submitted_at:
                return entry.name
        return ""

    def _name_in(self, row: Row) -> str:
        """The batch that a row is about. People, and sites, rename jobs: then the comment, or the id, tells."""
        if row.name in self.entries or row.name.startswith(self._prefix):
            return row.name
        told = row.comment.partition(":")[0]
        return told if told in self.entries else self.name_of(row.array or row.id, row.submitted_at)

    # What is seen.

    def see(self, rows: Sequence[Row], asked_at: float, now: float) -> Sights:
        """Take in all that is in the cluster's queue, asked for at `asked_at`; returns what is new.

        `statuses` of members; `waits`: batches that wait for something else now; `found`: those whose id was not known;
        `missed`: those without id that are not there; `strangers`: tokens of this home that no batch here has.
        """
        sights = Sights([], [], [], [], [])
        by_name: dict[str, list[Row]] = {}
        for row in rows:
            name = self._name_in(row)
            by_name.setdefault(name, []).append(row)
            if name in self.entries:
                self.entries[name].submitted_at = row.submitted_at
        for entry in list(self.entries.values()):
            if entry.sent and entry.sent_at <= asked_at:
                self._see_entry(entry, by_name.get(entry.name, ()), sights, asked_at, now)
        sights.strangers.extend(name for name in by_name if name.startswith(self._prefix) and name not in self.entries)
        return sights

    def _see_entry(self, entry: Entry, rows: Sequence[Row], sights: Sights, asked_at: float, now: float) -> None:
        if entry.id is None:
            if not rows:
                sights.missed.append(entry)
                return
            sights.found.append((entry, str(rows[0].array or rows[0].id)))
        row_of = _rows_by_task(rows)
        reason = ""
        for member in entry.members.values():
            row = row_of(member.index)
            meaning = Meaning.ENDED if row is None else meaning_of(row.state)
            if row is None or meaning is Meaning.ENDED:
                if member.left_at is None:
                    member.left_at = now
                member.ended = row or member.ended
                member.is_missing = row is None and bool(rows)
                continue
            member.left_at = member.ended = None
            member.seen_at = asked_at
            if meaning is Meaning.RUNS and member.is_behind and not _is_past_fence(member, now):
                continue
            if meaning is Meaning.RUNS:
                member.started_at = row.started_at or member.started_at
                member.nodes = row.nodes or member.nodes
                if member.told != RUNNING:
                    member.told = RUNNING
                    sights.statuses.append(_running(member))
            elif meaning is Meaning.WAITS:
                reason = reason or row.reason
                if member.told == UNCLEAR:
                    sights.statuses.append(AttemptStatus(member.token, QUEUED))
                if member.told != RUNNING:
                    member.told = QUEUED
        if reason and reason != entry.reason:
            entry.reason = reason
            sights.waits.append((entry, reason))


def _running(member: Member) -> AttemptStatus:
    return AttemptStatus(member.token, RUNNING, started_at=member.started_at, output=member.output, nodes=member.nodes)


def _is_past_fence(member: Member, now: float) -> bool:
    """Whether its script has surely seen that what it waited for has ended so: one that has not will be taken back."""
    member.begun_at = now if member.begun_at is None else member.begun_at
    return now - member.begun_at >= FENCE_S


def _rows_by_task(rows: Sequence[Row]) -> Callable[[int | None], Row | None]:
    """Which row says of a task what matters: that it runs rather than that a copy of it waits, or has ended."""
    single: dict[int | None, Row] = {}
    many: list[Row] = []
    for row in sorted(rows, key=lambda each: _RANKS[meaning_of(each.state)], reverse=True):
        if row.tasks is None:
            single[None] = row
        elif len(row.tasks) == 1:
            single[row.tasks.first] = row
        else:
            many.append(row)

    def find(index: int | None) -> Row | None:
        found = single.get(index)
        if found is not None or index is None:
            return found
        for row in many:
            if row.tasks is not None and index in row.tasks:
                return row
        return None

    return find
