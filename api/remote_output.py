"""One stream of an attempt on another machine: read piece by piece through the supervisor and the runner there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.events.errors import Unavailable
from holdfast.events.messages import OutputPiece, ReadOutput
from holdfast.events.records import Attempt, OutputRange
from holdfast.store.home import Home

from .client import ask

PIECE_BYTES: Final = 256 * 1024
_ANY: Final = 1 << 60


class RemoteStream:
    """See `store.segments.Stream`, whose place it takes."""

    def __init__(
        self,
        home: Home,
        attempt: Attempt,
        found: OutputRange,
        write: Callable[[bytes], object],
        tell_dropped: Callable[[int], None],
    ) -> None:
        """`tell_dropped` hears how many bytes are left out at a place."""
        self._home = home
        self._attempt = attempt
        self._segment = found.segment
        self._write = write
        self._tell_dropped = tell_dropped
        self.position = found.start

    def close(self) -> None:
        """Nothing is held."""

    def size(self) -> int:
        """As far as it may be read while the attempt runs; the runner knows where it ends."""
        return _ANY

    def finish(self, found: OutputRange, end: int) -> None:
        """Pass on what is left up to `end`, but for what was dropped. Raises Unavailable."""
        if found.dropped_start < found.dropped_end and self.position < found.dropped_end:
            self._copy(found.dropped_start)
            if self.position < found.dropped_end:
                self._tell_dropped(found.dropped_end - self.position)
                self.position = found.dropped_end
        self._copy(end)
        if self.position < end:
            message = f"the last {end - self.position} bytes of this output are gone from {self._attempt.target}"
            raise Unavailable(message)

    def advance(self, until: int) -> None:
        """Pass on what the attempt has written by now, for as long as it runs. Raises Unavailable."""
        while self.position < until:
            piece = self._read(until, self._attempt.token)
            if not piece.data:
                return
            self._take(piece.data)

    def _copy(self, until: int) -> None:
        while self.position < until:
            piece = self._read(until, None)
            if not piece.data:
                return
            self._take(piece.data)

    def _take(self, data: bytes) -> None:
        self._write(data)
        self.position += len(data)

    def _read(self, until: int, token: str | None) -> OutputPiece:
        end = min(until, self.position + PIECE_BYTES)
        target = self._attempt.target
        piece = ask(self._home, ReadOutput(target, self._segment, self.position, end, token))
        if piece is None:
            message = f"the output is on {target}, and no supervisor is running that could fetch it: `holdfast serve`"
            raise Unavailable(message)
        assert isinstance(piece, OutputPiece), "a wish to read is answered by a piece"
        return piece
