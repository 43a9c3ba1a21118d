"""`holdfast log`: what happened, in order; for programs with the data of each event as it is stored."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from typing import Final

from holdfast.events.codec import decode_event
from holdfast.events.errors import BadInput
from holdfast.events.facts import Event, OfJob
from holdfast.store.contract import StoredEvent
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..explaining.happenings import describe, plain_name
from ..reading.eventlines import json_line
from ..reading.pausing import pause
from ..screen.moments import moment_text
from ..screen.terminal import Paint, printable
from .chosen import whole_number

_CHUNK: Final = 1000

Entry = tuple[StoredEvent, Event]


def execute(arguments: Namespace, home: Home) -> int:
    """Print the events, and with --follow go on until interrupted. Raises BadInput for an unknown job or position."""
    with Reader(home) as reader:
        after = _after(reader, arguments.after)
        jobs = None if arguments.job is None else frozenset(reader.find_jobs(arguments.job))
        entries = _entries(reader, after, jobs, follow=arguments.follow)
        for stored, event in entries:
            if arguments.json:
                sys.stdout.buffer.write(json_line(stored))
            else:
                sys.stdout.write(_sentence(stored, event))
    return 0


def _after(reader: Reader, text: str | None) -> int:
    if text is None:
        return 0
    newest = reader.seq
    after = whole_number(text, "--after", 0, f"give the position of an event; the newest is {newest}")
    if after > newest:
        # A program that goes on from there would take a log that lost its end for one without news.
        problem = f"the log ends with event {newest}, before {after}"
        raise BadInput(problem, where="--after", remedy="is it the same home, with its whole log?")
    return after


def _entries(reader: Reader, after: int, jobs: frozenset[int] | None, *, follow: bool) -> Iterator[Entry]:
    if jobs is not None and len(jobs) == 1:
        (job,) = jobs
        newest = reader.seq
        for stored in reader.events_of(job, after):
            newest = max(newest, stored.seq)
            yield stored, decode_event(stored.type, stored.version, stored.data)
        after = newest
        if not follow:
            return
    everything = reader.follow(after, pause) if follow else _all(reader, after)
    for stored, event in everything:
        if jobs is None or (isinstance(event, OfJob) and event.job in jobs):
            yield stored, event


def _all(reader: Reader, after: int) -> Iterator[Entry]:
    """The log in pieces: a slow reader of ours must not hold a snapshot, which would keep the WAL from being reset."""
    while chunk := list(islice(reader.events(after), _CHUNK)):
        yield from chunk
        after = chunk[-1][0].seq


def _sentence(stored: StoredEvent, event: Event) -> str:
    paint = Paint(sys.stdout)
    what = describe(event, plain_name, moment_text)
    subject = f"job {event.job}: " if isinstance(event, OfJob) else ""
    cause = "" if stored.cause is None else paint(f"  (because of {stored.cause})", "dim")
    author = printable(stored.author)
    return f"{stored.seq:>7}  {moment_text(stored.time)}  {author:<12}  {subject}{printable(what)}{cause}\n"
