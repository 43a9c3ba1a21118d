"""Other machines a line each, as `hosts` prints them: one JSON object, or a row of a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from holdfast.events.hosts import Down, Refused, Up, last_error_of, name_of
from holdfast.events.records import Target
from holdfast.store.listing import format_time
from holdfast.store.reader import Reader

from ..screen.amounts import amounts_text
from ..screen.moments import now_us, short_text
from ..screen.tables import Column, Table
from ..screen.terminal import Paint, printable, terminal_width

_COLUMNS: Final = (
    Column("NAME"),
    Column("HOST", least=8, rank=4),
    Column("STATE"),
    Column("SINCE", rank=2),
    Column("LATENCY", right=True, rank=5),
    Column("RUNNING", right=True),
    Column("CAPACITY", least=10, rank=3),
    Column("WHY", least=10, rank=1),
)


class HostLine(Struct, frozen=True):
    """One host. `since`, `retry_at`: RFC 3339, null where there is none; `latency_ms`: when it came up."""

    name: str
    host: str
    state: str
    since: str | None
    latency_ms: float | None
    running: int
    used: dict[str, int]
    capacity: dict[str, int]
    paused: bool
    reason: str | None
    retry_at: str | None
    fingerprint: str | None
    workdir: str


def host_lines(reader: Reader) -> list[HostLine]:
    """Every target on another machine, by name."""
    return [_line(reader, target) for target in reader.lookups.targets() if target.ssh is not None]


def _line(reader: Reader, target: Target) -> HostLine:
    host = target.host
    assert target.ssh is not None, "only other machines are listed"
    return HostLine(
        target.name,
        target.ssh.host,
        name_of(host),
        format_time(host.since) if host.since else None,
        host.latency_us / 1000 if isinstance(host, Up) else None,
        len(reader.lookups.in_flight(target.name)),
        reader.lookups.used(target.name),
        target.capacity,
        target.paused,
        last_error_of(host),
        format_time(host.retry_at) if isinstance(host, Down) else None,
        host.fingerprint if isinstance(host, Refused) else None,
        target.ssh.workdir,
    )


def print_hosts(lines: Iterable[HostLine], *, as_json: bool) -> int:
    """Print them; returns how many there were."""
    found = list(lines)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.Encoder().encode_lines(found))
    elif found:
        paint = Paint(sys.stdout)
        table = Table(_COLUMNS, terminal_width())
        rows = [_row(line) for line in found]
        sys.stdout.write(paint(table.header(rows), "bold") + "\n")
        sys.stdout.writelines(line + "\n" for line in table.lines(rows))
    return len(found)


def _row(line: HostLine) -> tuple[str, ...]:
    state = line.state + (", paused" if line.paused else "")
    return (
        printable(line.name),
        printable(line.host),
        state,
        "" if line.since is None else _short(line.since),
        "" if line.latency_ms is None else f"{line.latency_ms:.0f} ms",
        str(line.running),
        amounts_text(line.capacity),
        printable(line.reason or ""),
    )


def _short(since: str) -> str:
    moment_us = int(datetime.fromisoformat(since).timestamp() * 1_000_000)
    return short_text(moment_us, now_us())
