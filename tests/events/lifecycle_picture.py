"""Draws docs/lifecycle.md from the table of legal moves: `python -m tests.events.lifecycle_picture` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.events.lifecycle import MOVES
from holdfast.events.states import FINAL, LIVE, JobState
from tests.tree import ROOT

PAGE: Final = Path("docs/lifecycle.md")
COMMAND: Final = "python -m tests.events.lifecycle_picture"

_START: Final = """\
# The life of a job

Drawn from the table in `events/lifecycle.py`, which is the only place where it is decided; don't edit this page.
A move that is not here can't happen: it raises `IllegalMove` and changes nothing. How a job's dependencies decide
between `ready`, `waiting` and `skipped` stands in `events/graph.py`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join((_START, *_picture(), "", "## States", "", *_states(), "", "## Moves", "", *_moves(), ""))


def _name(state: type[JobState]) -> str:
    return state.__name__.lower()


def _first_sentence(documented: type) -> str:
    return " ".join((documented.__doc__ or "").split("\n\n")[0].split())


def _picture() -> Iterator[str]:
    """The moves from state to state; an event that leaves the state as it is would only clutter the picture."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield from (f"    [*] --> {name}: JobSubmitted" for name in ("waiting", "held", "ready"))
    for start, moves in MOVES.items():
        labels: dict[type[JobState], list[str]] = {}
        for event, ends in moves.items():
            for end in ends:
                if end is not start:
                    labels.setdefault(end, []).append(event.__name__)
        yield from (f"    {_name(start)} --> {_name(end)}: {', '.join(events)}" for end, events in labels.items())
    yield f"    {_name(FINAL[0])} --> [*]"
    yield "```"


def _states() -> Iterator[str]:
    yield "| state | | meaning |"
    yield "|---|---|---|"
    yield from (f"| `{_name(state)}` | live | {_first_sentence(state)} |" for state in LIVE)
    yield from (f"| `{_name(state)}` | final | {_first_sentence(state)} |" for state in FINAL)


def _moves() -> Iterator[str]:
    events = list(dict.fromkeys(event for moves in MOVES.values() for event in moves))
    yield "Each event, what it means, and where it leads from each state that it can happen in."
    yield ""
    yield "| event | meaning | from | to |"
    yield "|---|---|---|---|"
    for event in events:
        label, meaning = f"`{event.__name__}`", _first_sentence(event)
        for start, moves in MOVES.items():
            if event in moves:
                ends = ", ".join(f"`{_name(end)}`" for end in moves[event])
                yield f"| {label} | {meaning} | `{_name(start)}` | {ends} |"
                label, meaning = "", ""


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
