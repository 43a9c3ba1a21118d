"""What a process waits for, looked at a hundred times a second: a runner that spawns is busy without using a processor.

Linux says of a process whether it runs, and if not, in which of the kernel's functions it waits. A runner waits for
news (idle), or for a process that it spawned to begin its program (`posix_spawn` is a vfork), or for anything else.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

EVERY_S: Final = 0.01


class Waits:
    """Looks at a process, if there is one, for as long as a `with` lasts."""

    def __init__(self, pid: int | None) -> None:
        self._folder = None if pid is None else Path(f"/proc/{pid}")
        self._seen: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def shares(self) -> dict[str, float]:
        """How much of the time it was seen `idle`, `spawning`, `running`, `waiting`."""
        total = max(1, self._seen.total())
        return {what: count / total for what, count in self._seen.items()}

    def _look(self) -> None:
        while self._folder is not None and not self._over.wait(EVERY_S):
            with suppress(OSError):
                state = (self._folder / "stat").read_text().rpartition(") ")[2][0]
                self._seen[what_of(state, (self._folder / "wchan").read_text())] += 1


def what_of(state: str, function: str) -> str:
    """What a process does that is in this state, in this function of the kernel."""
    if state == "R":
        return "running"
    if "poll" in function:
        return "idle"
    # A state and a function that were read in two steps may not fit: then it is a wait that was just over.
    return "spawning" if "clone" in function or (state == "D" and function == "0") else "waiting"
