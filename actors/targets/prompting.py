"""Pings that keep a way open which holds back what is said until what was said before has been acknowledged.

Such is a step of Slurm's: its connection sends a small segment only when there is none under way (Nagle, RFC 896), and
the other end puts its acknowledgement off by 40 ms, unless it has something to say meanwhile (RFC 1122, 4.2.3.2). A
message of more than 1,024 bytes is two segments there. So each side is given something to say. A ping goes before
launches: the runner's pong acknowledges their first segment. And for as long as an acknowledgement may be put off after
something came, pings acknowledge that, and then the pongs, which would hold back what the runner says next.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from .link import Outbox, frame

PUT_OFF_S: Final = 0.040
"""So long a system puts off an acknowledgement; Linux: TCP_DELACK_MIN."""
NUMBER: Final = 0
"""Of these pings, whose pongs tell nothing of how far away the runner is."""
_PING: Final = frame({"type": "ping", "id": NUMBER})
_PONG_BYTES_MAX: Final = 40
"""What else a runner says is longer."""


class Prompter:
    """Sends pings within `within_s` seconds of all that comes, unless something else is sent, and ever more rarely."""

    def __init__(self, outbox: Outbox, within_s: float) -> None:
        self._outbox = outbox
        self._within_s = within_s
        self._stirred = trio.Event()
        self._heard_at = -math.inf

    def hear(self, count: int) -> None:
        """So many bytes came, which need not be a whole message."""
        self._heard_at = trio.current_time()
        if count > _PONG_BYTES_MAX:  # pings that follow pongs would follow each other for ever
            self._stirred.set()

    def ask(self) -> None:
        """Have the runner say something at once."""
        self._outbox.put_frame(_PING)
        self._stirred.set()

    async def run(self) -> None:
        """Send them, until cancelled."""
        gap_s = math.inf
        while True:
            with trio.move_on_after(gap_s):
                await self._stirred.wait()
                self._stirred = trio.Event()
                gap_s = 0.0
                await trio.sleep(self._within_s)
            gap_s = max(self._within_s, 2 * gap_s)
            if gap_s > PUT_OFF_S:
                gap_s = math.inf
            if self._outbox.said_at <= self._heard_at:
                self._outbox.put_frame(_PING)
