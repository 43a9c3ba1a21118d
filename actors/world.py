"""The seams: time, randomness and the ways to the outside, given to the tree at construction.

The real ones stand here; the simulation gives others, and the same tree runs on virtual time with scripted faults.
"""

from __future__ import annotations

import os
import pwd
import socket
import time
from random import Random
from typing import Protocol

from holdfast.events.backoff import Uniform


class Clock(Protocol):
    """The wall clock. For waiting, everything uses Trio's clock, which the simulation replaces as well."""

    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        return time.time_ns() // 1_000


def system_random() -> Uniform:
    """A source of jitter, seeded by the system."""
    return Random()  # noqa: S311 - jitter is no secret


def user_name() -> str:
    """Who runs this process, for `author`: by user id, so that an environment variable can't pretend."""
    return name_of_user(os.getuid())


def name_of_user(uid: int) -> str:
    """The login name of a user id, or `uid N` if the system does not know it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def host_name() -> str:
    """This machine's name, as it calls itself."""
    return socket.gethostname()


def machine_capacity() -> dict[str, int]:
    """What this machine offers: processors that this process may use, and memory in bytes."""
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpus": cpus, "memory": memory_bytes}
