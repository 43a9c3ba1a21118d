"""Reading one stream of an attempt out of its segment: its bytes exactly, and a word where `max_output` dropped some.

Segments are shared by attempts that ran one after the other; see `actors/runner.py`. Of one that has ended, the log
says where its output begins and ends and what was dropped between. Of one that runs, what was dropped is a hole in the
file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from holdfast.events.errors import Damaged
from holdfast.events.records import OutputRange

CHUNK_BYTES: Final = 256 * 1024
_BLOCK_BYTES: Final = 4096


class OutputMissing(Damaged):
    """A segment that the log names is not there, or can't be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"the output file {path} can't be read: {why}; output is kept beside the log and is gone if removed there"
        )


class OutputCut(Damaged):
    """A segment ends before the output that the log says is in it."""

    def __init__(self, path: Path, missing_bytes: int) -> None:
        super().__init__(
            f"the output file {path} was cut: the last {missing_bytes} bytes of this job's output are missing; "
            "nothing but its runner may write there"
        )


class Stream:
    """Passes a stream on, from its start as far as it is told to."""

    def __init__(
        self,
        path: Path,
        start: int,
        head_bytes: int,
        write: Callable[[bytes], object],
        tell_dropped: Callable[[int], None],
    ) -> None:
        """`head_bytes`: so many are kept before anything is dropped; `tell_dropped` hears how many are left out here.

        Raises OutputMissing.
        """
        self._path = path
        self._head_end = start + head_bytes
        self._write = write
        self._tell_dropped = tell_dropped
        self.position = start
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise OutputMissing(path, error.strerror or str(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def size(self) -> int:
        """How long the segment is now."""
        return os.fstat(self._descriptor).st_size

    def finish(self, found: OutputRange, end: int) -> None:
        """Pass on what is left up to `end`, but for what the log says was dropped. Raises OutputCut."""
        if found.dropped_start < found.dropped_end and self.position < found.dropped_end:
            self._copy(found.dropped_start, can_have_holes=False)
            self._skip(found.dropped_end)
        self._copy(end, can_have_holes=False)
        if self.position < end:
            raise OutputCut(self._path, end - self.position)

    def advance(self, until: int) -> None:
        """Pass on what there is up to `until` while the attempt runs, leaving out what has been dropped by now."""
        self._copy(until, can_have_holes=True)

    def _copy(self, until: int, *, can_have_holes: bool) -> None:
        while self.position < until:
            data = os.pread(self._descriptor, min(CHUNK_BYTES, until - self.position), self.position)
            if not data:
                return
            # The look for a hole comes after the read: the runner may make one at any time.
            hole = self._hole_before(self.position + len(data)) if can_have_holes else None
            if hole is None:
                self._write(data)
                self.position += len(data)
            else:
                kept = self._kept_before(data[: hole - self.position])
                self._write(kept)
                self.position += len(kept)
                self._skip(self._data_after(hole, until))

    def _kept_before(self, data: bytes) -> bytes:
        """What of the data before a hole is the job's: past the head, the rest of a block was filled with zeros."""
        head = max(0, self._head_end - self.position)
        return data[:head] + data[head:].rstrip(b"\0")

    def _skip(self, to: int) -> None:
        if to > self.position:
            self._tell_dropped(to - self.position)
            self.position = to

    def _hole_before(self, end: int) -> int | None:
        try:
            hole = os.lseek(self._descriptor, self.position, os.SEEK_HOLE)
        except OSError:  # this file system knows no holes, so it has none
            return None
        return hole if hole < end else None

    def _data_after(self, hole: int, until: int) -> int:
        """Where data goes on after a hole: behind the zeros that the rest of a block was filled with."""
        try:
            data = os.lseek(self._descriptor, hole, os.SEEK_DATA)
        except OSError:  # nothing but the hole is left
            return until
        rest = os.pread(self._descriptor, max(0, min(_BLOCK_BYTES, until - data)), data)
        return min(until, data + len(rest) - len(rest.lstrip(b"\0")))
