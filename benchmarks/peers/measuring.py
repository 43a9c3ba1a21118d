"""One measurement: a case's script, run in a process and a folder of its own, which are both gone afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.peers.cases import Case
from benchmarks.peers.environments import check_tool, python_of
from benchmarks.peers.postgres import find_programs, postgres
from benchmarks.peers.works import FIGURES, Figure, Work, graph_of

_ROOT: Final = Path(__file__).parent.parent.parent
_LONGEST_S: Final = 300
_SECONDS: Final = msgspec.json.Decoder(dict[str, float])


class Failed(Exception):
    """A script stopped with an error; the message is its last line."""


def prepare(case: Case, environments: Path) -> Path:
    """Make ready what a case needs; returns the Python to run its script with. Raises Missing."""
    check_tool(case)
    return python_of(case, environments)


def measure(case: Case, work: Work, python: Path) -> dict[Figure, float]:
    """Do a work once; the seconds that each of its figures took. Raises Failed."""
    with ExitStack() as stack:
        # The log of a database in memory is synced by nobody, so not where the system keeps that for short files.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-peers-", dir="/var/tmp")))
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        if case.is_ours:
            environ["PYTHONPATH"] = str(_ROOT)
        if case.tool == "postgres":
            programs = find_programs()
            assert programs is not None, "it was looked for before"
            environ |= stack.enter_context(postgres(programs))
        count = case.count(work)
        (folder / "graph.json").write_text(json.dumps(graph_of(work, count)))
        said = _run([str(python), str(case.path), case.variant, str(count)], folder, environ)
    return read_seconds(said, work)


def read_seconds(said: str, work: Work) -> dict[Figure, float]:
    """The seconds that a script printed in its last line. Raises Failed."""
    lines = said.splitlines()
    try:
        seconds = _SECONDS.decode(lines[-1]) if lines else {}
    except msgspec.DecodeError as error:
        raise Failed(f"its last line says no seconds ({error})") from error
    found: dict[Figure, float] = {}
    for figure in FIGURES[work]:
        took = seconds.get(figure, seconds.get("seconds"))
        if took is None:
            raise Failed(f"it said nothing of {figure}")
        found[figure] = took
    return found


def _run(command: list[str], folder: Path, environ: dict[str, str]) -> str:
    """What it prints. It has a session of its own, so that nothing that it started outlives it for long."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, errors = process.communicate(timeout=_LONGEST_S)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failed(f"it was not done within {_LONGEST_S} s") from None
            raise
    if process.returncode != 0:
        raise Failed((errors.strip() or "it failed without a word").splitlines()[-1])
    return said
