"""Processes that tests leave behind: found by a mark in the environment they inherit, named, and ended.

A process that a failing test forgot would otherwise disturb whatever runs next on the machine, and a supervisor that
leaves processes behind is the very defect that this project must not have.
"""

import os
import select
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "HOLDFAST_TEST_SESSION"
_PROC = Path("/proc")


@dataclass(frozen=True)
class Leftover:
    """A process that carries a session's mark: its pid, its command line, and the test that ran as it started."""

    pid: int
    command: str
    test: str

    def __str__(self) -> str:
        """Say which process it is and where to look for the cause."""
        return f"pid {self.pid}: {self.command} (started during {self.test})"


def mark_session(session: str) -> None:
    """Make every process started from now on carry `session`; inside another session it carries the marks of both."""
    os.environ[MARK] = f"{os.environ.get(MARK, '')}/{session}"


def leftovers(session: str, *, grace_s: float) -> list[Leftover]:
    """Return the processes of `session`, other than this one, that still run after up to `grace_s` seconds.

    Only Linux shows the environment of other processes; elsewhere nothing is ever found.
    """
    if sys.platform != "linux":
        return []
    found = (_leftover(pid, session) for pid in _other_pids())
    return [process for process in found if process is not None and not _ends_within(process.pid, grace_s)]


def end(processes: list[Leftover]) -> None:
    """Kill `processes`, by pid, and wait until they are gone."""
    assert sys.platform == "linux"
    for process in processes:
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _ends_within(process.pid, 5.0)
        finally:
            os.close(descriptor)


def _other_pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


def _leftover(pid: int, session: str) -> Leftover | None:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
        command = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:  # it has just ended, or belongs to somebody else
        return None
    entries = (entry.partition("=") for entry in environment.decode(errors="replace").split("\0"))
    variables = {name: value for name, _, value in entries}
    if session not in variables.get(MARK, "").split("/"):
        return None
    words = command.decode(errors="replace").replace("\0", " ").strip()
    return Leftover(pid, words, variables.get("PYTEST_CURRENT_TEST", "no test: the session itself"))


def _ends_within(pid: int, grace_s: float) -> bool:
    assert sys.platform == "linux"
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(grace_s * 1000))
    finally:
        os.close(descriptor)
