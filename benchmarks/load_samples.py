"""How much memory processes take over time, and a picture of it: SVG by hand, as it needs no library."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

EVERY_S: Final = 0.5
_MIB: Final = 2**20
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT = 760, 320, 64, 24, 88
_LINES_MAX: Final = 9
_COLOURS: Final = ("#1f6feb", "#d1571f")
_FRAME: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {_HEIGHT + 72}" '
    'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
)


class Samples:
    """Resident memory of processes, looked at twice a second for as long as a `with` lasts."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        """`pids` by the names that the picture shows."""
        self._pids = dict(pids)
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.seen: dict[str, list[tuple[float, float]]] = {name: [] for name in pids}
        self.marks: list[tuple[float, str]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def names(self) -> list[str]:
        """Whose memory it is."""
        return list(self._pids)

    def follow(self, name: str, pid: int) -> None:
        """Look at one more process from now on."""
        self.seen[name] = []
        self._pids[name] = pid

    def mark(self, what: str) -> float:
        """Note that something begins; returns when, in seconds since the first look."""
        at = time.monotonic() - self._began
        self.marks.append((at, what))
        return at

    def busy_s(self) -> list[float]:
        """The processor time of each process so far, in seconds."""
        return [busy_s(pid) for pid in self._pids.values()]

    def between(self, name: str, start_s: float, end_s: float) -> tuple[float, float]:
        """The first and the last sample in this time, in MiB."""
        found = [amount for at, amount in self.seen[name] if start_s <= at <= end_s]
        return found[0], found[-1]

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            for name, pid in list(self._pids.items()):
                try:
                    amount = resident_bytes(pid) / _MIB
                except OSError:  # it has ended
                    continue
                self.seen[name].append((time.monotonic() - self._began, amount))


def resident_bytes(pid: int) -> int:
    """How much memory a process takes just now. Raises OSError if there is none."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def busy_s(pid: int) -> float:
    """Processor time that a process has taken so far. Raises OSError if there is none."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_S


def draw(samples: Samples, path: Path) -> None:
    """Draw the memory of all over time into an SVG file."""
    points = [point for seen in samples.seen.values() for point in seen]
    last_s, most = max(at for at, _ in points), max(amount for _, amount in points)
    step_mib = next(each for each in (10, 25, 50, 100, 250, 500, 1000) if most / each < _LINES_MAX)
    step_s = next(each for each in (5, 10, 20, 30, 60, 120) if last_s / each < _LINES_MAX)
    across, up = _WIDTH / last_s, _HEIGHT / (step_mib * (int(most / step_mib) + 1))

    def place(at: float, amount: float) -> str:
        return f"{_LEFT + at * across:.1f},{_TOP + _HEIGHT - amount * up:.1f}"

    parts = [_FRAME]
    for number in range(int(most / step_mib) + 2):
        y = _TOP + _HEIGHT - number * step_mib * up
        parts.append(f'<path d="M{_LEFT} {y:.1f}h{_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step_mib}</text>')
    for number in range(int(last_s / step_s) + 1):
        x = _LEFT + number * step_s * across
        parts.append(f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{number * step_s}</text>')
    for row, (at, what) in enumerate(samples.marks):
        x = _LEFT + at * across
        parts.append(f'<path d="M{x:.1f} {_TOP}v{_HEIGHT}" stroke="#888" stroke-dasharray="3 3"/>')
        parts.append(f'<text x="{x + 4:.1f}" y="{_TOP + 12 + 14 * (row % 2)}" fill="#555">{what}</text>')
    for colour, (name, seen) in zip(_COLOURS, samples.seen.items(), strict=False):
        line = " ".join(place(*each) for each in seen)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        end = place(*seen[-1]).split(",")
        parts.append(f'<text x="{float(end[0]) + 6:.1f}" y="{end[1]}" fill="{colour}">{name}</text>')
    middle = _LEFT + _WIDTH / 2
    parts.append(f'<text x="{middle}" y="{_TOP + _HEIGHT + 40}" text-anchor="middle">seconds</text>')
    parts.append(f'<text x="{_LEFT}" y="14">resident memory, MiB</text>\n</svg>\n')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))
