"""Other machines and clusters a line each, as `hosts` prints them: one JSON object, or a row of a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from holdfast.events.allocations import token_of
from holdfast.events.hosts import Down, Refused, Up, last_error_of, name_of
from holdfast.events.records import Allocation, ClosedBatch, Granted, Job, Over, PlannedBatch, Retired, Target
from holdfast.events.states import Launching, Unknown
from holdfast.store.listing import format_time
from holdfast.store.reader import Reader

from ..explaining.slurmwords import waiting_text
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
    Column("QUEUED", right=True, rank=6),
    Column("RUNNING", right=True),
    Column("CAPACITY", least=10, rank=3),
    Column("WHY", least=10, rank=1),
)


class HostLine(Struct, frozen=True):
    """One host (`kind` ssh), one cluster (slurm), or one allocation of a cluster.

    `host`: null for a cluster whose commands are on this machine; of an allocation its node, whose `state` may also be
    asked or over.

    `since`, `retry_at`: RFC 3339, null where there is none; `latency_ms`: when it came up. `running`: attempts in
    flight; of them, on a cluster, `queued` have not started and of `unclear` nobody knows just now. `partition`: where
    its jobs go that say nothing else.
    """

    name: str
    host: str | None
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
    kind: str
    partition: str | None
    queued: int
    unclear: int


def host_lines(reader: Reader) -> list[HostLine]:
    """Every target on another machine, every cluster, and every allocation of one that is not done with; by name."""
    return [
        _line(reader, target) for target in reader.lookups.targets() if target.is_elsewhere and not _is_over(target)
    ]


def _is_over(target: Target) -> bool:
    return target.allocation is not None and isinstance(target.allocation.state, Retired)


def _line(reader: Reader, target: Target) -> HostLine:
    host = target.host
    in_flight = reader.lookups.in_flight(target.name)
    line = HostLine(
        target.name,
        None if target.ssh is None else target.ssh.host,
        name_of(host),
        format_time(host.since) if host.since else None,
        host.latency_us / 1000 if isinstance(host, Up) else None,
        len(in_flight),
        reader.lookups.used(target.name),
        target.capacity,
        target.paused,
        last_error_of(host),
        format_time(host.retry_at) if isinstance(host, Down) else None,
        host.fingerprint if isinstance(host, Refused) else None,
        _workdir(target),
        "slurm" if target.is_cluster else "ssh",
        target.slurm.partition or None if target.is_cluster and target.slurm is not None else None,
        sum(isinstance(job.state, Launching) for job in in_flight) if target.is_cluster else 0,
        sum(isinstance(job.state, Unknown) for job in in_flight),
    )
    if target.allocation is not None:
        return _as_allocation(reader, line, target.allocation)
    return replace(line, reason=line.reason or _trouble(reader, target, in_flight)) if target.is_cluster else line


def _trouble(reader: Reader, target: Target, in_flight: Sequence[Job]) -> str | None:
    """What a cluster that is connected does not tell, or does not take."""
    for job in in_flight:
        if isinstance(job.state, Unknown) and job.place == target.name:
            return job.state.reason
    for batch in reader.lookups.open_batches(target.name):
        if isinstance(batch.state, PlannedBatch) and batch.state.reason:
            return batch.state.reason
    return None


def _as_allocation(reader: Reader, line: HostLine, allocation: Allocation) -> HostLine:
    """The line of an allocation: its node in place of the host, and while it is not granted its own state."""
    state, since = allocation.state, format_time(allocation.state.since)
    common = replace(line, kind="allocation", host=None, workdir="", reason=allocation.released or line.reason)
    match state:
        case Granted(node=node):
            return replace(common, host=node)
        case Over(reason=reason):
            return replace(common, state="over", since=since, reason=reason)
        case _:
            return replace(common, state="asked", since=since, reason=common.reason or _waits(reader, allocation))


def _waits(reader: Reader, allocation: Allocation) -> str | None:
    """Why the cluster does not run it yet."""
    batch = reader.lookups.batch(token_of(reader.lookups.home, allocation.number))
    if batch is None or isinstance(batch.state, ClosedBatch) or not batch.state.reason:
        return None
    return waiting_text(batch.state.reason)


def _workdir(target: Target) -> str:
    if target.ssh is not None:
        return target.ssh.workdir
    return "" if target.slurm is None else target.slurm.workdir


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
        printable(_host(line)),
        state,
        "" if line.since is None else _short(line.since),
        "" if line.latency_ms is None else f"{line.latency_ms:.0f} ms",
        str(line.queued) if line.kind == "slurm" else "",
        str(line.running - line.queued),
        amounts_text(line.capacity) if line.capacity else "",
        printable(line.reason or ""),
    )


def _host(line: HostLine) -> str:
    """The machine, and of a cluster its partition there."""
    if line.kind == "allocation":
        return line.host or ""
    parts = ["this machine" if line.host is None else line.host]
    if line.kind == "slurm":
        parts.append(f"Slurm {line.partition}" if line.partition else "Slurm")
    return ", ".join(parts)


def _short(since: str) -> str:
    moment_us = int(datetime.fromisoformat(since).timestamp() * 1_000_000)
    return short_text(moment_us, now_us())
