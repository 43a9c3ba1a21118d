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
    """Requests to see to, people to tell. `up` is to be called once requests are taken; `stop` says when to leave."""

    home: Home
    requests: Requests
    board: Noticeboard
    up: Callable[[], None]
    stop: trio.Event
    surroundings: Surroundings | None = None
