"""Watching a flow that another process supervises."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from holdfast.client import supervisor_lives
from holdfast.store.lock import holder
from holdfast.store.reader import Reader

from ..reading.eventlines import EventPrinter
from ..screen.progress import Display
from .supervising import Errand
from .watching import Watch

INTERRUPTED: Final = 130
_LOOK_S: Final = 0.2
# A look at a large flow takes a while; it may take up this part of the time at most.
_SHARE: Final = 20


def watch(errand: Errand, display: Display) -> int | None:
    """Show how the flow (or everything) goes on until it has ended; None if the supervisor left before."""
    try:
        with _sigterm_as_interrupt(), Reader(errand.home) as reader:
            return _watch(errand, display, reader)
    except KeyboardInterrupt:
        display.say("no longer watching; the supervisor goes on")
        return INTERRUPTED


@contextmanager
def _sigterm_as_interrupt() -> Generator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _watch(errand: Errand, display: Display, reader: Reader) -> int | None:
    printer = EventPrinter(reader, reader.seq) if errand.as_json else None
    shown = Watch(reader, errand.watched, errand.known, errand.began)
    while True:
        # Looked at before the jobs, as one that leaves records their ends first. One that is just starting has the lock
        # and does not answer yet.
        lives = supervisor_lives(errand.home) or holder(errand.home) is not None
        began = time.monotonic()
        shown.refresh(reader)
        display.update(shown.counts)
        if printer is not None:
            printer.print_new()
        if not shown.unfinished:
            return 1 if shown.anything_wrong(reader) else 0
        if not lives:
            return None
        time.sleep(max(_LOOK_S, _SHARE * (time.monotonic() - began)))
