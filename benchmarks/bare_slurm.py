"""Slurm by hand, the limit of the benchmarks with a cluster: `sbatch`, and `squeue` once a second until it is empty.

Not `sbatch --wait`, which looks ever less often, at last once in two minutes.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Final

from benchmarks.slurm_lab import POLL_S, PROGRAM

NAME: Final = "hand"
_SCRIPT: Final = f"#!/bin/sh\n{PROGRAM}\n"
_NOTE: Final = "#!/bin/sh\nexec date +%s%N >note\n"
_LOOK_S: Final = 0.002


def array_s(folder: Path, jobs: int) -> float:
    """Seconds that one array takes, from before its submission until no job of it is seen any more."""
    began = time.perf_counter()
    _sbatch(folder, _SCRIPT, f"--array=0-{jobs - 1}", "--output=%A_%a.log")
    _until_empty()
    return time.perf_counter() - began


def one_by_one(folder: Path, jobs: int) -> float:
    """Jobs a second, each given to an sbatch of its own, one after the other."""
    began = time.perf_counter()
    for _ in range(jobs):
        _sbatch(folder, _SCRIPT, "--output=%j.log")
    _until_empty()
    return jobs / (time.perf_counter() - began)


def first_command_s(folder: Path) -> float:
    """Seconds from before the submission of a single job until its command says so."""
    began_ns = time.time_ns()
    _sbatch(folder, _NOTE, "--output=%j.log")
    took_s = (noted_ns(folder / "note") - began_ns) / 1e9
    _until_empty()
    return took_s


def noted_ns(note: Path) -> int:
    """Wait for a job's note of the time, take it away, and return it."""
    deadline = time.monotonic() + 60
    while not (note.exists() and (text := note.read_text()).endswith("\n")):
        assert time.monotonic() < deadline, "the job does not begin"
        time.sleep(_LOOK_S)
    note.unlink()
    return int(text)


def _sbatch(folder: Path, script: str, *options: str) -> None:
    words = ["sbatch", "--parsable", f"--job-name={NAME}", *options]
    subprocess.run(words, input=script, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)


def _until_empty() -> None:
    words = ["squeue", "--noheader", f"--name={NAME}"]
    while subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.strip():
        time.sleep(POLL_S)
