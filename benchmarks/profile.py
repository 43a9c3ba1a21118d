"""`./dev bench profile [NAME]`: flame graphs by py-spy, one SVG for each process that works.

With NAME, of any benchmark: `benchmarks.flames` follows it. Without, the two pictures of docs/performance.md, of the
supervisor and of its runner, while they run `/bin/true` jobs. py-spy looks from outside; on Linux that takes root, or
kernel.yama.ptrace_scope = 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio

from benchmarks import arguments
from benchmarks.benchmark import Command
from benchmarks.catalogue import BENCHMARKS
from benchmarks.catalogue import COMMANDS as MORE_COMMANDS
from benchmarks.flames import follow, give_title, recorder
from benchmarks.results import FOLDER
from benchmarks.spawn import end_runner, run_jobs
from holdfast.events.facts import TargetAttached
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.supervisor import open_supervisor

PICTURES: Final = Path(__file__).parent.parent / "docs" / "pictures"
SECONDS: Final = 10
SLOTS: Final = 8
SECONDS_AT_MOST: Final = 60
_JOBS_AT_ONCE: Final = 5_000


async def _load(home: Home, slots: int) -> None:
    """Run jobs until killed."""
    async with open_supervisor(home, slots=slots) as supervisor:
        while True:
            await run_jobs(supervisor, _JOBS_AT_ONCE)


def _runner_of(home: Home) -> int:
    """The pid of the home's runner, once the log knows it."""
    while True:
        if home.log.exists():
            with Reader(home) as reader:
                for _, event in reader.events():
                    if isinstance(event, TargetAttached):
                        return event.pid
        time.sleep(0.1)


def draw_documented() -> int:
    """Write the pictures of the documentation, or say which of them could not be taken; then 1."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-profile-") as folder:
        home = Home(Path(folder) / "home")
        load = subprocess.Popen([sys.executable, "-m", "benchmarks.profile", str(home.path), str(SLOTS)])
        try:
            processes = {"supervisor": load.pid, "runner": _runner_of(home)}
            time.sleep(2)  # past the start, which is not the question
            pictures = {name: PICTURES / f"flame-{name}.svg" for name in processes}
            profilers = {name: recorder(pid, pictures[name], SECONDS) for name, pid in processes.items()}
            failed = [name for name, profiler in profilers.items() if profiler.wait() != 0]
        finally:
            load.kill()
            load.wait()
            end_runner(home)
    for name in processes:
        if name not in failed:
            give_title(pictures[name], f"{name}, running /bin/true jobs on {SLOTS} slots")
        print(f"{name}: {'not taken' if name in failed else f'docs/pictures/flame-{name}.svg'}")
    return 1 if failed else 0


def main(words: Sequence[str]) -> int:
    """Draw; 1 where nothing could be drawn. Raises SystemExit for bad usage."""
    parser = argparse.ArgumentParser(
        prog="./dev bench profile",
        description="Flame graphs of a benchmark, an SVG for each process that works; without NAME, those of the docs.",
        allow_abbrev=False,
    )
    known = [*BENCHMARKS, *MORE_COMMANDS]
    parser.add_argument("name", metavar="NAME", nargs="?", choices=known, help=f"one of {', '.join(known)}")
    parser.add_argument(
        "--seconds",
        type=arguments.seconds,
        default=SECONDS_AT_MOST,
        metavar="S",
        help="end it after so long (%(default)s)",
    )
    parser.add_argument(
        "--folder",
        type=arguments.folder,
        default=FOLDER,
        metavar="DIR",
        help="where the pictures go; benchmarks/results",
    )
    parser.epilog = "What follows `--` goes to the benchmark: ./dev bench profile spawn -- --quick"
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:end])
    if options.name is None:
        return draw_documented()
    drawn = follow(options.name, words[end + 1 :], options.folder, options.seconds)
    for role, picture in drawn.items():
        place = picture.relative_to(FOLDER.parent.parent) if picture.is_relative_to(FOLDER) else picture
        print(f"{role}: {place}")
    if not drawn:
        print("no process could be looked at: py-spy takes root, or kernel.yama.ptrace_scope = 0")
    return 0 if drawn else 1


COMMAND: Final = Command("profile", "Flame graphs of any benchmark, one for each process that works.", main)

if __name__ == "__main__":
    trio.run(_load, Home(Path(sys.argv[1])), int(sys.argv[2]))
