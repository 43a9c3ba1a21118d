"""A supervisor in a process of its own, `holdfast serve`, for benchmarks that look at it from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from benchmarks.spawn import end_runner
from holdfast.client import supervisor_lives
from holdfast.store.home import Home

HOLDFAST: Final = (sys.executable, "-m", "holdfast", "--home")
PATIENCE_S: Final = 60.0


@contextmanager
def serving(home: Home, slots: int) -> Generator[int]:
    """A supervisor process with room for so many jobs, by its pid; ended, with its runner, at last."""
    errors = home.path.with_name("serve.err").open("wb")
    child = subprocess.Popen([*HOLDFAST, str(home.path), "serve", "--slots", str(slots)], stderr=errors)
    try:
        until(lambda: supervisor_lives(home), "a supervisor answers")
        yield child.pid
        child.send_signal(signal.SIGTERM)
        child.wait(PATIENCE_S)
    finally:
        child.kill()
        child.wait()
        errors.close()
        end_runner(home)


def until(condition: Callable[[], object], what: str) -> None:
    """Look again and again until it is so; for a minute, and then it is a mistake."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)
