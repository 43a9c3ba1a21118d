"""The picture of a sweep: for each kind of job throughput and latencies against the limit, on log axes; SVG by hand.

A column a kind, a row a figure, a colour a think time. Solid is the median, dashed the 99th percentile; a ring marks
the knee; dotted is what the limit would allow if nothing but thinking took time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks.limits.summary import Curve

_COLOURS: Final = ("#1f6feb", "#1a7f37", "#d1571f", "#8250df", "#bf3989")
_WIDTH, _HEIGHT = 410, 170
_LEFT, _TOP, _GAP_X, _GAP_Y = 70, 98, 76, 46
_FOOT: Final = 44


class Row(Struct, frozen=True):
    """One figure: its title, and its names in the points, solid first."""

    title: str
    solid: str
    dashed: str = ""


_ROWS: Final = (
    Row("throughput, jobs a second", "throughput"),
    Row("submitted to acknowledged, ms", "acknowledged p50", "acknowledged p99"),
    Row("could start to started, ms", "started p50", "started p99"),
    Row("ended to recorded, ms", "recorded p50", "recorded p99"),
)


class Scale(Struct, frozen=True):
    """A logarithmic axis: `first` to `last` over `pixels`."""

    first: float
    last: float
    pixels: float

    def place(self, value: float) -> float:
        """How far along the axis a value stands; what is off it stands at its end."""
        value = min(max(value, self.first), self.last)
        return self.pixels * math.log(value / self.first) / math.log(self.last / self.first)

    @property
    def tens(self) -> list[float]:
        """The powers of ten on it."""
        return [10.0**power for power in range(round(math.log10(self.first)), round(math.log10(self.last)) + 1)]


def draw(curves: Sequence[Curve], path: Path, subtitle: str) -> None:
    """Draw the curves into an SVG file."""
    kinds = list(dict.fromkeys(curve.kind for curve in curves))
    thinks = sorted({curve.think_ms for curve in curves})
    colours = dict(zip(thinks, _COLOURS, strict=False))
    limits = sorted({limit for curve in curves for limit in curve.points})
    across = Scale(limits[0], max(limits[-1], 2 * limits[0]), _WIDTH)
    width = _LEFT + len(kinds) * (_WIDTH + _GAP_X)
    height = _TOP + len(_ROWS) * (_HEIGHT + _GAP_Y) + _FOOT
    parts = [_frame(width, height), *_head(colours, subtitle)]
    for line, row in enumerate(_ROWS):
        up = _scale_of(row, curves)
        for column, kind in enumerate(kinds):
            x, y = _LEFT + column * (_WIDTH + _GAP_X), _TOP + line * (_HEIGHT + _GAP_Y)
            own = [curve for curve in curves if curve.kind == kind]
            parts += [f'<g transform="translate({x} {y})">', *_axes(row, kind, limits, across, up)]
            for curve in own:
                parts += _lines(row, curve, across, up, colours[curve.think_ms])
            parts.append("</g>")
    parts.append(_caption(height))
    path.write_text("\n".join([*parts, "</svg>\n"]))


def _frame(width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>'
    )


def _head(colours: Mapping[float, str], subtitle: str) -> list[str]:
    parts = [
        f'<text x="{_LEFT}" y="24" font-size="16" font-weight="bold">A limit on concurrency, swept</text>',
        f'<text x="{_LEFT}" y="42" fill="#555">{subtitle}</text>',
    ]
    parts.append(f'<text x="{_LEFT}" y="64">a job thinks for</text>')
    for number, (think_ms, colour) in enumerate(colours.items()):
        at = _LEFT + 104 + number * 84
        parts.append(f'<path d="M{at} 60h22" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{at + 28}" y="64">{think_ms:g} ms</text>')
    return parts


def _scale_of(row: Row, curves: Iterable[Curve]) -> Scale:
    values = [
        point[name]
        for curve in curves
        for point in curve.points.values()
        for name in (row.solid, row.dashed)
        if point.get(name, 0.0) > 0
    ] or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return Scale(10.0**low, 10.0 ** max(high, low + 1), _HEIGHT)


def _axes(row: Row, kind: str, limits: Sequence[int], across: Scale, up: Scale) -> list[str]:
    parts = [f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#999"/>']
    for ten in up.tens:
        y = _HEIGHT - up.place(ten)
        parts.append(f'<path d="M0 {y:.1f}h{_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{ten:,g}</text>')
    for limit in limits:
        x = across.place(limit)
        parts.append(f'<path d="M{x:.1f} {_HEIGHT}v4" stroke="#999"/>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT + 17}" text-anchor="middle" font-size="10">{limit}</text>')
    parts.append(f'<text x="0" y="-7"><tspan font-weight="bold">{kind}</tspan>: {row.title}</text>')
    return parts


def _lines(row: Row, curve: Curve, across: Scale, up: Scale, colour: str) -> list[str]:
    parts: list[str] = []
    for name, look in ((row.solid, ' stroke-width="1.8"'), (row.dashed, ' stroke-width="1.1" stroke-dasharray="5 3"')):
        found = [(limit, point[name]) for limit, point in curve.points.items() if name in point]
        if found:
            places = " ".join(f"{across.place(limit):.1f},{_HEIGHT - up.place(value):.1f}" for limit, value in found)
            parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}"{look}/>')
    if row.dashed == "":
        parts += _bound(curve, across, up, colour)
    knee = curve.knee
    if knee is not None:
        x, y = across.place(knee), _HEIGHT - up.place(curve.points[knee][row.solid])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="white" stroke="{colour}" stroke-width="2"/>')
    return parts


def _bound(curve: Curve, across: Scale, up: Scale, colour: str) -> list[str]:
    """What the limit would allow: as many jobs a second as fit side by side if they did nothing but think."""
    inside = [
        (limit, limit / curve.think_ms * 1e3)
        for limit in curve.points
        if curve.think_ms and up.first <= limit / curve.think_ms * 1e3 <= up.last
    ]
    places = " ".join(f"{across.place(limit):.1f},{_HEIGHT - up.place(value):.1f}" for limit, value in inside)
    return (
        [f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-dasharray="1 4"/>']
        if inside
        else []
    )


def _caption(height: int) -> str:
    lines = (
        "across: the limit, jobs at once. solid: median, dashed: 99th percentile",
        "ring: the knee, where nine tenths of the curve's best throughput are reached",
        "dotted: what the limit would allow if nothing but thinking took time",
    )
    return "\n".join(
        f'<text x="{_LEFT}" y="{height - 44 + 17 * number}" fill="#555">{line}</text>'
        for number, line in enumerate(lines)
    )
