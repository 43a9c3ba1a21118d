"""The check for processes left behind finds them, names them, ends them, and fails the run that left them."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leftovers import MARK, end, leftovers
from tests.tree import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of other processes")

WAIT_FOR_EVER = "import signal; print('up', flush=True); signal.pause()"


@pytest.fixture
def session() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def process(session: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, MARK: f"{os.environ[MARK]}/{session}"}
    command = [sys.executable, "-c", WAIT_FOR_EVER]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "up\n"
        yield started
        started.kill()


def test_a_running_process_of_the_session_is_named_with_its_test(session: str, process: subprocess.Popen[str]) -> None:
    (found,) = leftovers(session, grace_s=0)
    assert found.pid == process.pid
    assert "signal.pause()" in found.command
    assert "test_a_running_process_of_the_session_is_named" in found.test


def test_a_process_of_another_session_is_left_alone(process: subprocess.Popen[str]) -> None:
    assert leftovers(uuid.uuid4().hex, grace_s=0) == []
    assert process.poll() is None


def test_a_leftover_is_ended_by_its_pid(session: str, process: subprocess.Popen[str]) -> None:
    end(leftovers(session, grace_s=0))
    assert process.wait() == -signal.SIGKILL
    assert leftovers(session, grace_s=0) == []


def test_ending_a_process_that_is_already_gone_is_no_error(session: str, process: subprocess.Popen[str]) -> None:
    found = leftovers(session, grace_s=0)
    process.kill()
    process.wait()
    end(found)


LEAVES_A_PROCESS = f"""
import subprocess, sys
def test_that_forgets_its_process():
    command = [sys.executable, "-c", {WAIT_FOR_EVER!r}]
    subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)._child_created = False
"""


def test_a_run_that_leaves_a_process_behind_fails_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import no_process_is_left_behind\n")
    (tmp_path / "test_it.py").write_text(LEAVES_A_PROCESS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", os.devnull]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([*command, str(tmp_path)], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout
    assert "1 passed, 1 error" in ran.stdout
    assert "left processes behind" in ran.stdout
    assert "started during test_it.py::test_that_forgets_its_process" in ran.stdout
