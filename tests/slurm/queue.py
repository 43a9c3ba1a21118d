"""What Slurm knows of jobs, and what it ever took: read from the queue, the accounting and the controller's log."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LINE: Final = re.compile(r"^\[[^]]*?(?P<thread>\d+ +\S+ +0x[0-9a-f]+)\] (?P<text>.*)$", re.MULTILINE)
_ASKED: Final = re.compile(r"lua: submission array=(?P<array>\S*) name=(?P<name>\S*)$")
_JUDGED: Final = re.compile(r"(?:sched: )?_slurm_rpc_(?:submit_batch_job|allocate_resources):? (?:JobId=(?P<id>\d+))?")
_BYTE: Final = re.compile(r"\\x([0-9a-f]{2})")
_RANGE: Final = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")


class Row(NamedTuple):
    """A job, or a task of an array, as squeue or sacct shows it."""

    id: str  # "25", of a task "25_3"
    state: str  # in full: "COMPLETED", "CANCELLED by 0"
    name: str


class Submission(NamedTuple):
    """A submission that the controller accepted, whatever became of it and of the controller's memory."""

    id: int
    name: str
    tasks: int  # 1 where it is no array


def rows(text: str) -> list[Row]:
    """Read lines of the form id|state|name."""
    return [Row(*line.split("|", 2)) for line in text.splitlines()]


def submissions(log: str) -> list[Submission]:
    """Read the controller's log: what was asked for and the judgement on it were written by the same thread."""
    asked: dict[str, re.Match[str]] = {}
    found: list[Submission] = []
    for line in _LINE.finditer(log):
        thread, text = line["thread"], line["text"]
        if request := _ASKED.match(text):
            asked[thread] = request
        elif (judged := _JUDGED.match(text)) and (request := asked.pop(thread, None)) and judged["id"]:
            found.append(Submission(int(judged["id"]), _plain(request["name"]), tasks_of(_plain(request["array"]))))
    return found


def tasks_of(array: str) -> int:
    """How many tasks an array has, by what --array was given, as 0-7,10-20:2%4; 1 without any."""
    count = 0
    for first, last, step in _RANGE.findall(array.partition("%")[0]):
        count += len(range(int(first), int(last or first) + 1, int(step or 1)))
    return count or 1


def _plain(text: str) -> str:
    return _BYTE.sub(lambda found: chr(int(found[1], 16)), text).encode("latin-1").decode(errors="replace")
