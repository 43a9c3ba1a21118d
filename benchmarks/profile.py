"""Flame graphs of the supervisor and of the runner under load, one SVG each: `./dev bench profile`.

The load is that of the benchmark `spawn`: `/bin/true` jobs through the whole way. py-spy samples both processes from
outside while they work; on Linux that takes root, or kernel.yama.ptrace_scope = 0.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import trio

from benchmarks.spawn import end_runner, run_jobs
from holdfast.events.facts import TargetAttached
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.supervisor import open_supervisor

PICTURES: Final = Path(__file__).parent.parent / "docs" / "pictures"
RATE_PER_S: Final = 500
SECONDS: Final = 10
SLOTS: Final = 8
_JOBS_AT_ONCE: Final = 5_000


async def _load(home: Home, slots: int) -> None:
    """Run jobs until killed."""
    async with open_supervisor(home, slots=slots) as supervisor:
        while True:
            await run_jobs(supervisor, _JOBS_AT_ONCE)


def _record(pid: int, name: str) -> subprocess.Popen[bytes]:
    picture = PICTURES / f"flame-{name}.svg"
    options = ["--rate", str(RATE_PER_S), "--duration", str(SECONDS), "--output", str(picture), "--pid", str(pid)]
    return subprocess.Popen(
        [Path(sys.executable).with_name("py-spy"), "record", "--function", *options], stdout=subprocess.DEVNULL
    )


def _give_title(picture: Path, title: str) -> None:
    """Say what it shows; py-spy writes its own command line there, with paths of the machine."""
    text = picture.read_text()
    picture.write_text(re.sub(r'(<text id="title"[^>]*>)[^<]*', rf"\g<1>{title}", text))


def _runner_of(home: Home) -> int:
    """The pid of the home's runner, once the log knows it."""
    while True:
        if home.log.exists():
            with Reader(home) as reader:
                for _, event in reader.events():
                    if isinstance(event, TargetAttached):
                        return event.pid
        time.sleep(0.1)


def main() -> None:
    """Write the pictures, or say which of them could not be taken."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-profile-") as folder:
        home = Home(Path(folder) / "home")
        load = subprocess.Popen([sys.executable, "-m", "benchmarks.profile", str(home.path), str(SLOTS)])
        try:
            processes = {"supervisor": load.pid, "runner": _runner_of(home)}
            time.sleep(2)  # past the start, which is not the question
            profilers = {name: _record(pid, name) for name, pid in processes.items()}
            failed = [name for name, profiler in profilers.items() if profiler.wait() != 0]
        finally:
            load.kill()
            load.wait()
            end_runner(home)
    for name in processes:
        picture = PICTURES / f"flame-{name}.svg"
        if name not in failed:
            _give_title(picture, f"{name}, running /bin/true jobs on {SLOTS} slots")
        print(f"{name}: {'not taken' if name in failed else picture}")


if __name__ == "__main__":
    trio.run(_load, Home(Path(sys.argv[1])), int(sys.argv[2]))
