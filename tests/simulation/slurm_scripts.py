"""What a batch script of Holdfast's means, read from its text: whoever changes the script's words has to look here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

from .slurm_jobs import Order, Submission

_FOLDER: Final = re.compile(r"^holdfast_folder=(.*?) # ", re.MULTILINE)
_HOME: Final = re.compile(r"HOLDFAST_TOKEN=(\S+?)\.\"\$holdfast_work\"")
_ONE: Final = re.compile(r"^holdfast_work='([0-9]+\.[0-9]+)'$", re.MULTILINE)
_ONE_COMMAND: Final = re.compile(r"^ *set -- (.*)$", re.MULTILINE)
_TASK: Final = re.compile(r"^ *([0-9]+)\) holdfast_work='([0-9]+\.[0-9]+)' ;;$", re.MULTILINE)
_TASK_COMMAND: Final = re.compile(r"^ *([0-9]+)\) (?:holdfast_cwd='[^']*'; )?set -- (.*) ;;$", re.MULTILINE)
_AFTER: Final = re.compile(r"^for holdfast_needed in (.*); do$", re.MULTILINE)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def read_script(script: str, options: Mapping[str, str]) -> Submission:
    """The meaning of a script that was submitted with these options. Raises ValueError if it makes no sense."""
    folder, home = _FOLDER.search(script), _HOME.search(script)
    if folder is None or home is None:
        raise ValueError(f"this is no script of a batch: {script}")
    name = home[1].strip("'")
    orders: dict[int | None, Order] = {}
    needed = _AFTER.search(script)
    after = tuple(_needed(word) for word in shlex.split(needed[1])) if needed else ()
    if "array" in options:
        commands = {int(index): words for index, words in _TASK_COMMAND.findall(script)}
        works = {int(index): work for index, work in _TASK.findall(script)}
        for index in indexes(options["array"]):
            orders[index] = Order(f"{name}.{works[index]}", _command(commands[index]), after)
    else:
        work, command = _ONE.search(script), _ONE_COMMAND.search(script)
        if work is None or command is None:
            raise ValueError(f"this script is for no attempt: {script}")
        orders[None] = Order(f"{name}.{work[1]}", _command(command[1]), after)
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


def _command(words: str) -> tuple[str, ...]:
    """The command among these words, which begin with `env` and variables if it has any."""
    split = shlex.split(words)
    if len(split) > 1 and split[0] == "env" and _ASSIGNMENT.fullmatch(split[1]):
        del split[0]
    while split and _ASSIGNMENT.fullmatch(split[0]):
        del split[0]
    return tuple(split)
