"""README's table of the peers, and those of docs/performance.md, as the committed results have them.

`./dev bench peers --readme` writes them anew, each between its two marks; a test looks that they are not stale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import floor, log10
from pathlib import Path
from typing import Final

from benchmarks.peers.outcome import table_of
from benchmarks.peers.verdicts import of_figure, verdicts
from benchmarks.peers.works import TITLES, UNITS, Figure
from benchmarks.results import Measurement, Run
from benchmarks.tables import number

ROOT: Final = Path(__file__).parents[2]
_END: Final = "<!-- end of peers -->"
_DIGITS: Final = 3
_SHORT: Final[Mapping[Figure, str]] = {
    "calls": "no-op function calls",
    "processes": "`/bin/true`, 2 at once",
    "dag": "`/bin/true`, each after 2 others",
    "append": "append, 100 events a commit",
    "replay": "replay to the state of all jobs",
}


def comparison(run: Run) -> str:
    """README's: a line for each figure, Holdfast and the others, those that sync apart from those that don't."""
    rows = ["| work | Holdfast, synced | others, synced | others, not synced |", "|---|---|---|---|"]
    usual = _usual(run)
    for figure in TITLES:
        measured = sorted(of_figure(figure, run.results), key=lambda each: -each.median)
        if measured:
            ours = [each for each in measured if _is_ours(each)]
            peers = [each for each in measured if not _is_ours(each)]
            groups = (
                ours,
                [each for each in peers if each.settings["synced"]],
                [each for each in peers if not each.settings["synced"]],
            )
            cells = ("; ".join(_told(each, usual) for each in group) for group in groups)
            rows.append(f"| {TITLES[figure]}, {UNITS[figure]} | {' | '.join(cells)} |")
    return "\n".join([_caption(run, usual), "", *rows])


def marks(run: Run) -> str:
    """Those of docs/performance.md: what was to be reached beside the peers, and what was."""
    rows = ["| mark beside the peers | asked | reached | |", "|---|---|---|---|"]
    for each in verdicts(run.results):
        unit = UNITS[each.mark.figure]
        beside = f" by {each.peer.name}" if each.peer else ""
        times = f"{each.mark.least:g} times" if each.mark.least > 1 else "ahead"
        asked = times if each.peer else f"{number(each.mark.least)} {unit}"
        what = f"{_SHORT[each.mark.figure]}: {each.mark.case}{beside}"
        rows.append(f"| {what} | {asked} | {each.told} | {'reached' if each.met else 'missed'} |")
    return "\n".join([_caption(run, _usual(run)), "", *rows])


def tables(run: Run) -> str:
    """All that was measured, with what each one keeps of its work."""
    return "\n\n".join(["```\n$ ./dev bench peers", *(table_of(each, {}) for each in run.results)]) + "\n```"


BLOCKS: Final[Mapping[str, Mapping[str, Callable[[Run], str]]]] = {
    "README.md": {"comparison": comparison},
    "docs/performance.md": {"marks": marks, "tables": tables},
}


def written(page: str, text: str, run: Run) -> str:
    """The text of a page with its blocks as the results have them."""
    for name, make in BLOCKS[page].items():
        start = f"<!-- peers: {name} -->"
        before, found, rest = text.partition(f"{start}\n")
        _, ended, after = rest.partition(_END)
        assert found, f"{page} has no line {start}"
        assert ended, f"{page} has no {_END} after {start}"
        text = f"{before}{start}\n{make(run)}\n{_END}{after}"
    return text


def write(run: Run) -> None:
    """Write the blocks into the pages, and print them."""
    for page, blocks in BLOCKS.items():
        path = ROOT / page
        path.write_text(written(page, path.read_text(encoding="utf-8"), run), encoding="utf-8")
        for make in blocks.values():
            print(f"{page}:\n{make(run)}\n")


def _usual(run: Run) -> int:
    """In how many rounds most were measured."""
    counts = Counter(len(each.samples) for result in run.results for each in result.measurements)
    return counts.most_common(1)[0][0]


def _caption(run: Run, usual: int) -> str:
    of = "one round" if usual == 1 else f"medians of {usual} rounds"
    machine = run.machine
    where = f"{machine.cores} cores, Python {machine.python}"
    other = any(len(each.samples) != usual for result in run.results for each in result.measurements)
    more = "; where there were more or fewer, the median and their number in brackets" if other else ""
    return f"Measured on {machine.date[:10]}: {where}, {of}, interleaved{more} (`benchmarks/results/peers.json`)."


def _told(measurement: Measurement, usual: int) -> str:
    name = measurement.name.removeprefix("holdfast, ")
    count = len(measurement.samples)
    return f"{name}: {_rate(measurement.median)}" + (f" ({count})" if count != usual else "")


def _is_ours(measurement: Measurement) -> bool:
    return measurement.name.startswith("holdfast")


def _rate(value: float) -> str:
    """With three digits that count."""
    return f"{round(value, _DIGITS - 1 - floor(log10(value))):,.0f}"
