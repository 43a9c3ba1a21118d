"""`doctor` looks at who is there: the supervisor, its socket, the runner and what it had to complain of."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.store.home import Home
from holdfast.store.lock import holder
from holdfast.store.unix_path import short_address

from ..screen.amounts import count_text
from .checkup import Finding, ok, warning, wrong

RUNNER_LOCK: Final = "runner.lock"
RUNNER_LOG: Final = "runner.log"
_NO_HOLES: Final = "no holes on this file system"
_TAIL_BYTES: Final = 64 * 1024
_PATIENCE_S: Final = 2.0


def check_processes(home: Home) -> Iterator[Finding]:
    """The findings about processes of the home; none for a home that is not there yet."""
    if not home.path.is_dir():
        return
    yield _check_supervisor(home)
    yield ok("a runner is at work" if is_locked(home.path / RUNNER_LOCK) else "no runner is at work")
    yield from check_runner_log(home.path / RUNNER_LOG)


def _check_supervisor(home: Home) -> Finding:
    pid = holder(home)
    answers = accepts(home.control)
    if pid is None:
        if answers:
            return wrong(f"something answers on {home.control} without having the home's lock", "end that process")
        return ok("no supervisor is running; `holdfast run` or `holdfast serve` starts one")
    if answers:
        return ok(f"a supervisor is running, process {pid}, and answers")
    what = f"process {pid} has the home and does not answer on {home.control}"
    return warning(what, "it may be starting, or recording a command; if this stays so, end it and run again")


def accepts(path: Path) -> bool:
    """Whether somebody takes connections on a Unix socket. Nothing is said to whoever does."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_PATIENCE_S)
    try:
        with short_address(path) as address:
            connection.connect(address)
    except OSError:
        return False
    finally:
        connection.close()
    return True


def is_locked(path: Path) -> bool:
    """Whether a process has an flock on the file. To a runner that listens, not even a connection is made."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def check_runner_log(path: Path) -> Iterator[Finding]:
    """What the runner wrote down for people, as far as it is still in the last 64 KiB."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return
    if any(_NO_HOLES in line for line in lines):
        what = "this file system can't punch holes, so output beyond max_output stays on the disk"
        yield warning(what, "watch the room on it, or put the home on ext4, XFS, Btrfs, tmpfs or APFS")
    others = [line for line in lines if line and _NO_HOLES not in line]
    if others:
        yield warning(
            f"the runner wrote down {count_text(len(others), 'remark')}, the last: {others[-1]}", f"read {path}"
        )
