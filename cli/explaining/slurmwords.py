"""What a batch waits for, in words: Slurm's own reason for what is in its queue, or why it was not taken yet."""

from __future__ import annotations

import re
from typing import Final

from holdfast.actors.slurm.reasons import waiting

_WORD: Final = re.compile(r"[A-Za-z]+(?:[,(].*)?")


def waiting_text(reason: str) -> str:
    """The reason of a batch as words that go on after `it waits: `; what Holdfast says itself is in words already."""
    return waiting(reason) if _WORD.fullmatch(reason) else reason
