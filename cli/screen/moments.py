"""Points in time as people read and write them: local time. Programs get RFC 3339 from `store.listing`."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_REMEDY: Final = "write 2026-11-20T13:52:00Z, or 2026-11-20 13:52 for local time"


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


def local(moment_us: int) -> datetime:
    """The local date and time, with its offset."""
    return (_EPOCH + timedelta(microseconds=moment_us)).astimezone()


def moment_text(moment_us: int) -> str:
    """Local date and time with milliseconds: `2026-11-20 13:52:07.123`."""
    return local(moment_us).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def clock_text(moment_us: int, now: int) -> str:
    """Local time to the second, with the date unless it is that of `now` (microseconds): `13:52:07`."""
    moment = local(moment_us)
    return moment.strftime("%H:%M:%S" if moment.date() == local(now).date() else "%Y-%m-%d %H:%M:%S")


def short_text(moment_us: int, now: int) -> str:
    """As `clock_text`, without seconds on other days, for a narrow column: `13:52:07` or `2026-11-20 13:52`."""
    moment = local(moment_us)
    return moment.strftime("%H:%M:%S" if moment.date() == local(now).date() else "%Y-%m-%d %H:%M")


def parse_moment(text: str, where: str) -> int:
    """Microseconds since the epoch of an RFC 3339 time, or of `YYYY-MM-DD HH:MM[:SS]` in local time.

    `where` is the place for the error: BadInput for anything else.
    """
    if not _MOMENT.fullmatch(text):
        raise BadInput(f"{shown(text)} is no time", where=where, remedy=_REMEDY)
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError, OSError) as error:
        raise BadInput(f"there is no time {shown(text)} ({error})", where=where, remedy=_REMEDY) from None
