"""What being the supervisor and speaking to one have in common: whom to serve, and until when."""

from __future__ import annotations

from collections.abc import Callable

import trio
from msgspec import Struct

from holdfast.store.home import Home

from .noticeboard import Noticeboard
from .requests import Requests
from .supervisor import Surroundings


class Service(Struct, frozen=True):
    """Requests to see to, people to tell. `stop` says when to leave.

    `up` is to be called once requests are taken, with what tells of a job that it is in memory, so that it has not
    ended or its end is still to be told to the board.
    """

    home: Home
    requests: Requests
    board: Noticeboard
    up: Callable[[Callable[[int], bool]], None]
    stop: trio.Event
    surroundings: Surroundings | None = None
