"""A bare posix_spawn loop, the limit of the benchmarks that run processes: it spawns and reaps, and records nothing.

    python -I -S bare_spawn.py SLOTS JOBS [OUTPUT]      prints jobs a second, and its processor time a job in us

It is a small process of its own each time, as a loop in one that lives long is now fast and now slow, by where the
system put it and its children; this one is always as fast as any. Its environment is bytes, which it would else
encode for every job. With OUTPUT, a file, each job gets the redirections and the process group that a runner gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from typing import Final

PROGRAM: Final = "/bin/true"
_MILLION: Final = 1_000_000


def bare_loop(slots: int, jobs: int, output: str | None = None) -> tuple[float, float]:
    """Jobs a second of such a process with `slots` in flight, and its processor time a job, without its children."""
    command = [sys.executable, "-I", "-S", __file__, str(slots), str(jobs), *([output] if output else [])]
    rate, used_us = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    return float(rate), float(used_us)


def _loop(slots: int, jobs: int, output: str | None) -> tuple[float, float]:
    environ = dict(os.environb)
    spawn = partial(os.posix_spawn, PROGRAM, [PROGRAM], environ)
    if output is not None:
        opened = ((0, "/dev/null", os.O_RDONLY), *((number, output, os.O_WRONLY | os.O_APPEND) for number in (1, 2)))
        actions = [(os.POSIX_SPAWN_OPEN, number, path, flags, 0) for number, path, flags in opened]
        spawn = partial(spawn, file_actions=actions, setpgroup=0)
    used_s, began = time.process_time(), time.perf_counter()
    started = ended = 0
    while ended < jobs:
        while started < jobs and started - ended < slots:
            spawn()
            started += 1
        os.wait4(-1, 0)
        ended += 1
    return jobs / (time.perf_counter() - began), (time.process_time() - used_s) * _MILLION / jobs


if __name__ == "__main__":
    print(*_loop(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))  # noqa: PLR2004
