"""Ctrl-C while there is nothing to interrupt yet: ends the process at once, where Python would show a traceback.

Importing takes longer than many commands do, and a library of C that an exception comes up in may even crash. This
module is imported first, so it imports next to nothing itself.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130


def end_at_once() -> None:
    """From now on Ctrl-C ends the process, with exit code 130; no exception is raised."""
    # One that is ignored, as a shell without job control has it for what it starts with &, stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def interrupt_from_now_on() -> None:
    """Undo `end_at_once`: there is something to put in order now, so Ctrl-C raises KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: object) -> None:
    del number, frame
    os._exit(INTERRUPTED)
