"""The program of jobs that measure limits by their own clocks; `python -I -S clocked.py FILE NAME SECONDS`.

It adds lines to FILE when it starts and when it is about to end: the name, its token, what happened, and when, in
nanoseconds. When its process came into being says the kernel (in clock ticks), everything else the monotonic clock,
which all processes share.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path


def process_started_ns() -> int:
    """When this process came into being, to the tick."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19])
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def add(file: str, name: str, what: str, at_ns: int) -> None:
    """Add a line, in one write."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{name} {os.environ['HOLDFAST_TOKEN']} {what} {at_ns}\n".encode())
    os.close(descriptor)


if __name__ == "__main__":
    program, file, name, seconds = sys.argv
    add(file, name, "began", time.monotonic_ns())
    add(file, name, "process", process_started_ns())
    select.select([], [], [], float(seconds))
    add(file, name, "ends", time.monotonic_ns())
