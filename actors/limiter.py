"""The rate limiter: who may go now, for named limits on concurrency and rate. Asked in batches, by everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from msgspec import Struct

from holdfast.events.limits import Denial, Grant, LimitTable
from holdfast.events.spec import LimitSpec

from .actor import Actor
from .reply import Request

Keys = tuple[str, ...]

CONNECT: Final = "holdfast.connect"
"""The limit of attempts to connect to other machines, by the gateway that they go through; not one of the users'."""
_OWN: Final = {CONNECT: LimitSpec(concurrent=2, interval_us=100_000, burst=4)}


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
    """Owns the tables of who holds what: jobs of users' limits, and Holdfast's parts of its own."""

    def __init__(self) -> None:
        self._table: LimitTable | None = None
        self._own = LimitTable(_OWN)

    async def handle(self, batch: Sequence[LimiterMessage]) -> None:
        """Answer at once: nothing here waits."""
        for message in batch:
            if isinstance(message, Restore):
                self._table = LimitTable(message.specs)
                self._table.restore(message.held, message.arrivals)
                message.reply.send(None)
            elif self._table is not None:  # else it was meant for a limiter that crashed, by a scheduler that is gone
                self._obey(self._table, message)

    def _obey(self, table: LimitTable, message: Acquire | Release | SetLimit) -> None:
        match message:
            case Acquire(wanted=wanted, now=now):
                # Who has gone meanwhile, as on a machine that was busy or slept, would never give it back.
                if message.reply.pending:
                    message.reply.send([self._of(keys, table).acquire(keys, now) for keys in wanted])
            case Release():
                for keys in message.keys:
                    of = self._of(keys, table)
                    # A turn at connecting may be one that a limiter gave which has crashed since.
                    if of is table or of.held(keys[0]):
                        of.release(keys)
            case SetLimit():
                table.configure(message.name, message.spec, message.arrivals)
            case _:
                assert_never(message)

    def _of(self, keys: Keys, table: LimitTable) -> LimitTable:
        return self._own if keys and keys[0].startswith(CONNECT) else table
