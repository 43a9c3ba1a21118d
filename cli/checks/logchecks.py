"""`doctor` looks into the log: whether it can be read, its clock, and jobs of which nobody knows how they stand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from holdfast.events.errors import HoldfastError
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.reading import views_seq
from holdfast.store.statements import number, snapshot

from ..screen.amounts import count_text, duration_text
from ..screen.moments import now_us
from .checkup import Finding, ok, warning, wrong
from .processchecks import RUNNER_LOCK, is_locked

_AHEAD_US: Final = 5_000_000  # clocks that are set gently differ by less
_FLIGHT: Final = ("launching", "running")


def check_log(home: Home) -> Iterator[Finding]:
    """The findings about what is recorded; none for a home without a log."""
    if not home.log.exists():
        return
    try:
        with Reader(home) as reader:
            findings = [*_check_whole(reader), *_check_clock(reader, now_us()), *_check_jobs(home, reader)]
    except HoldfastError as error:
        yield wrong(str(error), "")
        return
    yield from findings


def _check_whole(reader: Reader) -> Iterator[Finding]:
    """What can be seen of holes without reading all events, as `verify` does."""
    with snapshot(reader.connection):
        events, newest = number(reader.connection, "select count(*) from events"), reader.seq
        followed = views_seq(reader.connection)
    if events != newest:
        what = f"the log holds {count_text(events, 'event')}, but the newest is event {newest:,}: some are missing"
        yield wrong(what, "`holdfast verify` says where; restore the home from a backup")
    elif followed != newest:
        what = f"the log ends with event {newest:,}, but the views have followed it to event {followed:,}"
        yield wrong(what, "`holdfast verify` says more; what the log holds `holdfast rebuild` makes the views of")


def _check_clock(reader: Reader, now: int) -> Iterator[Finding]:
    seq = reader.seq
    for stored, _ in islice(reader.events(seq - 1), 1):
        ahead_us = stored.time - now
        if ahead_us > _AHEAD_US:
            what = f"the newest event is {duration_text(ahead_us)} in the future: the clock was set back, or is wrong"
            yield warning(what, "set the clock right; delays and rates are kept by it")
        else:
            age = f"the newest of {duration_text(-ahead_us)} ago"
            yield ok(f"the log has {count_text(seq, 'event')}, {age}; `holdfast verify` checks each")


def _check_jobs(home: Home, reader: Reader) -> Iterator[Finding]:
    counts = reader.counts()
    unknown, lost = counts.get("unknown", 0), counts.get("lost", 0)
    if unknown:
        remedy = "`holdfast run` finds out what became of them; `holdfast jobs --state unknown` lists them"
        yield warning(f"{count_text(unknown, 'job')} can't be reached just now", remedy)
    if lost:
        remedy = "`holdfast jobs --state lost` lists them; `holdfast retry` runs those again that may run twice"
        yield warning(f"of {count_text(lost, 'job')} it can't be known how they ended", remedy)
    flying = sum(counts.get(state, 0) for state in _FLIGHT)
    if flying and not is_locked(home.path / RUNNER_LOCK):
        remedy = "`holdfast run` starts a runner, which finds those that still run"
        yield warning(f"{count_text(flying, 'attempt')} should be in flight, but no runner is at work", remedy)
    if not (unknown or lost):
        yield ok(f"the fate of all {count_text(sum(counts.values()), 'job')} is known")
