"""Clients by the dozen, for `benchmarks.load`: each a task that speaks the control socket as the command line does.

`python -m benchmarks.load_clients HOME SECONDS ROLE=COUNT ...` prints what they met as one JSON object:

- `status` asks how things stand, 20 times a second;
- `submit` hands over a flow of three jobs, 10 times a second;
- `jobs` reads the newest 200 jobs as `holdfast jobs --limit 200` does, twice a second;
- `deaf` asks and asks and never reads, until it is cut off; then it comes again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import trio

from holdfast.events.messages import Answer, AskStatus, Refusal, Request, Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.unix_path import short_address

JOBS_A_FLOW: Final = 3
PAGE: Final = 200
_PAUSES_S: Final = {"status": 0.05, "submit": 0.1, "jobs": 0.5}
_DEAF_LINES: Final = 1000
_NEWEST: Final = "id in (select id from job where true order by id desc limit ?)"
_decoder: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class Report(msgspec.Struct):
    """What the clients of one role met: how many requests were sent and answered, and how long each answer took."""

    sent: int = 0
    answered: int = 0
    refused: list[str] = []
    cut_off: int = 0
    took_ms: list[float] = []


Reports = dict[str, Report]


async def connect(home: Home) -> trio.SocketStream:
    """A connection to the supervisor. Raises OSError."""
    connection = trio.socket.socket(trio.socket.AF_UNIX)
    with short_address(home.control) as address:
        await connection.connect(address)
    return trio.SocketStream(connection)


async def ask(stream: trio.SocketStream, request: Request) -> Answer:
    """One request and its answer. Raises EOFError where none comes."""
    await stream.send_all(msgspec.json.encode(request) + b"\n")
    parts = bytearray()
    while not parts.endswith(b"\n"):
        data = await stream.receive_some()
        if not data:
            raise EOFError
        parts += data
    return _decoder.decode(parts)


def small_flow(number: int) -> FlowSpec:
    """Three jobs, one after the other."""
    names = [f"step{step}" for step in range(JOBS_A_FLOW)]
    jobs = [
        JobSpec(run=("/bin/true",), name=name, after=(names[step - 1],) if step else ())
        for step, name in enumerate(names)
    ]
    return FlowSpec(jobs=tuple(jobs), name=f"small{number}")


async def be_asking(home: Home, report: Report, role: str, number: int) -> None:
    """Ask the same again and again, over one connection."""
    request = AskStatus() if role == "status" else Submit(small_flow(number))
    async with await connect(home) as stream:
        while True:
            await trio.sleep(_PAUSES_S[role])
            with trio.CancelScope(shield=True):
                await _ask_and_note(stream, request, report)


async def _ask_and_note(stream: trio.SocketStream, request: Request, report: Report) -> None:
    report.sent += 1
    began = time.perf_counter()
    answer = await ask(stream, request)
    report.took_ms.append((time.perf_counter() - began) * 1e3)
    report.answered += 1
    if isinstance(answer, Refusal):
        report.refused.append(answer.message)


async def be_listing(home: Home, report: Report, role: str, number: int) -> None:
    """Read pages of jobs, in a thread of its own, as `holdfast jobs` does in its process."""
    del number

    def look() -> None:
        with Reader(home) as reader:
            assert sum(1 for _ in reader.jobs(_NEWEST, (PAGE,))) == PAGE, "there are more jobs than that"

    while True:
        await trio.sleep(_PAUSES_S[role])
        report.sent += 1
        began = time.perf_counter()
        await trio.to_thread.run_sync(look)
        report.took_ms.append((time.perf_counter() - began) * 1e3)
        report.answered += 1


async def be_deaf(home: Home, report: Report, role: str, number: int) -> None:
    """Ask for ever without reading."""
    del role, number
    lines = (msgspec.json.encode(AskStatus()) + b"\n") * _DEAF_LINES
    while True:
        async with await connect(home) as stream:
            try:
                while True:
                    await stream.send_all(lines)
            except trio.BrokenResourceError:
                report.cut_off += 1


_ROLES: Final[dict[str, Callable[[Home, Report, str, int], Awaitable[None]]]] = {
    "status": be_asking,
    "submit": be_asking,
    "jobs": be_listing,
    "deaf": be_deaf,
}


async def crowd(home: Home, seconds: float, counts: dict[str, int]) -> Reports:
    """All these clients for so long."""
    reports = {role: Report() for role in counts}
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for role, count in counts.items():
                for number in range(count):
                    nursery.start_soon(_ROLES[role], home, reports[role], role, number)
    return reports


def main() -> None:
    """Be the clients that the arguments name."""
    home, seconds, *roles = sys.argv[1:]
    counts = {role: int(count) for role, _, count in (each.partition("=") for each in roles)}
    reports = trio.run(partial(crowd, Home(Path(home)), float(seconds), counts))
    sys.stdout.buffer.write(msgspec.json.encode(reports) + b"\n")


if __name__ == "__main__":
    main()
