"""Starts processes, and ends them with all that they ever started: `python -I -S warden.py FOLDER...`.

Whoever asks writes a request a line, as JSON: {"command", "environ", "log"}; the answer is a line with the pid. At the
end of the requests, as when the one who asks was killed, everything that still runs is killed and the folders are
removed. Nothing escapes: what loses its parent is given to this process by the kernel, whatever session it is in.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

PR_SET_CHILD_SUBREAPER = 36
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def main(folders: list[str]) -> None:
    """Serve until nobody asks any more."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")

    def hear(number: int, frame: object) -> None:
        del number, frame
        leave(folders)

    signal.signal(signal.SIGTERM, hear)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    for line in sys.stdin:
        sys.stdout.write(f"{start(**json.loads(line))}\n")
        sys.stdout.flush()
    leave(folders)


def leave(folders: list[str]) -> NoReturn:
    """End all, remove the folders, and end; it may interrupt itself at any point, and then does it again."""
    kill_all()
    for folder in folders:
        remove(folder)
    os._exit(0)


def start(command: list[str], environ: dict[str, str], log: str) -> int:
    """Start `command` in a session of its own, its output at the end of `log`."""
    return os.posix_spawn(
        command[0],
        command,
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=[signal.SIGCHLD, signal.SIGPIPE],  # what Python or this process ignores
    )


def kill_all() -> None:
    """Kill until nothing is left below this process."""
    while pids := list(below()):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        select.select([], [], [], 0.001)


def below() -> Iterator[int]:
    """Pids of what this process started, and of what those started, and so on."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_bytes().rpartition(b") ")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    left = [os.getpid()]
    while left:
        found = children.get(left.pop(), [])
        yield from found
        left += found


def remove(folder: str) -> None:
    """Remove a folder with all that is in it; of a control group its folders only, for its files can't be."""
    if not folder.startswith("/sys/"):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(path).rmdir()


if __name__ == "__main__":
    main(sys.argv[1:])
