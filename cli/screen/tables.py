"""Tables that fit the terminal: columns give way in a set order; rows come in blocks, so any number of them passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from .terminal import cut, pad, width_of

Item = TypeVar("Item")

BLOCK_ROWS: Final = 1000
_GAP: Final = "  "


class Column(NamedTuple):
    """A column; `least`: how narrow it may be cut (None: never); where room is short, the highest `rank` goes first."""

    title: str
    right: bool = False
    least: int | None = None
    rank: int = 0


class Table:
    """Lays out rows, a block at a time; widths only grow, so that later blocks stay as aligned as can be."""

    def __init__(
        self, columns: Sequence[Column], width: int | None, paint: Callable[[int, str, str], str] | None = None
    ) -> None:
        """`width`: columns of the terminal, None for no bound; `paint(column, cell, shown)` gives a cell its colour."""
        self._columns = columns
        self._width = width
        self._paint = paint
        self._widths = [width_of(each.title) for each in columns]

    def header(self, rows: Iterable[Sequence[str]] = ()) -> str:
        """The line of titles, as wide as these first rows want it."""
        self._grow(rows)
        return self._line([each.title for each in self._columns], painted=False)

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """A block of rows as lines."""
        self._grow(rows)
        return (self._line(row, painted=True) for row in rows)

    def _grow(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            for number, cell in enumerate(row):
                width = width_of(cell)
                self._widths[number] = max(self._widths[number], width)

    def _line(self, row: Sequence[str], *, painted: bool) -> str:
        shown: list[str] = []
        widths = fit(self._columns, self._widths, self._width)
        last = max((number for number, width in enumerate(widths) if width), default=0)
        for number, (column, cell, width) in enumerate(zip(self._columns, row, widths, strict=True)):
            if not width:
                continue
            text = cut(cell, width)
            text = text if number == last and not column.right else pad(text, width, right=column.right)
            shown.append(self._paint(number, cell, text) if painted and self._paint is not None else text)
        return _GAP.join(shown).rstrip()


def fit(columns: Sequence[Column], wanted: Sequence[int], width: int | None) -> list[int]:
    """The widths of the columns, 0 for one that is left out, so that a line is at most `width` if that can be."""
    widths = list(wanted)
    if width is None:
        return widths
    least = [
        min(want, max(column.least, width_of(column.title))) if column.least is not None else want
        for column, want in zip(columns, widths, strict=True)
    ]
    optional = sorted((number for number, each in enumerate(columns) if each.rank), key=lambda at: columns[at].rank)
    while optional and _total(least) > width:
        gone = optional.pop()
        least[gone] = widths[gone] = 0
    over = _total(widths) - width
    while over > 0:
        widest = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
        over -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    shown = [width for width in widths if width]
    return sum(shown) + len(_GAP) * max(0, len(shown) - 1)


def blocks(items: Iterable[Item], size: int = BLOCK_ROWS) -> Iterator[list[Item]]:
    """The items in lists of at most `size`, none of them empty."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block
