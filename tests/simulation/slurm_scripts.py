"""What a batch script of Holdfast's means, read from its text: whoever changes the script's words has to look here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

from .slurm_jobs import Order, Submission

_FOLDER: Final = re.compile(r"^holdfast_folder=(.*?) # ", re.MULTILINE)
_HOME: Final = re.compile(r"HOLDFAST_TOKEN=(\S+?)\.\"\$holdfast_work\"")
_ONE: Final = re.compile(r"^ *\"\$1\" '([0-9]+\.[0-9]+)' (.*)$", re.MULTILINE)
_TASK: Final = re.compile(r"^ *([0-9]+)\) \"\$1\" '([0-9]+\.[0-9]+)' (.*) ;;$", re.MULTILINE)
_FOLDERS_APART: Final = re.compile(r"^ *holdfast_cwd=\$2$", re.MULTILINE)
_AFTER: Final = re.compile(r"^for holdfast_needed in (.*); do$", re.MULTILINE)
_PLAN: Final = re.compile(r"^ .* \"\$\$\" '([0-9a-f]*)' \\$", re.MULTILINE)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def read_script(script: str, options: Mapping[str, str]) -> Submission:
    """The meaning of a script that was submitted with these options. Raises ValueError if it makes no sense."""
    folder, home, plan = _FOLDER.search(script), _HOME.search(script), _PLAN.search(script)
    if folder is None or home is None or plan is None:
        raise ValueError(f"this is no script of a batch: {script}")
    name = home[1].strip("'")
    orders: dict[int | None, Order] = {}
    needed = _AFTER.search(script)
    after = tuple(_needed(word) for word in shlex.split(needed[1])) if needed else ()
    if "array" in options:
        apart = _FOLDERS_APART.search(script) is not None
        rows = {int(index): (work, words) for index, work, words in _TASK.findall(script)}
        for index in indexes(options["array"]):
            work, words = rows[index]
            orders[index] = Order(f"{name}.{work}", _command(words, apart=apart), plan[1], after)
    else:
        row = _ONE.search(script)
        if row is None:
            raise ValueError(f"this script is for no attempt: {script}")
        orders[None] = Order(f"{name}.{row[1]}", _command(row[2]), plan[1], after)
    return Submission(dict(options), shlex.split(folder[1])[0], orders)


def indexes(text: str) -> list[int]:
    """The tasks of an array that `[0,2-3]`, or the same without brackets, names."""
    found: list[int] = []
    for each in text.strip("[]").split(","):
        first, _, last = each.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def _needed(word: str) -> tuple[str, str]:
    work, _, kind = word.partition(":")
    return work, kind


def _command(words: str, *, apart: bool = False) -> tuple[str, ...]:
    """The command among these words; before it is its folder, if that is `apart`, and `env` with its variables."""
    split = shlex.split(words)[1 if apart else 0 :]
    if len(split) > 1 and split[0] == "env" and _ASSIGNMENT.fullmatch(split[1]):
        del split[0]
    while split and _ASSIGNMENT.fullmatch(split[0]):
        del split[0]
    return tuple(split)
