"""Processor time and memory of processes and threads, as Linux tells them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

_PROC: Final = Path("/proc")
_TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1024


class Spent(Struct, frozen=True):
    """Processor time so far, in seconds: of this process, of a runner, of jobs that it has reaped; and of all that ran.

    `at_s` is when. `machine_s` counts every process of the machine, the kernel's own work as well.
    """

    at_s: float
    supervisor_s: float
    runner_s: float
    jobs_s: float
    machine_s: float
    threads_s: dict[int, float]


def spent(runner_pid: int | None) -> Spent:
    """How it stands now."""
    runner_s = jobs_s = 0.0
    if runner_pid is not None:
        with suppress(OSError):
            fields = (_PROC / str(runner_pid) / "stat").read_text().rpartition(") ")[2].split()
            user, kernel, of_jobs, of_jobs_in_kernel = (int(each) / _TICKS_A_S for each in fields[11:15])
            runner_s, jobs_s = user + kernel, of_jobs + of_jobs_in_kernel
    return Spent(time.monotonic(), time.process_time(), runner_s, jobs_s, _machine_s(), _threads_s())


def _machine_s() -> float:
    user, nice, system, _, _, irq, soft_irq, *_ = (
        int(each) for each in (_PROC / "stat").read_text().partition("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + soft_irq) / _TICKS_A_S


def _threads_s() -> dict[int, float]:
    found: dict[int, float] = {}
    for task in (_PROC / "self" / "task").iterdir():
        with suppress(OSError):
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def most_memory_mib(pid: int) -> float:
    """The most memory that a process ever had; 0 of one that is gone."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _MIB
    return 0.0
