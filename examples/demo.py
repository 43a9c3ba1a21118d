"""The main job, shown: run a flow, kill the supervisor with -9 in the middle, go on, and read the history back.

./dev demo          (or: python examples/demo.py, where holdfast is installed)
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from wordstats import write_flow

KILL_AFTER_JOBS = 15
PATIENCE_S = 60.0


def holdfast(*words: str) -> list[str]:
    """The command line of a holdfast command."""
    return [sys.executable, "-m", "holdfast", *words]


def show(*words: str) -> int:
    """Run a command as one would type it."""
    print(f"\n$ holdfast {shlex.join(words)}", flush=True)
    return subprocess.run(holdfast(*words), check=False).returncode


def ended_jobs() -> int:
    """How many jobs have succeeded so far."""
    result = subprocess.run(holdfast("jobs", "--json"), check=False, capture_output=True, text=True)
    return sum(json.loads(line)["state"] == "succeeded" for line in result.stdout.splitlines())


def run_and_kill(flow: Path) -> None:
    """Start the flow and kill its supervisor, without a warning, when some jobs have ended."""
    print(f"\n$ holdfast run {flow.name} --slots 4", flush=True)
    supervisor = subprocess.Popen(holdfast("run", flow.name, "--slots", "4"))
    try:
        deadline = time.monotonic() + PATIENCE_S
        while supervisor.poll() is None and ended_jobs() < KILL_AFTER_JOBS and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        if supervisor.poll() is None:
            os.kill(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
    print(f"\n$ kill -9 {supervisor.pid}        # in the middle, and without a warning", flush=True)


def end_runner() -> None:
    """End the runner of this home, which would stay for a few seconds to see whether anybody calls."""
    result = subprocess.run(holdfast("log", "--json"), check=False, capture_output=True, text=True)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    pids = [event["data"]["pid"] for event in events if event["type"] == "target_attached"]
    for pid in pids[-1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def main() -> int:
    """Show it all in a folder of its own; 0 if everything went as promised."""
    with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as folder:
        os.chdir(folder)
        flow = write_flow(Path(folder))
        jobs = len(flow.read_text(encoding="utf-8").splitlines())
        print(f"{jobs} jobs: word statistics over texts of this machine, in {folder}")
        try:
            run_and_kill(flow)
            codes = [show("run"), show("jobs"), show("explain", "top"), show("logs", "report"), show("verify")]
        finally:
            end_runner()
            os.chdir("/")
    print("\nNothing was lost, and nothing ran twice." if not any(codes) else f"\nexit codes: {codes}")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
