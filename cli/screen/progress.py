"""What `run` shows while it works: a live bar on a terminal, plain lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Final, Protocol

from holdfast.events.states import FINAL, LIVE, NAMES

from .remarks import remark

ENDED: Final = tuple(NAMES[state] for state in FINAL)
ORDER: Final = ("running", "launching", "ready", "delayed", "waiting", "held", "unknown", *ENDED)
LINE_EVERY_S: Final = 2.0
_WITHOUT_CURSOR: Final = ("dumb", "unknown")

assert set(ORDER) == {NAMES[state] for state in (*LIVE, *FINAL)}


class Display(Protocol):
    """Shows counts by state as they change, and lines of text above or between."""

    def update(self, counts: Mapping[str, int]) -> None:
        """Show these counts."""
        ...

    def note(self, text: str) -> None:
        """Show a line that stays, and need not be seen."""
        ...

    def say(self, text: str) -> None:
        """Show a line that stays: what goes wrong, or what somebody at a terminal asked for."""
        ...

    def close(self) -> None:
        """Leave the terminal as it should be."""
        ...


def make_display(title: str, *, quiet: bool, as_json: bool) -> Display:
    """The display that suits standard error, and what was asked for."""
    if quiet:
        return Quiet()
    if as_json:
        return Notes()
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in _WITHOUT_CURSOR:
        from .bar import Bar  # noqa: PLC0415 - the bar's library takes a while to import, wanted only on a terminal

        return Bar(title)
    return Lines()


def describe(counts: Mapping[str, int]) -> str:
    """`3 running, 5 waiting, 12 succeeded`; nothing where there are no jobs."""
    return ", ".join(f"{counts[name]} {name}" for name in ORDER if counts.get(name))


class Quiet:
    """Only what must be said."""

    def update(self, counts: Mapping[str, int]) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show a line."""
        remark(text)

    def close(self) -> None:
        """Nothing to put in order."""


class Notes(Quiet):
    """Lines of text, and no counts."""

    def note(self, text: str) -> None:
        """Show a line."""
        self.say(text)


class Lines(Notes):
    """A line of counts every few seconds if they changed, and one at the end."""

    def __init__(self) -> None:
        self._shown = ""  # also what no jobs are shown as: nothing
        self._next_at = 0.0
        self._counts: Mapping[str, int] | None = None

    def update(self, counts: Mapping[str, int]) -> None:
        """Show these counts if it is time for a line."""
        self._counts = dict(counts)
        if time.monotonic() >= self._next_at:
            self._show()

    def _show(self) -> None:
        if self._counts is None:
            return
        text = describe(self._counts)
        if text != self._shown:
            self._shown = text
            self._next_at = time.monotonic() + LINE_EVERY_S
            self.say(text)

    def close(self) -> None:
        """Show the last counts."""
        self._show()
