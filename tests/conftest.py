"""What holds for every test: the profile of the property tests, and that no process outlives the session."""

import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

from tests.hosts.lab import Lab
from tests.leftovers import end, leftovers, mark_session
from tests.store.faults.scope import ALL

# Deterministic in CI, where a failure must be the fault of the change; free elsewhere, where new examples are welcome.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


# What is tested there takes real supervisors, disks and other processes: second by second it adds up.
SLOW_FOLDERS = ("api", "connections", "hosts", "packaging", "readme", "runner", "slurm", "store/faults", "system")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Count what starts whole systems as slow, so that `./dev test --fast` stays below a minute.

    What is thorough, and shows in other parts or circumstances what others show, runs with HOLDFAST_FAULTS=all; without
    it it is counted as deselected.
    """
    left = [] if ALL else [item for item in items if item.get_closest_marker("thorough") is not None]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
    folders = tuple(Path(__file__).parent / folder for folder in SLOW_FOLDERS)
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in folders):
            item.add_marker(pytest.mark.slow)


def pytest_configure() -> None:
    """Let what the tests start hear of Ctrl-C and of a terminal that closes, however the tests were started.

    In the background of a shell, and below nohup, these signals are ignored, also by all that is started there. A
    signal that is handled, if only by doing nothing, isn't.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, _do_nothing)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Take note of no signal."""


def pytest_report_header() -> list[str]:
    """Say at the top of the output what this run doesn't check, so that nobody takes it for checked."""
    looked = "are looked for" if sys.platform == "linux" else "can NOT be looked for on this system"
    share = "all" if ALL else "a share; HOLDFAST_FAULTS=all tries all of it"
    return [f"processes that tests leave behind: {looked}", f"faults, and what is thorough: {share}"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Hosts with a real sshd, started when they are asked for and ended with the test."""
    with Lab(tmp_path / "lab") as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left_behind() -> Iterator[None]:
    """Fail the run, naming them, if processes that tests started still run when all tests have ended; and end them."""
    session = uuid.uuid4().hex
    mark_session(session)
    yield
    left = leftovers(session, grace_s=1.0)
    end(left)
    if left:
        names = "\n".join(f"  {process}" for process in left)
        pytest.fail(f"tests left processes behind, which were ended now; a test ends what it started:\n{names}")
