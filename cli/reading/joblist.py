"""Jobs a line each, as `jobs` and `replay` print them: one JSON object, or a row of a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from holdfast.store.listing import JobLine

from ..screen.amounts import duration_text
from ..screen.moments import local, now_us
from ..screen.tables import Column, Table, blocks
from ..screen.terminal import Paint, printable, terminal_width

# In the order of the columns; what gives way first on a narrow terminal has the highest rank.
_COLUMNS: Final = (
    Column("JOB", right=True),
    Column("NAME", least=8),
    Column("FLOW", least=6, rank=4),
    Column("STATE"),
    Column("TRY", right=True, rank=5),
    Column("STARTED", rank=3),
    Column("TOOK", right=True, rank=2),
    Column("WHY", least=10, rank=1),
)
_STATE: Final = 3
_SECOND: Final = timedelta(seconds=1)


def print_jobs(
    lines: Iterable[JobLine],
    *,
    as_json: bool,
    then: int | None = None,
    why: Callable[[JobLine], str | None] = lambda _: None,
) -> int:
    """Print the lines as they come, in bounded memory; returns how many there were.

    `then`: the moment that they show, in microseconds since the epoch; now, where it is not given. `why`: what a table
    says of a line that has no reason of its own.
    """
    return _print_json(lines) if as_json else _print_table(lines, then, why)


def _print_json(lines: Iterable[JobLine]) -> int:
    encoder = msgspec.json.Encoder()
    count = 0
    for block in blocks(lines):
        count += len(block)
        sys.stdout.buffer.write(encoder.encode_lines(block))
    return count


def _print_table(lines: Iterable[JobLine], then: int | None, why: Callable[[JobLine], str | None]) -> int:
    paint = Paint(sys.stdout)
    table = Table(_COLUMNS, terminal_width(), lambda column, cell, text: _paint(paint, column, cell, text))
    now = local(now_us())
    shown_at = now if then is None else local(then)
    count = 0
    for block in blocks(lines):
        rows = [_row(line, now, shown_at, line.reason or why(line) or "") for line in block]
        if not count:
            sys.stdout.write(paint(table.header(rows), "bold") + "\n")
        count += len(rows)
        sys.stdout.writelines(line + "\n" for line in table.lines(rows))
    return count


def _paint(paint: Paint, column: int, cell: str, text: str) -> str:
    return paint.state(cell, text) if column == _STATE else text


def _row(line: JobLine, now: datetime, shown_at: datetime, reason: str) -> Sequence[str]:
    started = None if line.started_at is None else datetime.fromisoformat(line.started_at)
    return (
        str(line.id),
        printable(line.name),
        printable(line.flow or ""),
        line.state,
        str(line.attempt) if line.attempt else "",
        "" if started is None else _short(started.astimezone(), now),
        "" if started is None else _took(started, line.ended_at, shown_at),
        printable(reason),
    )


def _short(moment: datetime, now: datetime) -> str:
    return moment.strftime("%H:%M:%S" if moment.date() == now.date() else "%Y-%m-%d %H:%M")


def _took(started: datetime, ended_at: str | None, now: datetime) -> str:
    ended = now if ended_at is None else datetime.fromisoformat(ended_at)
    return duration_text((ended - started) // (_SECOND / 1_000_000))
