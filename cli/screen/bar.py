"""The live bar of `run` on a terminal, drawn by rich: how many are done, counts by state, rate, and estimated time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from .progress import ENDED, ORDER

_COLOURS: Final = {
    "running": "cyan",
    "launching": "cyan",
    "succeeded": "green",
    "failed": "red",
    "lost": "magenta",
    "unknown": "yellow",
    "held": "yellow",
    "cancelled": "yellow",
}

# Characters of the terminal.
_WIDE: Final = 90


class _Rate(ProgressColumn):
    """Ends a second, over the last while."""

    def render(self, task: Task) -> Text:
        speed = task.speed
        return Text("" if speed is None else f"{speed:.1f}/s" if speed < 100 else f"{speed:.0f}/s")  # noqa: PLR2004


class Bar:
    """A bar with counts below the lines that were said."""

    def __init__(self, title: str) -> None:
        console = Console(stderr=True)
        self._progress = Progress(*_columns(console.width), console=console, auto_refresh=False, transient=False)
        self._task = self._progress.add_task(title, total=None, counts="")
        self._started = False

    def update(self, counts: Mapping[str, int]) -> None:
        """Draw these counts."""
        done = sum(counts.get(name, 0) for name in ENDED)
        shown = " ".join(_coloured(name, counts[name]) for name in ORDER if counts.get(name))
        with suppress(OSError, ValueError):
            self._progress.update(self._task, completed=done, total=sum(counts.values()), counts=shown)
            if not self._started:
                # Not before there is something to draw: what is refused at once leaves no empty bar.
                self._started = True
                self._progress.start()
            self._progress.refresh()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self.say(text)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        with suppress(OSError, ValueError):
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        if self._started:
            self._started = False
            with suppress(OSError, ValueError):
                self._progress.refresh()
                self._progress.stop()


def _columns(width: int) -> list[ProgressColumn]:
    """The columns that fit; of several that don't, rich would cut all, and leave nothing to read of any."""
    title, counts = TextColumn("{task.description}", markup=False), "{task.fields[counts]}"
    if width >= _WIDE:
        return [
            title,
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            TextColumn(counts),
        ]
    return [TextColumn("{task.completed:.0f}/{task.total:.0f} " + counts)]


def _coloured(name: str, count: int) -> str:
    colour = _COLOURS.get(name, "dim")
    return f"[{colour}]{count} {name}[/]"
