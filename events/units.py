"""Units: durations, sizes and rates as people write them, as exact whole numbers of microseconds and bytes.

Durations `2h`, `1h30m`, `1.5s`, `500ms`; sizes `8GB` (8 * 10**9 bytes) and `8GiB` (8 * 2**30); rates `10/s`, `3/min`.
A number without a unit is refused, for it means seconds to one reader and minutes to the next.
"""

from __future__ import annotations

import re
from typing import Final

from .checks import NUMBER_MAX
from .errors import BadInput
from .quoting import shown

DURATION_MAX_US: Final = 10 * 365 * 86_400 * 1_000_000

TIME_UNITS: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
SIZE_UNITS: Final = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("kMGTP", 1)},
    "KB": 1000,
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", 1)},
}

_DURATION_REMEDY: Final = (
    "write numbers with the units d, h, m (or min), s, ms, us, the largest first, as in 90s or 1h30m"
)
_SIZE_REMEDY: Final = "use B, kB, MB, GB, TB, PB (powers of 1000) or KiB, MiB, GiB, TiB, PiB (powers of 1024)"
_RATE_REMEDY: Final = "write a whole number from 1 to 1000000 and a unit of s, min, h or d, as in 10/s"
_WHOLE: Final = "use fewer decimals, or a smaller unit"
_PER_SECOND_MAX: Final = 1_000_000

# Bounded digits: what is longer is past every bound, and Python refuses to convert more than 4,300.
_QUANTITY: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,9}))?[ ]?([^\W\d_]*)[ ]?")
_RATE: Final = re.compile(r"([0-9]{1,9})[ ]?/[ ]?(s|min|m|h|d)")


def parse_duration(text: str, where: str = "") -> int:
    """The duration in microseconds, 0 to ten years.

    `where` is the place for the error: BadInput for anything else, and for fractions of a microsecond.
    """
    total_us, previous_us, position = 0, DURATION_MAX_US, 0
    while position < len(text) or not text:
        match = _QUANTITY.match(text, position)
        if match is None:
            raise BadInput(f"{shown(text)} is no duration", where=where, remedy=_DURATION_REMEDY)
        unit_us = _factor(match, TIME_UNITS, "duration", where, _DURATION_REMEDY)
        if unit_us >= previous_us:
            raise BadInput(f"{shown(text)} is no duration", where=where, remedy=_DURATION_REMEDY)
        part_us = _scaled(match, unit_us)
        if part_us is None:
            raise BadInput(f"the duration {shown(text)} is no whole number of microseconds", where=where, remedy=_WHOLE)
        total_us += part_us
        previous_us, position = unit_us, match.end()
    if total_us > DURATION_MAX_US:
        problem = f"the duration {shown(text)} is longer than ten years"
        raise BadInput(problem, where=where, remedy="give a shorter one, or leave it out")
    return total_us


def parse_size(text: str, where: str = "") -> int:
    """The size in bytes, 0 to 2**53 - 1. `where` is the place for the error: BadInput for anything else."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise BadInput(f"{shown(text)} is no size", where=where, remedy=_SIZE_REMEDY)
    size_bytes = _scaled(match, _factor(match, SIZE_UNITS, "size", where, _SIZE_REMEDY))
    if size_bytes is None:
        raise BadInput(f"the size {shown(text)} is no whole number of bytes", where=where, remedy=_WHOLE)
    if size_bytes > NUMBER_MAX:
        raise BadInput(f"the size {shown(text)} is 2**53 bytes or more", where=where, remedy="give a smaller one")
    return size_bytes


def parse_rate(text: str, where: str = "") -> int:
    """The microseconds between two starts at this rate (`LimitSpec.interval_us`), rounded up, so never too fast.

    `where` is the place for the error: BadInput for anything else than 1 to 1,000,000 per unit, at most 1,000,000/s.
    """
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise BadInput(f"{shown(text)} is no rate", where=where, remedy=_RATE_REMEDY)
    count = int(match[1])
    if count > _PER_SECOND_MAX:
        raise BadInput(f"the rate {shown(text)} is too high", where=where, remedy=_RATE_REMEDY)
    return -(-TIME_UNITS[match[2]] // count)


def parse_amount(text: str, where: str = "") -> int:
    """A counted amount given as text, as on a command line: a whole number such as `4`, or a size such as `8GB`.

    `where` is the place for the error: BadInput for anything else, and from 2**53 on.
    """
    if re.fullmatch(r"[0-9]{1,18}", text):
        amount = int(text)
        if amount > NUMBER_MAX:
            raise BadInput(f"{text} is 2**53 or more", where=where, remedy="give a smaller number")
        return amount
    return parse_size(text, where)


def _factor(match: re.Match[str], units: dict[str, int], what: str, where: str, remedy: str) -> int:
    unit = match[3]
    if not unit:
        raise BadInput(f"the {what} {shown(match.string)} has a number without a unit", where=where, remedy=remedy)
    factor = units.get(unit)
    if factor is None:
        problem = f"the {what} {shown(match.string)} has the unknown unit {shown(unit)}"
        raise BadInput(problem, where=where, remedy=remedy)
    return factor


def _scaled(match: re.Match[str], factor: int) -> int | None:
    """The number times `factor`, exactly; None if that is not whole."""
    fraction = match[2] or ""
    scaled, rest = divmod(int(match[1] + fraction) * factor, 10 ** len(fraction))
    return None if rest else scaled
