"""The live bar of `run` on a terminal, drawn by tqdm: how many are done, rate, estimated time, and counts by state."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from shutil import get_terminal_size
from typing import Final, NoReturn

from tqdm import tqdm

from .progress import ENDED, ORDER
from .terminal import Paint

# Characters of the terminal.
_WIDE: Final = 90
_DONE: Final = "{n_fmt}/{total_fmt}"
_BAR: Final = f" {{bar:24}} {_DONE} {{rate_noinv_fmt}} {{remaining}} {{desc}}"
_NARROW: Final = f"{_DONE} {{desc}}"

tqdm.monitor_interval = 0  # no thread watches over it: `run` draws often enough


class Bar:
    """A bar with counts, below the lines that were said."""

    def __init__(self, title: str) -> None:
        self._wide = title.replace("{", "{{").replace("}", "}}") + _BAR
        self._paint = Paint(sys.stderr)
        self._drawn: tqdm[NoReturn] | None = None

    def update(self, counts: Mapping[str, int]) -> None:
        """Draw these counts."""
        done, total = sum(counts.get(name, 0) for name in ENDED), sum(counts.values())
        shown = " ".join(self._paint.state(name, f"{counts[name]} {name}") for name in ORDER if counts.get(name))
        with suppress(OSError, ValueError):
            # Not before there is something to draw: what is refused at once leaves no empty bar.
            bar = self._drawn = self._drawn or _made(done, total)
            bar.total, bar.bar_format = total, self._wide if get_terminal_size().columns >= _WIDE else _NARROW
            bar.set_description_str(shown, refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self.say(text)

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        with suppress(OSError, ValueError):
            tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        if self._drawn is not None:
            with suppress(OSError, ValueError):
                self._drawn.close()
            self._drawn = None


def _made(done: int, total: int) -> tqdm[NoReturn]:
    return tqdm(
        initial=done, total=total, unit="", file=sys.stderr, dynamic_ncols=True, mininterval=0, miniters=1, leave=True
    )
