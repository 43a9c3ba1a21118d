"""The rate limiter: who may go now, for named limits on concurrency and rate. Asked in batches, by everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from msgspec import Struct

from holdfast.events.limits import Denial, Grant, LimitTable
from holdfast.events.spec import LimitSpec

from .actor import Actor
from .reply import Request

Keys = tuple[str, ...]


class Restore(Request[None], frozen=True):
    """Start from what the log says: the bounds, a key for each holder, and GCRA's arrival times by key."""

    specs: Mapping[str, LimitSpec]
    held: Sequence[str]
    arrivals: Mapping[str, int]


class Acquire(Request[list[Grant | Denial]], frozen=True):
    """Take the limits of several jobs, each all or nothing, at `now` (microseconds); answered in the same order."""

    wanted: Sequence[Keys]
    now: int


class Release(Struct, frozen=True):
    """Give back what was taken, for each of several."""

    keys: Sequence[Keys]


class SetLimit(Struct, frozen=True):
    """A limit has these bounds, and its keys these arrival times, from now on."""

    name: str
    spec: LimitSpec
    arrivals: Mapping[str, int]


LimiterMessage = Restore | Acquire | Release | SetLimit


class Limiter(Actor[LimiterMessage]):
    """Owns the table of who holds what."""

    def __init__(self) -> None:
        self._table: LimitTable | None = None

    async def handle(self, batch: Sequence[LimiterMessage]) -> None:
        """Answer at once: nothing here waits."""
        for message in batch:
            if isinstance(message, Restore):
                self._table = LimitTable(message.specs)
                self._table.restore(message.held, message.arrivals)
                message.reply.send(None)
            elif self._table is not None:  # else it was meant for a limiter that crashed, by a scheduler that is gone
                _serve(self._table, message)


def _serve(table: LimitTable, message: Acquire | Release | SetLimit) -> None:
    match message:
        case Acquire():
            message.reply.send([table.acquire(keys, message.now) for keys in message.wanted])
        case Release():
            for keys in message.keys:
                table.release(keys)
        case SetLimit():
            table.configure(message.name, message.spec, message.arrivals)
        case _:
            assert_never(message)
