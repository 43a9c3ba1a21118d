"""The home's lock: one supervisor, or one command that changes something, at a time.

An flock on a file that holds the holder's pid: the system drops it when the holder dies, however it dies. A process
that it forked would go on holding it, and lets go at once.
"""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from types import TracebackType
from typing import Final, Self

from .errors import HomeLocked, NoLock
from .home import Home
from .translation import of_system

# `holder` takes the lock for a moment to see whether it is free; nobody may be refused for that.
_TRIES: Final = 5
_BETWEEN_S: Final = 0.01


class HomeLock:
    """Held from entering to leaving. Raises HomeLocked with the holder's pid if another process has it."""

    def __init__(self, home: Home) -> None:
        """Prepare the lock of `home`, whose folder exists when it is entered."""
        self._home = home
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = self._open()
        if not _taken(descriptor):
            os.close(descriptor)
            raise HomeLocked(self._home.path, holder(self._home))
        self._descriptor = descriptor
        _HELD.add(self)
        os.ftruncate(descriptor, 0)
        try:
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            # On a full disk the lock is held without a name on it; what follows finds the disk full by itself.
            os.ftruncate(descriptor, 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def let_go(self) -> None:
        """In a forked child: the lock is the parent's alone, and stays so."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            return os.open(self._home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except IsADirectoryError as error:
            raise NoLock(self._home.lock) from error
        except OSError as error:
            raise of_system(self._home.lock, error, "write") from error


_HELD: Final[weakref.WeakSet[HomeLock]] = weakref.WeakSet()


def _let_go_of_all() -> None:
    for lock in _HELD:
        lock.let_go()


os.register_at_fork(after_in_child=_let_go_of_all)


def _taken(descriptor: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_S)
        else:
            return True
    return False


def holder(home: Home) -> int | None:
    """The pid of the process that holds the home's lock, or None if it is free (or does not say)."""
    try:
        descriptor = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else None
    else:
        return None
    finally:
        os.close(descriptor)
