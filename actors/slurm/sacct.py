"""The accounting: the words that ask for jobs by id or by name, and what its answer says.

It lags by up to seconds behind the controller, and knows nothing of jobs that wait for a dependency or are held: that
it doesn't have a job says nothing by itself. Only columns that every version since 17.11 has are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from .site import Finished
from .squeue import TIMES, Tasks, Unparsable, microseconds, parse_tasks, whole

_FIELD: Final = "\x1f"
_COLUMNS: Final = (
    *("JobID", "JobIDRaw", "State", "ExitCode", "Submit", "Start", "End", "TotalCPU", "MaxRSS"),
    *("NodeList", "JobName"),
)
_LIST_CHARACTERS: Final = 20_000  # of one command: far below what a command line, or a query of a database, may have
_NAMELESS: Final = "allocation"  # at first, of one that was put back into the queue
_CLOCKS_DIFFER: Final = timedelta(days=1)
_DISABLED: Final = "accounting storage is disabled"

_ID: Final = re.compile(r"([0-9]{1,10})(?:_([0-9]{1,7}|\[[^\]]*\]))?(\.[A-Za-z0-9+_-]+)?")
_EXIT: Final = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_CPU: Final = re.compile(r"(?:([0-9]+)-)?(?:([0-9]+):)?([0-9]+):([0-9]+)(?:\.([0-9]{1,6}))?")
_MEMORY: Final = re.compile(r"([0-9]+)(?:\.([0-9]{1,6}))?([KMGTPE]?)")
_BY: Final = re.compile(r"(CANCELLED) by ([0-9]+)")


class Copy(Protocol):
    """Which run of which of Slurm's jobs something was: the claim of an attempt says that."""

    @property
    def slurm_id(self) -> int:
        """Slurm's number of the job, or of the task of an array."""
        ...

    @property
    def restart(self) -> int:
        """How often Slurm had put it back into its queue before."""
        ...


class Account(Struct, frozen=True, gc=False):
    """What the accounting, or the controller, has of a job or a task of an array, with what its steps used.

    `id`, `array` and `tasks` are as in `squeue.Row`. `by`: the number of the user who cancelled it, where that is said.
    `exit_code` and `signal` are Slurm's own, both 0 of what was cancelled or ran out of time; `is_exact`: they are
    those of the script. Accounting takes 128 off codes from 128 on: its 11 may be 139. Times are microseconds;
    `cpu_us` is user and system time of all its processes, `memory_bytes` the peak of its largest step. `restarts`: how
    often Slurm had put it back into its queue before; each time has an account of its own.
    """

    id: int
    array: int | None
    tasks: Tasks | None
    state: str
    exit_code: int
    signal: int
    submitted_at: int
    started_at: int | None
    ended_at: int | None
    nodes: str
    name: str
    by: int | None = None
    cpu_us: int | None = None
    memory_bytes: int | None = None
    restarts: int = 0
    reason: str = ""
    comment: str = ""
    is_exact: bool = False

    @property
    def task(self) -> int | None:
        """Its index in an array; the first one where it stands for several."""
        return None if self.tasks is None else self.tasks.first

    def is_of(self, copy: Copy) -> bool:
        """Whether it is the account of this run."""
        return self.id == copy.slurm_id and self.restarts == copy.restart


def argv(ids: Iterable[int | str]) -> Iterator[tuple[str, ...]]:
    """The words that ask for these jobs, arrays or tasks (`25_3`), in as few commands as their lengths allow.

    Every job that had one of the ids is among the answers, also after ids were used again: compare `submitted_at`.
    """
    for chunk in _chunks(map(str, ids)):
        yield _command("-j", chunk)


def argv_by_name(names: Iterable[str], since_us: int) -> Iterator[tuple[str, ...]]:
    """The words that ask for jobs of these names that were there at a time (microseconds since 1970) or after it.

    Some from before may be among the answers: compare `submitted_at`. The clocks of two machines differ, and a time
    that has not come yet on the cluster is refused there, so a day more is asked for.
    """
    since = datetime.fromtimestamp(since_us // 1_000_000, UTC) - _CLOCKS_DIFFER
    for chunk in _chunks(names):
        yield _command(f"--name={chunk}", "-S", since.strftime("%Y-%m-%dT%H:%M:%S"))


def _chunks(names: Iterable[str]) -> Iterator[str]:
    """Names with commas between, in texts that a command line has room for."""
    chunk: list[str] = []
    length = 0
    for each in names:
        if chunk and length + len(each) + 1 > _LIST_CHARACTERS:
            yield ",".join(chunk)
            chunk, length = [], 0
        chunk.append(each)
        length += len(each) + 1
    if chunk:
        yield ",".join(chunk)


def _command(*words: str) -> tuple[str, ...]:
    # With this TZ the time after -S is UTC, whatever the machine's own; times that are printed are seconds since 1970.
    fixed = ("-n", "-P", f"--delimiter={_FIELD}", "-D", "--noconvert", "-o", ",".join(_COLUMNS))
    return (*TIMES, "TZ=UTC0", "sacct", *fixed, *words)


def is_off(finished: Finished) -> bool:
    """Whether the answer is that there is no accounting: sacct knows nothing of any job, now or later."""
    return _DISABLED in finished.stderr.decode(errors="replace")


def parse(stdout: bytes) -> list[Account]:
    """What sacct answered, once it is known that it did: one Account for a job with its steps. Raises Unparsable."""
    text = stdout.decode(errors="replace")
    if text and not text.endswith("\n"):
        raise Unparsable("sacct", text[-80:])
    accounts: list[Account] = []
    latest: dict[tuple[int, int | None], Account] = {}
    for line in text.split("\n"):  # not `splitlines`, which has many more ends of lines
        if line:
            _add(accounts, latest, line)
    return accounts


def _add(accounts: list[Account], latest: dict[tuple[int, int | None], Account], line: str) -> None:
    """Add what the line says. `latest`: each job's latest account by now; they come in the order of their time."""
    fields = line.split(_FIELD)
    match = _ID.fullmatch(fields[0])
    if len(fields) != len(_COLUMNS) or match is None:
        raise Unparsable("sacct", line)
    if match[3] is None:
        account = _account(match, fields, line)
        before = latest.get((account.id, account.task))
        if before is not None and account.name in {before.name, _NAMELESS}:
            account = replace(account, name=before.name, restarts=before.restarts + 1)
        latest[account.id, account.task] = account
        accounts.append(account)
        return
    if not accounts or str(accounts[-1].id) != fields[1].partition(".")[0]:
        raise Unparsable("sacct", line)
    memory = _memory_bytes(fields[8], line)
    job = accounts[-1]
    if memory is not None and memory > (job.memory_bytes or 0):
        accounts[-1] = replace(job, memory_bytes=memory)


def _account(match: re.Match[str], fields: list[str], line: str) -> Account:
    _, raw, state, code, submitted, started, ended, cpu, memory, nodes, name = fields
    cancelled, exited = _BY.fullmatch(state), _EXIT.fullmatch(code)
    submitted_at = microseconds(submitted, "sacct")
    if exited is None or submitted_at is None or not state:
        raise Unparsable("sacct", line)
    return Account(
        id=whole(raw, "sacct") if "[" not in raw and "_" not in raw else int(match[1]),
        array=int(match[1]) if match[2] else None,
        tasks=parse_tasks(match[2], "sacct") if match[2] else None,
        state=cancelled[1] if cancelled else state,
        by=int(cancelled[2]) if cancelled else None,
        exit_code=int(exited[1]),
        signal=int(exited[2]),
        submitted_at=submitted_at,
        started_at=microseconds(started, "sacct"),
        ended_at=microseconds(ended, "sacct"),
        cpu_us=_cpu_us(cpu, line),
        memory_bytes=_memory_bytes(memory, line),
        nodes="" if nodes == "None assigned" else nodes,
        name=name,
    )


def _cpu_us(text: str, line: str) -> int | None:
    """`1-02:03:04`, `02:03:04` or `03:04.567` as microseconds; None where nothing is said."""
    if not text:
        return None
    match = _CPU.fullmatch(text)
    if match is None:
        raise Unparsable("sacct", line)
    days, hours, minutes, seconds = (int(each or 0) for each in match.groups()[:4])
    whole_s = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return whole_s * 1_000_000 + int((match[5] or "0").ljust(6, "0"))


def _memory_bytes(text: str, line: str) -> int | None:
    """`220K` as bytes; None where nothing is said."""
    if not text:
        return None
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise Unparsable("sacct", line)
    unit = 1 << (10 * ("KMGTPE".index(match[3]) + 1) if match[3] else 0)
    fraction = match[2] or ""
    return int(match[1] + fraction) * unit // int("1" + "0" * len(fraction))
