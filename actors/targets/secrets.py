"""Where a job's secrets come from at launch: the supervisor's environment, or a private file in the home.

Only names are ever recorded. A value goes to the runner over its private socket, and from there into the job's
environment.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from holdfast.events.errors import Unavailable

SECRET_BYTES_MAX: Final = 128 * 1024  # Linux takes no longer variable


class NoSecret(Unavailable):
    """A secret can't be had, so the attempt is not started."""


def find_secrets(names: Sequence[str], environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The values of these secrets. Raises NoSecret, naming the secret but never a value."""
    return {name: _find(name, environment, folder / name) for name in names}


def _find(name: str, environment: Mapping[str, str], path: Path) -> str:
    value = environment.get(name)
    if value is not None:
        return value
    try:
        # Not blocking, because the opening of a pipe would wait for its writer, and everybody with it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        message = (
            f"the secret {name} is neither in the supervisor's environment nor a file in the home's folder 'secrets'; "
            "set it there and retry the job"
        )
        raise NoSecret(message) from None
    except OSError as error:
        message = (
            f"the file of the secret {name} can't be read: {error.strerror}; make it a file of your own, mode 0600"
        )
        raise NoSecret(message) from error
    try:
        return _read(name, descriptor).decode(errors="surrogateescape").removesuffix("\n")
    finally:
        os.close(descriptor)


def _read(name: str, descriptor: int) -> bytes:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        message = f"the secret {name} is no regular file; put its value into one of your own with mode 0600"
        raise NoSecret(message)
    if found.st_mode & 0o077 or found.st_uid != os.getuid():
        message = f"the file of the secret {name} is not private; make it your own with mode 0600 (chmod 600)"
        raise NoSecret(message)
    if found.st_size > SECRET_BYTES_MAX:
        message = f"the file of the secret {name} has {found.st_size} bytes; a variable has room for {SECRET_BYTES_MAX}"
        raise NoSecret(message)
    return os.read(descriptor, SECRET_BYTES_MAX)
