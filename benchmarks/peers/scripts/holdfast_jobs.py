"""Holdfast, two processes at once: from the start or the submission until the end of the last is in the log.

VARIANT: `run`, the whole command `holdfast run` in a new home, as a user sees it (from its second use on: the first one
compiles it); or `open`, submission and run in a program in which it is open already and has run a job.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import holdfast
from holdfast.events.facts import TargetAttached
from holdfast.store.home import Home
from holdfast.store.reader import Reader

PROGRAM: Final = "/bin/true"
SLOTS: Final = 2

Graph = list[list[int]]


def main(variant: str, count: int) -> None:
    """Run all, and look into the log whether all succeeded."""
    graph: Graph = json.loads(Path("graph.json").read_text())
    assert len(graph) == count
    home = Home(Path("home"))
    try:
        took = _run(graph) if variant == "run" else _open(graph)
        with Reader(home) as reader:
            assert reader.counts()["succeeded"] >= count
    finally:
        _end_runner(home)
    print(json.dumps({"seconds": took}))


def _run(graph: Graph) -> float:
    first = Path("first")
    try:
        _run_command(first, [[]])
    finally:
        _end_runner(Home(first))
    return _run_command(Path("home"), graph)


def _run_command(home: Path, graph: Graph) -> float:
    jobs = ({"name": f"j{each}", "run": [PROGRAM], "after": _names(needed)} for each, needed in enumerate(graph))
    Path("flow.jsonl").write_text("".join(f"{json.dumps(job)}\n" for job in jobs))
    options = ["--home", str(home), "--slots", str(SLOTS), "--quiet"]
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "holdfast", "run", "flow.jsonl", *options], check=True)
    return time.perf_counter() - began


def _open(graph: Graph) -> float:
    with holdfast.open_sync("home", slots=SLOTS) as hf:
        hf.submit([PROGRAM]).wait()
        began = time.perf_counter()
        flow = hf.submit_many(
            holdfast.Job(run=[PROGRAM], name=f"j{each}", after=_names(needed)) for each, needed in enumerate(graph)
        )
        hf.wait(flow)
        return time.perf_counter() - began


def _names(needed: list[int]) -> list[str]:
    return [f"j{each}" for each in needed]


def _end_runner(home: Home) -> None:
    """By the pid that the log has of it; it would leave by itself, later."""
    with Reader(home) as reader:
        pids = [event.pid for _, event in reader.events() if isinstance(event, TargetAttached)]
    with suppress(ProcessLookupError):
        os.kill(pids[-1], signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
