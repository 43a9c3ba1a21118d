"""Having hosts tried now, and waiting until it is known how that went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from holdfast.client import ask
from holdfast.events.errors import Unavailable
from holdfast.events.hosts import Connecting, Idle, Up
from holdfast.events.messages import Dial
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..screen.moments import now_us
from .hostlist import HostLine, host_lines

CHECK_S: Final = 60.0
_LOOK_S: Final = 0.1
NO_SUPERVISOR: Final = (
    "no supervisor is running, and it is the one that connects; start `holdfast serve`, then ask again"
)


def dial(home: Home, hosts: Sequence[str]) -> list[HostLine]:
    """Have these tried now; how they stand then, or after a minute. Raises Unavailable where nobody could try."""
    asked_at = now_us()
    if hosts and ask(home, Dial(tuple(hosts))) is None:
        raise Unavailable(NO_SUPERVISOR)
    deadline = time.monotonic() + CHECK_S
    while True:
        with Reader(home) as reader:
            lines = [line for line in host_lines(reader) if line.name in hosts]
            settled = all(_is_settled(reader, line, asked_at) for line in lines)
        if settled or time.monotonic() > deadline:
            return lines
        time.sleep(_LOOK_S)


def _is_settled(reader: Reader, line: HostLine, asked_at: int) -> bool:
    """Whether it is known how it stands now; what was found out before it was asked for is no answer."""
    target = reader.lookups.target(line.name)
    if target is None or isinstance(target.host, Idle | Connecting):
        return False
    return isinstance(target.host, Up) or target.host.since >= asked_at
