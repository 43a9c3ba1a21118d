"""The page on the life cycle is the table's: it can't say anything else."""

from __future__ import annotations

from holdfast.events.lifecycle import MOVES
from tests.tree import ROOT

from .lifecycle_picture import COMMAND, PAGE, page


def test_the_page_on_the_life_cycle_is_drawn_from_the_table_as_it_is() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), f"{PAGE} is stale; `{COMMAND}` draws it anew"


def test_every_move_to_another_state_is_in_the_picture() -> None:
    lines = [line.strip() for line in page().splitlines()]
    for start, moves in MOVES.items():
        for event, ends in moves.items():
            for end in (end for end in ends if end is not start):
                arrow = f"{start.__name__.lower()} --> {end.__name__.lower()}: "
                assert any(line.startswith(arrow) and event.__name__ in line for line in lines)
