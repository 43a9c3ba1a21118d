"""What was found wrong in a run, and the story of the run for whoever has to find out why."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from typing import Final

from .determinism import now_us

STORY_LINES: Final = 400


class Verdict:
    """Takes the first broken promise, and has the run stopped then; what follows from it says nothing new."""

    def __init__(self) -> None:
        self.broken: str | None = None
        self.broken_us = 0
        self.story: deque[str] = deque(maxlen=STORY_LINES)
        self.stop: Callable[[], object] = lambda: None

    def tell(self, what: str) -> None:
        """Note something that happened."""
        self.story.append(f"{now_us() / 1_000_000:12.6f}  {what}")

    def fail(self, what: str) -> None:
        """A promise is broken."""
        self.tell(f"BROKEN: {what}")
        if self.broken is None:
            self.broken, self.broken_us = what, now_us()
            self.stop()

    def unexpected(self, name: str, error: BaseException) -> None:
        """An actor crashed for a reason that the simulation did not give it."""
        where = "".join(traceback.format_exception(error)[-4:])
        self.fail(f"{name} crashed of itself: {error!r}\n{where}")

    def check(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as `check(a == b, "...")`
        """Fail with `what` unless it holds."""
        if not holds:
            self.fail(what)
