"""What was measured so far: a line a measurement in a file that grows, so that rounds can be run a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.peers.cases import Case
from benchmarks.peers.works import Figure, Work


class Sample(Struct, frozen=True):
    """One case in one round: so much of a work, and the seconds of each figure."""

    round: int
    case: str
    work: Work
    count: int
    version: str
    seconds: dict[Figure, float]


class Samples:
    """All samples of a run; those in the file, if it has one, and those that are added."""

    def __init__(self, path: Path | None) -> None:
        """Reads what is there. Raises OSError, and msgspec.DecodeError for a file of something else."""
        self._path = path
        self._samples: list[Sample] = []
        if path is not None and path.exists():
            self._samples = msgspec.json.Decoder(Sample).decode_lines(path.read_bytes())

    def add(self, sample: Sample) -> None:
        """Remember it, and write it at once."""
        self._samples.append(sample)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(sample) + b"\n")

    def has(self, number: int, case: Case, work: Work) -> bool:
        """Whether this was measured in round `number`."""
        return any(
            each.round == number and each.case == case.name and each.work == work and each.count == case.count(work)
            for each in self._samples
        )

    def rates(self, case: Case, figure: Figure) -> tuple[float, ...]:
        """Its rates a second, in order of rounds; of as much work as it is to do now."""
        return tuple(each.count / each.seconds[figure] for each in self._of(case, figure))

    def version(self, case: Case) -> str:
        """The newest version that was measured."""
        return next((each.version for each in reversed(self._samples) if each.case == case.name), "")

    def _of(self, case: Case, figure: Figure) -> Sequence[Sample]:
        found = (each for each in self._samples if each.case == case.name and figure in each.seconds)
        return sorted((each for each in found if each.count == case.count(each.work)), key=lambda each: each.round)
