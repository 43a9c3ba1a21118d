"""Staging of one large file beside OpenSSH's own `sftp`, over the same real sshd on loopback, in both directions.

Each sample is a connection of its own, opened and closed within the time that counts. Both ends share this machine.
What Holdfast does besides is in its time: SHA-256 on the way, a part that is synced before it takes its place, notes.
`sftp -f` syncs as well and is shown for that; the budget is 0.8 of `sftp` as it is, which doesn't.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved

SIZES_MB: Final[dict[Scale, int]] = {"full": 1_000, "quick": 100}
ROUNDS: Final[dict[Scale, int]] = {"full": 3, "quick": 3}
BUDGET: Final = 0.8


def measure(scale: Scale) -> Sequence[Measurement]:
    """There and back."""
    from benchmarks.staging_track import Track  # noqa: PLC0415 - asyncssh and the tests' hosts, which no list needs

    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        track = Track(Path(folder), SIZES_MB[scale])
        try:
            measured: list[Measurement] = []
            for command, what in (("put", "there"), ("get", "back")):
                limit = f"sftp, {what}"
                cases = [
                    Case(name=limit, unit="MB/s", run=partial(track.sftp, command)),
                    Case(name=f"sftp -f, {what}", unit="MB/s", run=partial(track.sftp, command, "-f")),
                    Case(
                        name=f"staging, {what}",
                        unit="MB/s",
                        run=partial(track.holdfast, command),
                        limit=limit,
                        budget=BUDGET,
                    ),
                ]
                measured += interleaved(cases, ROUNDS[scale])
            return measured
        finally:
            track.end()


BENCHMARK: Final = Benchmark("staging", "A large file to a host and back, by OpenSSH's sftp.", measure, quick=False)
