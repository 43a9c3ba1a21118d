"""Fresh virtual environments for an installed Holdfast, and the Pythons of this machine to make them with."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import NamedTuple

NEWER_MINORS = range(sys.version_info.minor + 1, 15)


class Ran(NamedTuple):
    """How a command ended, and everything it said."""

    code: int
    output: str


def run(*command: str | Path, cwd: Path) -> Ran:
    """Run `command` in the folder `cwd` with nothing of this environment but what finds and reaches packages."""
    hidden = ("PYTHON", "HOLDFAST_HOME", "VIRTUAL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    command_line = [str(word) for word in command]
    ran = subprocess.run(
        command_line, cwd=cwd, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Ran(ran.returncode, ran.stdout)


def pip(*words: str | Path, cwd: Path) -> Ran:
    """Run this environment's pip, which also installs into others, with `words`."""
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *words, cwd=cwd)


def make_environment(python: str | Path, folder: Path) -> Path:
    """Make an empty virtual environment of `python` in `folder` and return the path of its Python."""
    made = run(python, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    assert made.code == 0, made.output
    return folder / "bin" / "python"


def show_packages_of_this(python: Path) -> None:
    """Let the environment of `python` also see the packages installed in this one, after its own.

    Holdfast itself, installed editable here, stays unseen: it hangs on a .pth file, and those are not read twice.
    """
    found = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=python.parent)
    shown = [path for path in sys.path if path.endswith("site-packages")]
    (Path(found.output.strip()) / "shown.pth").write_text("\n".join(shown) + "\n")


def newer_pythons() -> list[Path]:
    """Return one working Python for each newer minor version: from PATH, or installed beside the one that runs this."""
    found: list[Path] = []
    beside = Path(sys.base_prefix).parent
    for minor in NEWER_MINORS:
        on_path = shutil.which(f"python3.{minor}")
        candidates = [Path(on_path)] if on_path else []
        candidates += sorted(beside.glob(f"*/bin/python3.{minor}"))
        # A version manager's command may be on PATH and refuse to work here, so each is tried.
        found += [python for python in candidates if run(python, "-c", "import venv", cwd=beside).code == 0][:1]
    return found


def locked_runtime(lock: str) -> str:
    """Return the part of `lock`, the text of requirements.lock, that an installed Holdfast needs."""
    blocks = re.split(r"\n(?=\S)", lock)
    wanted = _required_by("holdfast")
    return "\n".join(block for block in blocks if _normal(re.split(r"[=<>!~;\s]", block)[0]) in wanted) + "\n"


def _required_by(package: str) -> set[str]:
    found: set[str] = set()
    waiting = [package]
    while waiting:
        for requirement in requires(waiting.pop()) or []:
            name = _normal(re.split(r"[\s;\[(<>=!~]", requirement)[0])
            if "extra ==" not in requirement and name not in found and _is_installed(name):
                found.add(name)
                waiting.append(name)
    return found


def _is_installed(package: str) -> bool:
    try:
        requires(package)
    except ModuleNotFoundError:  # a requirement of other systems, or of other versions of Python
        return False
    return True


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
