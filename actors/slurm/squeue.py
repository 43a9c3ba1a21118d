"""One question for all jobs in the queue: the words of the command, and what its answer says.

`squeue -o` has the same format on every version since 17.11. Each row begins with a record separator and ends with a
group separator, fields are apart by unit separators: characters that no name has, so what is cut off or garbled is
noticed, and a comment of many lines, of a job that isn't Holdfast's, does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from holdfast.events.errors import Unavailable

_ROW, _FIELD, _END = "\x1e", "\x1f", "\x1d"
_FORMAT: Final = _ROW + _FIELD.join("%" + each for each in "AFKTrVSeNjk") + _END
_FIELDS: Final = 11
_SHOWN_CHARACTERS: Final = 80

TIMES: Final = ("env", "SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0")
"""Before a command of Slurm's these have it print times as seconds since 1970, and arrays in full."""

_RANGE: Final = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7})(?::([1-9][0-9]{0,6}))?)?")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_NO_TIME: Final = frozenset({"", "N/A", "NONE", "None", "Unknown", "0"})


class Unparsable(Unavailable):
    """A command of Slurm's printed what can't be understood, or not all of it: nothing is concluded from that.

    `what`: which command; `seen`: the part that makes no sense.
    """

    def __init__(self, what: str, seen: str) -> None:
        super().__init__(f"the answer of {what} makes no sense at {seen[:_SHOWN_CHARACTERS]!r}")


class Tasks(Struct, frozen=True, gc=False):
    """The indexes of an array's tasks, as ranges (first, last, step) in the order that Slurm gives them."""

    ranges: tuple[tuple[int, int, int], ...]

    def __contains__(self, index: object) -> bool:
        if isinstance(index, int):
            for first, last, step in self.ranges:  # asked for each task of an array at each poll: no generator
                if first <= index <= last and (index - first) % step == 0:
                    return True
        return False

    def __iter__(self) -> Iterator[int]:
        for first, last, step in self.ranges:
            yield from range(first, last + 1, step)

    def __len__(self) -> int:
        if len(self.ranges) == 1:  # as in most rows, of which there are thousands
            first, last, step = self.ranges[0]
            return (last - first) // step + 1
        return sum((last - first) // step + 1 for first, last, step in self.ranges)

    @property
    def first(self) -> int:
        """The index that is named first."""
        return self.ranges[0][0]

    def __str__(self) -> str:
        """The ranges as Slurm writes them."""
        return ",".join(_range_text(*each) for each in self.ranges)


class Row(Struct, frozen=True, gc=False):
    """One line of the queue: a job, one task of an array, or all tasks of an array that wait.

    `id`: Slurm's number of the job; the tasks of an array have one each, and the array's own is `array`. `tasks` are
    those that this line stands for; None if it is no array. Times are microseconds since 1970: `started_at` of a job
    that waits is when it may start, `ended_at` of one that runs when its time is over. What is left of an array that
    was cancelled while tasks waited is one line with the array's own number as `id`: at first with the tasks, a moment
    later with neither `array` nor `tasks`.
    """

    id: int
    array: int | None
    tasks: Tasks | None
    state: str
    reason: str
    submitted_at: int
    started_at: int | None
    ended_at: int | None
    nodes: str
    name: str
    comment: str

    @property
    def batch_id(self) -> str:
        """The number that sbatch printed for what this is, or is a task of."""
        return str(self.id if self.array is None else self.array)


def argv(user: str, *, ended: bool = True) -> tuple[str, ...]:
    """The words that ask for all jobs of a user, given by name or number.

    `ended`: also for those that ended within the cluster's MinJobAge (5 minutes, as a rule). The controller sends them
    in any case, so they cost it nothing, and their ends are known without the accounting, which lags.
    """
    states = ("-t", "all") if ended else ()
    return (*TIMES, "squeue", "-h", "-u", user, *states, "-o", _FORMAT)


def parse(stdout: bytes) -> list[Row]:
    """What squeue answered, once it is known that it did; no rows are an empty queue. Raises Unparsable."""
    text = stdout.decode(errors="replace")
    if text in {"", "\n"}:  # not `strip`, which takes separators for blanks
        return []
    if not text.startswith(_ROW):
        raise Unparsable("squeue", text)
    if not text.endswith(_END + "\n"):
        raise Unparsable("squeue", text[-_SHOWN_CHARACTERS:])
    return [_row(each) for each in text[len(_ROW) : -len(_END + "\n")].split(_END + "\n" + _ROW)]


def _row(text: str) -> Row:
    fields = text.split(_FIELD, _FIELDS - 1)
    if len(fields) != _FIELDS or _ROW in text or _END in text:
        raise Unparsable("squeue", text)
    number, array, index, state, reason, submitted, started, ended, nodes, name, comment = fields
    tasks = None if index in {"", "N/A"} else parse_tasks(index, "squeue")
    submitted_at = microseconds(submitted, "squeue")
    if submitted_at is None or not state:
        raise Unparsable("squeue", text)
    return Row(
        id=whole(number, "squeue"),
        array=None if tasks is None else whole(array, "squeue"),
        tasks=tasks,
        state=state,
        reason="" if reason == "None" else reason,
        submitted_at=submitted_at,
        started_at=microseconds(started, "squeue"),
        ended_at=microseconds(ended, "squeue"),
        nodes="" if nodes in {"(null)", "None assigned"} else nodes,
        name=name,
        comment="" if comment == "(null)" else comment,
    )


def parse_tasks(text: str, what: str) -> Tasks:
    """The tasks that a text such as `4-9,12%3` or `[0-8:2]` names; `%3`, how many may run at once, is left out.

    `what`: the command that printed it. Raises Unparsable for anything else, a text that was cut off among them.
    """
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    listed, _, most = inner.partition("%")
    if most and not most.isascii():
        raise Unparsable(what, text)
    ranges: list[tuple[int, int, int]] = []
    for each in listed.split(","):
        match = _RANGE.fullmatch(each)
        if match is None:
            raise Unparsable(what, text)
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise Unparsable(what, text)
        step = int(match[3]) if match[3] else 1
        ranges.append((first, last, step))
    return Tasks(tuple(ranges))


def _range_text(first: int, last: int, step: int) -> str:
    if last == first:
        return str(first)
    return f"{first}-{last}" if step == 1 else f"{first}-{last}:{step}"


def microseconds(text: str, what: str) -> int | None:
    """A time that was printed as seconds since 1970; None for the words that mean there is none. Raises Unparsable."""
    if text in _NO_TIME:
        return None
    if _SECONDS.fullmatch(text) is None:
        raise Unparsable(what, text)
    return int(text) * 1_000_000


def whole(text: str, what: str) -> int:
    """A whole number that `what` printed. Raises Unparsable."""
    if _SECONDS.fullmatch(text) is None:
        raise Unparsable(what, text)
    return int(text)
