"""Processes of one home, found by what they carry and ended by pid: its runner, and the jobs that outlived one."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.tools import refuse


def runners_of(home: Path) -> Iterator[int]:
    """Pids of runners of the home: they were started with it as their last word."""
    for pid, words, _ in _all():
        if words[-1:] == [os.fsencode(home)] and any(word.endswith(b"runner.py") for word in words):
            yield pid


def jobs_of(home_id: str) -> Iterator[int]:
    """Pids of processes that carry a token of the home with this id."""
    mark = f"HOLDFAST_TOKEN={home_id}.".encode()
    for pid, _, environment in _all():
        if any(each.startswith(mark) for each in environment):
            yield pid


def carrying(text: bytes) -> Iterator[tuple[int, str]]:
    """Where `text` stands in the command line, or in the environment, of a process: (pid, which of the two)."""
    for pid, words, environment in _all():
        if any(text in word for word in words):
            yield pid, "cmdline"
        if any(text in each for each in environment):
            yield pid, "environ"


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal; after SIGKILL wait until the process has gone, or is a zombie of whoever started it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    deadline = time.monotonic() + 10
    while number == signal.SIGKILL and alive(pid):
        assert time.monotonic() < deadline, f"process {pid} outlives SIGKILL"
        select.select([], [], [], 0.001)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return text.rpartition(b") ")[2][:1] not in {b"Z", b"X"}


def _all() -> Iterator[tuple[int, list[bytes], list[bytes]]]:
    if sys.platform != "linux":
        refuse("processes can be found by what they carry on Linux only")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if alive(int(entry.name)):
            yield int(entry.name), words, environment
