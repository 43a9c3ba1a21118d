"""Durations, sizes and counts as people read them. `units` reads what people write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_SECOND_US: Final = 1_000_000
_TENTH_US: Final = 100_000
_UNITS: Final = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))
_DECIMAL: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_BINARY: Final = ("KiB", "MiB", "GiB", "TiB", "PiB")
_LARGE: Final = 1_000_000
_TEN: Final = 10
_THOUSAND: Final = 1000
_KIBI: Final = 1024


def duration_text(duration_us: int) -> str:
    """A duration to two or three digits: `1.4 ms`, `0.35 s`, `2.1 s`, `42 s`, `2 min 05 s`, `1 h 04 min`."""
    seconds = max(0, duration_us) // _SECOND_US
    for unit, size_s, smaller, smaller_s in _UNITS:
        if seconds >= size_s:
            whole, rest = divmod(seconds, size_s)
            return f"{whole} {unit} {rest // smaller_s:02} {smaller}" if rest >= smaller_s else f"{whole} {unit}"
    if seconds:
        return f"{seconds} s" if seconds >= _TEN else f"{duration_us / _SECOND_US:.1f} s"
    if duration_us >= _TENTH_US:
        return f"{duration_us / _SECOND_US:.2f} s"
    thousandths = max(0, duration_us) / _THOUSAND
    return f"{thousandths:.1f} ms" if 0 < thousandths < _TEN else f"{thousandths:.0f} ms"


def size_text(size_bytes: int) -> str:
    """A measured size to two or three digits, in powers of 1000: `0 B`, `1.2 kB`, `34 MB`, `9.3 GB`."""
    value = float(size_bytes)
    for unit in _DECIMAL:
        # What would be rounded up to four digits belongs to the next unit.
        if round(value) < _THOUSAND or unit == _DECIMAL[-1]:
            return f"{value:.1f} {unit}" if round(value, 1) < _TEN and unit != "B" else f"{value:.0f} {unit}"
        value /= _THOUSAND
    return f"{size_bytes} B"


def exact_size_text(size_bytes: int) -> str:
    """A size that somebody chose, exact if it is a whole number of some unit: `8 GB`, `32 MiB`; else as `size_text`."""
    for power in range(len(_BINARY), 0, -1):
        whole, rest = divmod(size_bytes, _KIBI**power)
        if whole and not rest and whole < _KIBI:
            return f"{whole} {_BINARY[power - 1]}"
    for power in range(len(_DECIMAL) - 1, 0, -1):
        whole, rest = divmod(size_bytes, _THOUSAND**power)
        if whole and not rest:
            return f"{whole} {_DECIMAL[power]}"
    return size_text(size_bytes)


def amount_text(amount: int) -> str:
    """How much of a need: a number, or a size where it is too large to be a count of anything."""
    return exact_size_text(amount) if amount >= _LARGE else str(amount)


def amounts_text(amounts: Mapping[str, int] | Sequence[tuple[str, int]]) -> str:
    """Needs or a capacity: `cpus 4, memory 8 GB`, or `nothing`."""
    pairs = amounts.items() if isinstance(amounts, Mapping) else amounts
    return ", ".join(f"{name} {amount_text(amount)}" for name, amount in pairs) or "nothing"


def count_text(count: int, noun: str) -> str:
    """`1 job`, `2 jobs`, `12,345 events`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def list_text(items: Sequence[str], shown: int = 5) -> str:
    """`a`, `a and b`, `a, b and c`; of more than `shown` the first ones and how many more."""
    if len(items) > shown:
        return f"{', '.join(items[:shown])} and {len(items) - shown:,} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)
