"""How much of what could be tried is tried: a share in the suite, all of it with HOLDFAST_FAULTS=all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ALL: Final = os.environ.get("HOLDFAST_FAULTS") == "all"
_MEMORY: Final = Path("/dev/shm")


def share(number: int, part: float) -> bool:
    """Whether the case `number` is among the evenly spread `part` of all cases that is tried."""
    return ALL or int((number + 1) * part) > int(number * part)


def memory_folder() -> Path | None:
    """A folder in memory, where it is cheap to sync; None (the system's own choice) where there is none."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None
