"""The command line as a test calls it: inside this process, or as one of its own on a pipe or a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from typing import Final, NamedTuple

import pytest

from holdfast.cli.main import main
from holdfast.store.home import Home

COMMAND: Final = (sys.executable, "-W", "error", "-m", "holdfast")
_MISTAKES: Final = ("Traceback", "mistake of Holdfast")


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


class Caller:
    """Calls commands on one home, in this process."""

    def __init__(self, capture: pytest.CaptureFixture[bytes], home: Home) -> None:
        self._capture = capture
        self._home = home

    def __call__(self, *words: str) -> Said:
        self._capture.readouterr()
        code = main(["--home", str(self._home.path), *words])
        out, err = self._capture.readouterr()
        said = Said(code, out.decode(errors="backslashreplace"), err.decode())
        assert not any(each in said.err for each in _MISTAKES), said.err
        return said


def environment(**changes: str) -> dict[str, str]:
    """The environment of a command of its own: nothing in it that changes what is printed, but for `changes`."""
    left_out = {"COLUMNS", "NO_COLOR", "HOLDFAST_HOME", "TERM", "TZ"}
    return {name: value for name, value in os.environ.items() if name not in left_out} | {"TZ": "UTC", **changes}


def run(home: Home, *words: str, **changes: str) -> Said:
    """The command as a process on pipes."""
    command = [*COMMAND, "--home", str(home.path), *words]
    ended = subprocess.run(command, env=environment(**changes), capture_output=True, text=True, check=False, timeout=60)
    return Said(ended.returncode, ended.stdout, ended.stderr)


def on_terminal(home: Home, *words: str, columns: int, **changes: str) -> Said:
    """The command with its standard output on a terminal that is so many columns wide."""
    master, slave = pty.openpty()
    os.set_blocking(master, True)
    set_columns(slave, columns)
    command = [*COMMAND, "--home", str(home.path), *words]
    settings: Mapping[str, str] = environment(**({"TERM": "xterm"} | changes))
    child = subprocess.Popen(command, env=settings, stdout=slave, stderr=subprocess.PIPE, text=False)
    os.close(slave)
    parts: list[bytes] = []
    while data := _read(master):
        parts.append(data)
    _, err = child.communicate(timeout=60)
    os.close(master)
    return Said(child.returncode, b"".join(parts).decode().replace("\r\n", "\n"), err.decode())


def set_columns(descriptor: int, columns: int) -> None:
    """Say how wide a terminal is."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # what Linux says where the last writer has gone
        return b""
