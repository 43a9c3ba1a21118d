"""A sweep that is interrupted leaves nothing behind, whatever its point was doing. With real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.place import until

ROOT = Path(__file__).parents[2]
SWEEP = "import sys; from benchmarks.limits.command import main; sys.exit(main(sys.argv[1:]))"
WORDS = ["--kinds", "processes", "--limits", "8", "--think", "50", "--seconds", "30"]


def of(folder: Path) -> list[str]:
    """The command lines of all processes that name this folder."""
    found: list[str] = []
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes() if place.name.isdigit() else b""
        except OSError:
            continue
        if os.fsencode(folder) in words:
            found.append(words.decode())
    return found


@pytest.mark.slow
def test_an_interrupted_sweep_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    sweep = subprocess.Popen([sys.executable, "-c", SWEEP, *WORDS], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    try:
        until(lambda: any("runner.py" in each for each in of(tmp_path)), "a runner runs")
        until(lambda: len(of(tmp_path)) >= 4, "jobs run")
        sweep.send_signal(signal.SIGINT)
        sweep.communicate(timeout=30)
    finally:
        sweep.kill()
        sweep.communicate()
    assert sweep.returncode == 130
    assert of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
