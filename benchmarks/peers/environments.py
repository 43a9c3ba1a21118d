"""Where peers live: an environment of its own for each, made once from pinned versions; and commands of the system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final

from benchmarks.peers.cases import Case
from benchmarks.peers.postgres import find_programs

REQUIREMENTS: Final = Path(__file__).parent / "requirements"
_STAMP: Final = "requirements.txt"
_INSTALL_S: Final = 600
_VERSION: Final = re.compile(r"\d[\w.]*")

# Command: the package of Debian that has it, and what prints its version.
TOOLS: Final = {
    "make": ("make", ("--version",)),
    "ninja": ("ninja-build", ("--version",)),
    "xargs": ("findutils", ("--version",)),
    "parallel": ("parallel", ("--version",)),
    "tsp": ("task-spooler", ("-V",)),
    "postgres": ("postgresql", ("--version",)),
}


class Missing(Exception):
    """A peer can't be measured here; the message says why, and how to get it."""


def default_folder() -> Path:
    """Where environments are kept unless another folder is named: `holdfast-peers` in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "holdfast-peers"


def python_of(case: Case, folder: Path) -> Path:
    """The Python that runs a case's script; its environment is made if it is not there. Raises Missing."""
    if case.environment is None:
        return Path(sys.executable)
    place, pinned = folder / case.environment, requirements_of(case.environment)
    stamp = place / _STAMP
    if not stamp.exists() or stamp.read_text() != pinned:
        print(f"making an environment with {case.package}, once", flush=True)
        _make(place, case.environment)
        stamp.write_text(pinned)
    return place / "bin" / "python"


def requirements_of(environment: str) -> str:
    """All that is in an environment, with versions."""
    return (REQUIREMENTS / f"{environment}.txt").read_text()


def check_tool(case: Case) -> None:
    """Raises Missing if the system does not have the command that a case drives."""
    if case.tool is not None and _program(case.tool) is None:
        package, _ = TOOLS[case.tool]
        raise Missing(f"the command {case.tool} is not here; on Debian: apt-get install {package}")


def version(case: Case) -> str:
    """What is measured: the version of the package or command."""
    if case.environment is not None:
        found = re.search(rf"^{re.escape(case.package)}==(\S+)$", requirements_of(case.environment), re.MULTILINE)
        assert found is not None, f"requirements/{case.environment}.txt pins {case.package}"
        return found[1]
    if case.tool is None:
        return version_of("holdfast")
    program, (_, arguments) = _program(case.tool), TOOLS[case.tool]
    said = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False).stdout
    number = _VERSION.search(said)
    return number[0] if number else ""


def _program(tool: str) -> Path | None:
    if tool == "postgres":
        programs = find_programs()
        return None if programs is None else programs / tool
    found = shutil.which(tool)
    return None if found is None else Path(found)


def _make(place: Path, environment: str) -> None:
    _step([sys.executable, "-m", "venv", "--clear", str(place)], "on Debian: apt-get install python3-venv")
    pip = [
        str(place / "bin" / "python"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-input",
    ]
    _step([*pip, "--requirement", str(REQUIREMENTS / f"{environment}.txt")], "is the package index reached?")


def _step(command: list[str], remedy: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"its environment was not made within {_INSTALL_S} s; {remedy}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason was given").splitlines()[-1]
        raise Missing(f"its environment can't be made ({said}); {remedy}")
