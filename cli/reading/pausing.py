"""Waiting between two looks at something that grows."""

from __future__ import annotations

import os
import select
import sys
import time


def pause(seconds: float) -> None:
    """Show what was written so far, and wait.

    Raises BrokenPipeError as soon as nobody reads standard output any more: with nothing to write, no write would tell.
    """
    sys.stdout.flush()
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # no file behind it, as where a test captures what is written
        time.sleep(seconds)
        return
    poll = select.poll()
    poll.register(descriptor, 0)  # errors and hang-ups are reported unasked
    if poll.poll(seconds * 1000):
        raise BrokenPipeError(0, "the reader of standard output has gone", os.fspath("stdout"))
