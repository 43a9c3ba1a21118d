"""Ctrl-C in a benchmark ends it with 130 and no traceback, and leaves nothing behind. With real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.place import until
from tests.tree import ROOT

from .test_limits_interrupted import of


@pytest.mark.slow
def test_interrupted_benchmarks_say_so_and_leave_no_process_and_no_folder(tmp_path: Path) -> None:
    """All of them, so that there is one in a process of its own, which has to clear up first."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "benchmarks", "all", "--quick", "--output", str(tmp_path / "results.json")]
    bench = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: any("runner.py" in each for each in of(tmp_path)), "a runner runs")
        bench.send_signal(signal.SIGINT)
        _, errors = bench.communicate(timeout=60)
    finally:
        bench.kill()
        bench.communicate()
    assert bench.returncode == 130
    assert set(errors.splitlines()) == {"interrupted"}
    until(lambda: of(tmp_path) == [], "the runner has ended")
    assert list(tmp_path.iterdir()) == []
