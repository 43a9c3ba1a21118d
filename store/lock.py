"""The home's lock: one supervisor, or one command that changes something, at a time.

An flock on a file that holds the holder's pid: the system drops it when the holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from types import TracebackType

from .errors import HomeLocked, NoPermission, ReadOnly
from .home import Home


class HomeLock:
    """Held from entering to leaving. Raises HomeLocked with the holder's pid if another process has it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._descriptor: int | None = None

    def __enter__(self) -> HomeLock:
        self._descriptor = self._open()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = holder(self._home)
            self._close()
            raise HomeLocked(self._home.path, pid) from error
        os.ftruncate(self._descriptor, 0)
        try:
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            # On a full disk the lock is held without a name on it; what follows finds the disk full by itself.
            os.ftruncate(self._descriptor, 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
        self._close()

    def _open(self) -> int:
        try:
            return os.open(self._home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise NoPermission(self._home.lock, "write") from error
        except OSError as error:
            raise ReadOnly(self._home.lock) from error

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


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
