"""Ending what a point has left running: its runner, which outlives the supervisor by design, and the runner's jobs."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from holdfast.events.errors import HoldfastError
from holdfast.events.spec import LOCAL
from holdfast.store.home import Home
from holdfast.store.reader import Reader

_PROC: Final = Path("/proc")
_GONE_S: Final = 5.0


def end_all_of(home: Home) -> None:
    """Kill the home's runner and all that it started; returns when they are gone."""
    pid = _runner_of(home)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)  # so that it starts nothing while its jobs are counted
        doomed = [pid, *_children(pid)]
        for each in doomed:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        deadline = time.monotonic() + _GONE_S
        while any((_PROC / str(each)).exists() for each in doomed) and time.monotonic() < deadline:
            time.sleep(0.01)


def _runner_of(home: Home) -> int | None:
    """The runner that the log knows, if it runs: a process that has the home's path among its words."""
    try:
        with Reader(home) as reader:
            target = reader.lookups.target(LOCAL)
        if target is None or target.pid is None:
            return None
        words = (_PROC / str(target.pid) / "cmdline").read_bytes().split(b"\0")
    except (HoldfastError, OSError):
        return None
    return target.pid if os.fsencode(home.path) in words else None


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]
    return []
