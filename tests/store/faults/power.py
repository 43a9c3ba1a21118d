"""What is on a disk when the power goes: of what was written since the last sync nothing, all, or any part of it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final, assert_never

from .disk import Creation, Deletion, FailedSync, Promise, Step, Sync, Truncation, Write

SECTOR_BYTES: Final = 512
DROPPED, KEPT, TORN = WAYS = ("dropped", "kept", "torn")
_LOG: Final = "log.db"

Pending = Write | Truncation


class _File:
    """A file: what is on the disk for certain, and what was written since it was synced."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.pending: list[Pending] = []
        # What a sync failed to write: it can be read for as long as the system keeps it in memory.
        self.adrift: list[Pending] = []

    def take(self, step: Pending) -> None:
        if isinstance(step, Write):
            end = step.start + len(step.data)
            self.adrift = [each for each in self.adrift if not _lies_within(each, step.start, end)]
        self.pending.append(step)

    def sync(self) -> None:
        for step in self.pending:
            _apply(self.durable, step)
        self.pending = []

    def fail_sync(self) -> None:
        for step in self.pending:
            self.adrift.extend(_sectors(step) if isinstance(step, Write) else [step])
        self.pending = []

    def content(self, way: str, random: Random) -> bytes:
        found = bytearray(self.durable)
        unsure = [*self.adrift, *self.pending]
        for step in unsure if way == KEPT else _some(unsure, random) if way == TORN else []:
            _apply(found, step)
        return bytes(found)


class Power:
    """The disk while steps are taken, ready for the power to go after any of them."""

    def __init__(self, log: bytes | None = None) -> None:
        """`log`: what is in the log's file for certain at first; None: it has just been made, for SQLite to fill."""
        self.acknowledged = 0
        self._files = {_LOG: _File()}
        # The folder as it is on the disk for certain: a deleted file may still be there, a new one not yet.
        self._folder: dict[str, _File] = {}
        if log is not None:
            self._files[_LOG].durable.extend(log)
            self._folder = dict(self._files)

    def take(self, step: Step) -> None:
        """Let a step happen."""
        match step:
            case Write() | Truncation():
                # One that is not known was there before, empty: a reader leaves a WAL behind.
                self._files.setdefault(step.file, _File()).take(step)
            case Sync(file=file, folder=folder):
                self._files[file].sync()
                if folder:
                    self._folder = dict(self._files)
            case FailedSync(file=file):
                self._files[file].fail_sync()
            case Creation(file=file):
                self._files.setdefault(file, _File())
            case Deletion(file=file, folder=folder):
                del self._files[file]
                if folder:
                    self._folder = dict(self._files)
            case Promise(seq=seq):
                self.acknowledged = seq
            case _:
                assert_never(step)

    def cut(self, folder: Path, way: str, random: Random) -> None:
        """Write what is left into `folder`, which is empty."""
        names = self._folder if way == DROPPED or (way == TORN and random.random() < 0.5) else self._files
        for name, file in names.items():
            folder.joinpath(name).write_bytes(file.content(way, random))


def _lies_within(step: Pending, start: int, end: int) -> bool:
    return isinstance(step, Write) and start <= step.start and step.start + len(step.data) <= end


def _apply(content: bytearray, step: Pending) -> None:
    match step:
        case Write(start=start, data=data):
            if len(content) < start:
                content.extend(bytes(start - len(content)))
            content[start : start + len(data)] = data
        case Truncation(size=size):
            del content[size:]
            content.extend(bytes(size - len(content)))
        case _:
            assert_never(step)


def _some(pending: list[Pending], random: Random) -> list[Pending]:
    """Some of the writes, in any order, and of some only some sectors: a disk promises no more between syncs."""
    found: list[Pending] = []
    for step in pending:
        if isinstance(step, Truncation) or random.random() < 0.5:
            found.extend([step] if random.random() < 0.5 else [])
        else:
            found.extend(sector for sector in _sectors(step) if random.random() < 0.5)
    random.shuffle(found)
    return found


def _sectors(write: Write) -> list[Write]:
    """The same write in pieces that end at sectors."""
    pieces: list[Write] = []
    start, end = write.start, write.start + len(write.data)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        pieces.append(Write(write.file, start, write.data[start - write.start : stop - write.start]))
        start = stop
    return pieces
