"""Which marks were reached: what is asked of a case, what it came to, beside which peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from msgspec import Struct

from benchmarks.peers.works import BEST_SYNCED, MARKS, UNITS, Figure, Mark
from benchmarks.results import Measurement, Result
from benchmarks.tables import number


class Verdict(Struct, frozen=True):
    """One mark, with what was measured of it: `ours`, and the `peer` where the mark is so many times a peer's rate."""

    mark: Mark
    ours: Measurement
    peer: Measurement | None

    @property
    def reached(self) -> float:
        """So many a second, or so many times the peer; by rounds where both have all of them, else of the medians."""
        if self.peer is None:
            return self.ours.median
        if len(self.ours.samples) == len(self.peer.samples):
            return median(a / b for a, b in zip(self.ours.samples, self.peer.samples, strict=True))
        return self.ours.median / self.peer.median

    @property
    def met(self) -> bool:
        """Whether it is enough."""
        return self.reached >= self.mark.least

    @property
    def asked(self) -> str:
        """The case, and what is asked of it."""
        unit = UNITS[self.mark.figure]
        if self.peer is None:
            return f"{self.mark.case}: at least {number(self.mark.least)} {unit}"
        peer = f"{self.peer.name} ({number(self.peer.median)} {unit})"
        return f"{self.mark.case}: at least {self.mark.least:g} times {peer}"

    @property
    def told(self) -> str:
        """What was reached, with its unit."""
        return f"{number(self.reached)} {'times' if self.peer else UNITS[self.mark.figure]}"

    @property
    def line(self) -> str:
        """All of it."""
        verdict = "met" if self.met else f"MISSED, {self.reached / self.mark.least:.2f} of it"
        return f"{self.mark.figure}: {self.asked}: {self.told}, {verdict}"


def verdicts(results: Sequence[Result]) -> Iterator[Verdict]:
    """One for each mark whose cases were measured."""
    for mark in MARKS:
        measured = of_figure(mark.figure, results)
        ours = next((each for each in measured if each.name == mark.case), None)
        peer = _peer(mark, measured)
        if ours is not None and (peer is not None or mark.peer is None):
            yield Verdict(mark, ours, peer)


def _peer(mark: Mark, measured: Sequence[Measurement]) -> Measurement | None:
    if mark.peer != BEST_SYNCED:
        return next((each for each in measured if each.name == mark.peer), None)
    synced = [each for each in measured if each.settings["synced"] and not each.name.startswith("holdfast")]
    return max(synced, key=lambda each: each.median, default=None)


def of_figure(figure: Figure, results: Sequence[Result]) -> Sequence[Measurement]:
    """What was measured of it."""
    return next((each.measurements for each in results if each.benchmark == f"peers: {figure}"), ())
