"""What benchmarks take as options: each refused with the rule and a remedy before anything is measured or installed.

`argparse` says where: it puts the option before the text and ends with exit code 2.
"""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Final

THINK_MS_MAX: Final = 60_000.0
LIMIT_MAX: Final = 65_536


def seconds(text: str) -> float:
    """A time that is longer than nothing."""
    found = _number(text)
    if found is None or not 0 < found < math.inf:
        raise ArgumentTypeError(f"{text!r} is no length of time; give seconds above 0, such as 1.5")
    return found


def rounds(text: str) -> int:
    """How often to measure, at least once."""
    return _whole(text, "nothing can be measured so many times; give a whole number from 1 on")


def limits(text: str) -> tuple[int, ...]:
    """Limits to sweep, in order, each once."""
    remedy = f"no limit is swept there; give whole numbers from 1 to {LIMIT_MAX}, with commas between"
    return tuple(sorted({_whole(each, remedy, LIMIT_MAX) for each in text.split(",")}))


def thinks_ms(text: str) -> tuple[float, ...]:
    """How long jobs think."""
    found: list[float] = []
    for each in text.split(","):
        think_ms = _number(each)
        if think_ms is None or not 0 <= think_ms <= THINK_MS_MAX:
            problem = f"nobody thinks for {each!r} ms"
            raise ArgumentTypeError(f"{problem}; give milliseconds from 0 to {THINK_MS_MAX:.0f}, with commas between")
        found.append(think_ms)
    return tuple(found)


def new_file(text: str) -> Path:
    """A file that can be written once there is something to write: its folder is there, and it is none itself."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{text} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"there is no folder {path.parent}; make it, or name a file in one that is there")
    return path


def folder(text: str) -> Path:
    """A folder for files, made if it is missing, before minutes are spent on what goes there."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentTypeError(f"{text} can't be made a folder: {error.strerror}; name another place") from error
    return path


def _whole(text: str, remedy: str, most: float = math.inf) -> int:
    try:
        found = int(text)
    except ValueError:
        found = 0
    if not 1 <= found <= most:
        raise ArgumentTypeError(f"{text!r}: {remedy}")
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
