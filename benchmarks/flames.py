"""Follow a benchmark with py-spy: every Python process below it that lives for a while, one flame graph for each role.

A role is what a process does: the benchmark itself, a supervisor, a runner, a program of the benchmark's. Where several
have the same one, the picture is of that with the most samples. This process adopts the orphans of those it started
(PR_SET_CHILD_SUBREAPER), so that also a runner, which is nobody's child by design, is found and ended at last.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

RATE_PER_S: Final = 250
LIVES_FOR_S: Final = 0.3
AT_ONCE: Final = 6
_LOOK_EVERY_S: Final = 0.1
_PATIENCE_S: Final = 15.0
_PR_SET_CHILD_SUBREAPER: Final = 36


def recorder(pid: int, picture: Path, seconds: float | None = None) -> subprocess.Popen[bytes]:
    """py-spy, looking at a process for so long, or until it ends or py-spy is interrupted."""
    duration = ["--duration", str(int(seconds))] if seconds is not None else []
    options = ["--function", "--rate", str(RATE_PER_S), *duration, "--output", str(picture)]
    program = Path(sys.executable).with_name("py-spy")
    return subprocess.Popen(
        [program, "record", *options, "--pid", str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def give_title(picture: Path, title: str) -> None:
    """Say what it shows; py-spy writes its own command line there, with paths of the machine."""
    text = picture.read_text()
    picture.write_text(re.sub(r'(<text id="title"[^>]*>)[^<]*', lambda found: found[1] + title, text))


def samples_in(picture: Path) -> int:
    """How often py-spy looked; 0 where it drew nothing."""
    try:
        found = re.search(r'total_samples="(\d+)"', picture.read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def role_of(words: Sequence[str]) -> str:
    """What a Python process does, by its command line; empty for what is none of ours."""
    for place, word in enumerate(words):
        if word == "-m" and place + 1 < len(words):
            module = words[place + 1]
            if module == "holdfast":
                return "supervisor" if "serve" in words else "command"
            return "benchmark" if module == "benchmarks" else module.rpartition(".")[2]
        if word.endswith(".py"):
            return Path(word).stem
    return ""


def follow(name: str, words: Sequence[str], folder: Path, seconds: float) -> dict[str, Path]:
    """Run a benchmark for at most so long and draw what works; the pictures by role."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="holdfast-profile-") as scratch:
        output = ["--output", str(Path(scratch) / "results.json")]
        child = subprocess.Popen([sys.executable, "-m", "benchmarks", name, *words, *output])
        watch = Watch(Path(scratch), child.pid)
        try:
            deadline = time.monotonic() + seconds
            while child.poll() is None and time.monotonic() < deadline:
                watch.look()
                time.sleep(_LOOK_EVERY_S)
            watch.stop()
        finally:
            end_all()
            child.wait()
        return watch.best(name, folder)


class Watch:
    """Profilers, one for each process that has lived for a while."""

    def __init__(self, scratch: Path, root: int) -> None:
        """Their pictures go to `scratch` for the time being."""
        self._scratch = scratch
        self._root = root
        self._seen: dict[int, float] = {}
        self._profilers: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}

    def look(self) -> None:
        """Begin with those that are old enough."""
        now = time.monotonic()
        for pid, words in _pythons(os.getpid()):
            born = self._seen.setdefault(pid, now)
            role = role_of(words)
            working = sum(profiler.poll() is None for _, profiler in self._profilers.values())
            if role and pid not in self._profilers and working < AT_ONCE and now - born >= LIVES_FOR_S:
                self._profilers[pid] = (role, recorder(pid, self._picture(pid)))

    def stop(self) -> None:
        """Have all write what they have seen."""
        for _, profiler in self._profilers.values():
            if profiler.poll() is None:
                profiler.send_signal(signal.SIGINT)
        for _, profiler in self._profilers.values():
            with suppress(subprocess.TimeoutExpired):
                profiler.wait(_PATIENCE_S)

    def best(self, name: str, folder: Path) -> dict[str, Path]:
        """Keep the picture with the most samples of each role."""
        found: dict[str, Path] = {}
        for pid, (role, _) in self._profilers.items():
            if samples_in(self._picture(pid)) > (samples_in(found[role]) if role in found else 0):
                found[role] = self._picture(pid)
        folder.mkdir(parents=True, exist_ok=True)
        kept: dict[str, Path] = {}
        for role, picture in sorted(found.items()):
            give_title(picture, f"{role}, in ./dev bench {name}: {samples_in(picture):,} samples")
            kept[role] = folder / f"flame-{name}-{role}.svg"
            kept[role].write_text(picture.read_text())
        return kept

    def _picture(self, pid: int) -> Path:
        return self._scratch / f"{pid}.svg"


def _pythons(root: int) -> Iterator[tuple[int, list[str]]]:
    """The Python processes below this one, with their command lines."""
    for pid in below(root):
        with suppress(OSError):
            if Path(f"/proc/{pid}/exe").readlink().name.startswith("python"):
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                yield pid, words[:-1]


def below(root: int) -> list[int]:
    """All processes that this one, or one of these, is the parent of; Linux."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
                parents.setdefault(parent, []).append(int(folder.name))
    found, more = list[int](), [root]
    while more:
        children = parents.get(more.pop(), [])
        found += children
        more += children
    return found


def end_all() -> None:
    """End what still lives below this process, which has adopted it."""
    deadline = time.monotonic() + _PATIENCE_S
    while (left := below(os.getpid())) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(_LOOK_EVERY_S)
