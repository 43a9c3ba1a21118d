"""xargs, GNU parallel and task-spooler with two jobs at once: the whole command, from start to end, as a user sees it.

VARIANT: `xargs` (keeps no exit codes), `parallel` (with --joblog) or `task-spooler` (a command to queue each job, as it
is used; then a wait for the last ones).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

PROGRAM: Final = "/bin/true"
SLOTS: Final = 2


def main(variant: str, count: int) -> None:
    """Run all; check what is kept of each."""
    works = {"xargs": _xargs, "parallel": _parallel, "task-spooler": _task_spooler}
    print(json.dumps({"seconds": works[variant](count)}))


def _xargs(count: int) -> float:
    return _fed(["xargs", f"--max-procs={SLOTS}", "--max-args=1", PROGRAM], count)


def _parallel(count: int) -> float:
    took = _fed(["parallel", "--will-cite", f"-j{SLOTS}", "--joblog", "log", PROGRAM], count)
    assert len(re.findall(r"\t0\t0\t/bin/true", Path("log").read_text())) == count
    return took


def _fed(command: list[str], count: int) -> float:
    """Seconds of a command that reads an argument a line."""
    lines = "".join(f"{number}\n" for number in range(count))
    began = time.perf_counter()
    subprocess.run(command, input=lines, text=True, check=True)
    return time.perf_counter() - began


def _task_spooler(count: int) -> float:
    os.environ |= {"TS_SOCKET": f"{Path.cwd()}/socket", "TS_MAXFINISHED": str(count + 10), "TS_SLOTS": str(SLOTS)}
    os.environ |= {"TS_MAXCONN": "500"}  # waiting clients, each a process; more of them wait to connect
    _tsp("-n", PROGRAM)
    try:
        _tsp("-w", "0")
        began = time.perf_counter()
        for _ in range(count):
            _tsp("-n", PROGRAM)
        for number in range(count, count - SLOTS, -1):
            _tsp("-w", str(number))
        took = time.perf_counter() - began
        assert len(re.findall(r"finished +\S+ +0 ", _tsp("-l"))) == count + 1
    finally:
        _tsp("-K")
    return took


def _tsp(*arguments: str) -> str:
    return subprocess.run(["tsp", *arguments], check=True, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
