"""System calls that fail: below SQLite's own code, so that all of it, what it passes on and what it ignores, is real.

SQLite's VFS for Unix makes its system calls through a table that can be changed. Synchronising is not in that table:
for a sync that fails see `disk`.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import apsw

if TYPE_CHECKING:
    from ctypes import _CFunctionType

_INT, _LONG, _SIZE, _POINTER, _TEXT = ctypes.c_int, ctypes.c_int64, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p

# Result and parameters of each call that may fail. Of those with a variable list SQLite passes no more than these.
_SHAPES: Final = {
    "open": (_INT, _TEXT, _INT, _INT),
    "stat": (_INT, _TEXT, _POINTER),
    "unlink": (_INT, _TEXT),
    "fstat": (_INT, _INT, _POINTER),
    "ftruncate": (_INT, _INT, _LONG),
    "fcntl": (_INT, _INT, _INT, _POINTER),
    "pread64": (_LONG, _INT, _POINTER, _SIZE, _LONG),
    "pwrite64": (_LONG, _INT, _POINTER, _SIZE, _LONG),
}
_TAKE_ROOM: Final = ("open", "ftruncate", "pwrite64")
_SHORTEST: Final = 2


class Call(NamedTuple):
    """A system call: which, on which file, and in which part of the workload."""

    what: str
    file: str
    part: str


class Fault(NamedTuple):
    """What happens at which call, counted from 1: `error`, `full` (no room), or `short` (room for half of it)."""

    at: int
    how: str


class SystemCalls:
    """Watches the calls on the files of a folder, and lets one fail; in force from entering to leaving."""

    def __init__(self, folder: Path, fault: Fault | None = None) -> None:
        """`fault`: what is to happen, once; without one nothing does."""
        self.calls: list[Call] = []
        self.part = ""
        self.struck: Call | None = None
        self._folder = str(folder)
        self._fault = fault
        self._full_next = False
        self._vfs = apsw.VFS("system calls", "unix")
        self._kept: list[_CFunctionType] = []

    def __enter__(self) -> Self:
        for name, shape in _SHAPES.items():
            kind = ctypes.CFUNCTYPE(*shape, use_errno=True)
            address = self._vfs.xGetSystemCall(name)
            assert address, f"SQLite makes a call {name!r}"
            replacement = kind(self._watched(name, kind(address)))
            self._kept.append(replacement)
            self._vfs.xSetSystemCall(name, ctypes.cast(replacement, ctypes.c_void_p).value or 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in _SHAPES:
            self._vfs.xSetSystemCall(name, 0)  # SQLite's own again
        self._vfs.unregister()

    def _watched(self, name: str, real: Callable[..., int]) -> Callable[..., int]:
        def call(subject: int | bytes, *rest: int) -> int:
            path = os.fsdecode(subject) if isinstance(subject, bytes) else _path_of(subject)
            if not path.startswith(self._folder):
                return real(subject, *rest)
            made = Call(name, Path(path).name, self.part)
            self.calls.append(made)
            if self._full_next and name == "pwrite64":
                self._full_next = False
                return _fail(errno.ENOSPC)
            fault = self._fault
            if fault is None or fault.at != len(self.calls):
                return real(subject, *rest)
            self.struck = made
            if fault.how == "short":
                self._full_next = True
                return real(subject, rest[0], rest[1] // 2, rest[2])
            return _fail(errno.ENOSPC if fault.how == "full" else errno.EIO)

        return call


def _fail(number: int) -> int:
    ctypes.set_errno(number)
    return -1


def _path_of(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - for each call, so it must be quick
    except OSError:
        return ""


def faults_of(calls: list[Call]) -> list[Fault]:
    """Every way in which each of these calls can fail."""
    return [Fault(at, how) for at, call in enumerate(calls, start=1) for how in _hows(call)]


def _hows(call: Call) -> tuple[str, ...]:
    if call.what == "pwrite64":
        return "error", "full", "short"
    return ("error", "full") if call.what in _TAKE_ROOM else ("error",)
