"""What became of attempts in an allocation that is over: read from what its runner wrote, where it wrote it.

Nothing is changed there: should the runner still live, as on a node that only its controller has lost, it is not
disturbed, and nothing is claimed of what it has not written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import trio

from holdfast.events.allocations import name_of
from holdfast.events.backoff import full_jitter_us
from holdfast.events.errors import Unavailable
from holdfast.events.messages import AttemptStatus, Settled
from holdfast.events.records import OutputRange

from ..runner import Run, recall
from .allocations import folder_of
from .asking import NoAnswer
from .shared import Shared
from .site import Site

PIECE_BYTES: Final = 8 << 20
_US: Final = 1_000_000
_RETRY_CAP_US: Final = 60_000_000
_UNSEEN: Final = "the allocation on the cluster that it was in is over, and nobody saw how it ended"
_STATUS: Final = msgspec.json.Decoder(AttemptStatus)
# $1: the folder of all allocations, $2: the number, $3: the first byte, from 1 on, $4: how many.
_READ: Final = (
    'cd -- "$1" || exit 1; [ -e "$2/runner.journal" ] || exit 0; tail -c "+$3" "$2/runner.journal" | head -c "$4"'
)
# $1: the folder of output, then names. What is not there has no size.
_SIZES: Final = 'cd -- "$1" || exit 1; shift; for name do [ -e "$name" ] && wc -c <"$name" || echo 0; done'


class Settler:
    """Of one cluster."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._numbers: dict[int, None] = {}
        self._news = trio.Event()

    def take(self, number: int) -> None:
        """The allocation of this number is over."""
        self._numbers[number] = None
        self._news.set()

    async def run(self, site: Site) -> None:
        """Settle until cancelled."""
        failures = 0
        while True:
            await self._news.wait()
            self._news = trio.Event()
            try:
                while self._numbers:
                    await self._settle(site, next(iter(self._numbers)))
                    failures = 0
            except Unavailable as error:
                failures += 1
                self._shared.on_trouble(f"{self._shared.name}: {error}")
                await trio.sleep(1 + full_jitter_us(failures, _US, _RETRY_CAP_US, self._shared.random) / _US)
                self._news.set()

    async def _settle(self, site: Site, number: int) -> None:
        shared = self._shared
        settled = await read_settled(site, shared.name, number, shared.clock.now())
        self._numbers.pop(number, None)
        await shared.scheduler.tell(settled)


async def read_settled(site: Site, cluster: str, number: int, now: int) -> Settled:
    """What the runner of an allocation wrote of its attempts; those of which it wrote no end are lost at `now`.

    Raises Unavailable.
    """
    past = recall(await _read(site, number))
    ended = [_STATUS.decode(text) for text in past.ended.values()]
    runs = list(past.claims.values())
    sizes = await _sizes(site, [name for run in runs for name in _segments(run)])
    lost = [
        AttemptStatus(
            run.token,
            "ended",
            started_at=run.started_at,
            ended_at=now,
            how="lost",
            error=_UNSEEN,
            output=tuple(
                OutputRange(name, start, max(start, sizes[name]))
                for name, start in zip(_segments(run), run.starts, strict=True)
            ),
        )
        for run in runs
    ]
    # Where lines can't be read, they may have been claims.
    return Settled(name_of(cluster, number), (*ended, *lost), past.closed and not past.garbage)


def _segments(run: Run) -> tuple[str, str]:
    return f"{run.segment:06d}.out", f"{run.segment:06d}.err"


async def _read(site: Site, number: int) -> bytes:
    folder = folder_of(site.folder, number).rpartition("/")[0]
    content = bytearray()
    while True:
        piece = await _run(site, _READ, (folder, str(number), str(len(content) + 1), str(PIECE_BYTES)))
        content += piece
        if len(piece) < PIECE_BYTES:
            return bytes(content)


async def _sizes(site: Site, names: list[str]) -> dict[str, int]:
    if not names:
        return {}
    lines = (await _run(site, _SIZES, (f"{site.folder}/output", *names))).split()
    if len(lines) != len(names):
        problem = f"the sizes of {len(names)} files of output were asked for, and {len(lines)} came"
        raise NoAnswer(problem)
    return {name: int(line) for name, line in zip(names, lines, strict=True)}


async def _run(site: Site, script: str, words: Iterable[str]) -> bytes:
    """What a script of ours prints. Raises Unavailable."""
    finished = await site.run(["/bin/sh", "-c", script, "holdfast", *words])
    if finished.exit_code:
        said = " ".join(finished.stderr.decode(errors="replace").split())
        problem = f"what the runner of an allocation wrote can't be read: {said or f'exit code {finished.exit_code}'}"
        raise NoAnswer(problem)
    return finished.stdout
