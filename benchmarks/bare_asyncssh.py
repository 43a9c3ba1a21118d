"""asyncssh on its own, the limit of the benchmarks over SSH: one connection, and nothing is recorded.

    python bare_asyncssh.py run CONFIG HOST AT_ONCE JOBS      prints jobs a second, each a `run` of /bin/true
    python bare_asyncssh.py echo CONFIG HOST TIMES            prints the median milliseconds of a byte to `cat` and back

A process of its own, as trio-asyncio, where it is imported, takes the place of asyncio's loop. It has the ciphers that
Holdfast has.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

import asyncssh

PROGRAM: Final = "/bin/true"
CIPHERS: Final = ("aes128-gcm@openssh.com",)


def jobs_a_second(config: Path, host: str, at_once: int, jobs: int) -> float:
    """Commands a second, so many in flight."""
    return _ask("run", str(config), host, str(at_once), str(jobs))


def round_trip_ms(config: Path, host: str, times: int) -> float:
    """Milliseconds of half of the echoes at most."""
    return _ask("echo", str(config), host, str(times))


def _ask(*words: str) -> float:
    command = [sys.executable, __file__, *words]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


async def _run(config: str, host: str, at_once: int, jobs: int) -> float:
    async with asyncssh.connect(host, config=[config], encryption_algs=CIPHERS, compression_algs=None) as connection:
        left = iter(range(jobs))

        async def caller() -> None:
            for _ in left:
                await connection.run(PROGRAM, check=True)

        await connection.run(PROGRAM, check=True)
        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(at_once)))
        return jobs / (time.perf_counter() - began)


async def _echo(config: str, host: str, times: int) -> float:
    took: list[float] = []
    async with (
        asyncssh.connect(host, config=[config], encryption_algs=CIPHERS, compression_algs=None) as connection,
        connection.create_process("cat", encoding=None) as cat,
    ):
        for _ in range(times):
            began = time.perf_counter()
            cat.stdin.write(b"x")
            await cat.stdout.readexactly(1)
            took.append((time.perf_counter() - began) * 1e3)
    return median(took)


def _main(task: str, config: str, host: str, *numbers: str) -> None:
    given = [int(number) for number in numbers]
    asking = _run(config, host, *given) if task == "run" else _echo(config, host, *given)
    print(asyncio.run(asking))


if __name__ == "__main__":
    _main(*sys.argv[1:])
