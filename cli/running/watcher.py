"""Watching a flow that another process supervises."""

from __future__ import annotations

import time
from typing import Final

from holdfast.client import supervisor_lives
from holdfast.events.states import FINAL
from holdfast.store.lock import holder
from holdfast.store.reader import Reader

from ..reading.eventlines import EventPrinter
from ..screen.progress import Display
from .supervising import Errand
from .watching import Watch, anything_wrong

INTERRUPTED: Final = 130
_LOOK_S: Final = 0.2
# A look at a large flow takes a while; it may take up this part of the time at most.
_SHARE: Final = 20


def watch(errand: Errand, display: Display) -> int | None:
    """Show how the flow (or everything) goes on until it has ended; None if the supervisor left before."""
    try:
        with Reader(errand.home) as reader:
            return _watch(errand, display, reader)
    except KeyboardInterrupt:
        display.say("no longer watching; the supervisor goes on")
        return INTERRUPTED


def _watch(errand: Errand, display: Display, reader: Reader) -> int | None:
    printer = EventPrinter(reader, reader.seq) if errand.as_json else None
    flow = errand.watched
    shown = Watch(reader, flow, errand.known)
    while True:
        # Looked at before the jobs, as one that leaves records their ends first. One that is just starting has the lock
        # and does not answer yet.
        lives = supervisor_lives(errand.home) or holder(errand.home) is not None
        began = time.monotonic()
        display.update(reader.counts(flow) if flow is not None else Watch(reader, None).counts)
        unfinished = reader.unfinished(flow) or any(_lives(reader, number) for number in errand.known)
        if printer is not None:
            printer.print_new()
        if not unfinished:
            break
        if not lives:
            return None
        time.sleep(max(_LOOK_S, _SHARE * (time.monotonic() - began)))
    wrong = anything_wrong(reader, flow, errand.known) if flow is not None else _wrong_of(reader, shown)
    return 1 if wrong else 0


def _lives(reader: Reader, number: int) -> bool:
    job = reader.lookups.job(number)
    return job is not None and not isinstance(job.state, FINAL)


def _wrong_of(reader: Reader, watched: Watch) -> bool:
    for number in watched.unfinished_ids():
        job = reader.lookups.job(number)
        if job is not None:
            watched.note(job)
    return bool(watched.wrong)
