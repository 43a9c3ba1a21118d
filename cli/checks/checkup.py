"""What a check of `doctor` comes to."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import NamedTuple


class Level(IntEnum):
    """How bad it is: `WARNING` works for now, `WRONG` does not."""

    OK = 0
    WARNING = 1
    WRONG = 2

    @property
    def label(self) -> str:
        """The word for it: ok, warning or wrong."""
        return self.name.lower()


class Finding(NamedTuple):
    """What was seen, and the remedy where there is something to mend."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, what)


def warning(what: str, remedy: str) -> Finding:
    """It works for now."""
    return Finding(Level.WARNING, what, remedy)


def wrong(what: str, remedy: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(Level.WRONG, what, remedy)


def nearest_folder(path: Path) -> Path:
    """The folder itself, or the nearest above it that exists: the one that it would be made on."""
    return next(each for each in (path, *path.parents) if each.is_dir())
