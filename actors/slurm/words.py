"""Every word that Slurm has for the state of a job, and what it means for an attempt.

The words are those of 17.11 to 25.11, in full as squeue and sacct print them and in their short forms. A word that
isn't here means nothing: least of all that the job has ended. How an attempt ended is told by its own mark, which the
script's epilogue makes, where there is one, and by Slurm's word where it says more than the mark can: who ended it, and
why.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Struct

from .attempt_folders import Exit
from .sacct import Account
from .script import NOT_CLAIMED, NOT_STARTED

LAUNCH_SIGNAL: Final = 53
"""The signal number in the exit code of a job whose script could not be started, as when its output can't be opened."""


_LESS: Final = 128  # what accounting takes off codes from 128 on


class Meaning(enum.Enum):
    """What a state means for an attempt. `WAITS`: it has not begun, or was put back into the queue."""

    WAITS = "waits"
    RUNS = "runs"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Mark(Protocol):
    """How the command ended, as the script saw it: an exit code, or a signal."""

    @property
    def exit_code(self) -> int | None:
        """The exit code; None if a signal ended it."""
        ...

    @property
    def signal(self) -> int | None:
        """The signal; None if it ended by itself."""
        ...


class Evidence(Protocol):
    """What is to be found in the folder of an attempt."""

    @property
    def claimed(self) -> bool:
        """Whether a copy of the attempt has begun."""
        ...

    @property
    def void(self) -> bool:
        """Whether what has begun is nothing: Holdfast took its place, so that it never runs."""
        ...

    @property
    def exit(self) -> Mark | None:
        """How its command ended, if that was written down."""
        ...

    @property
    def refused(self) -> str | None:
        """Why its command could not be started, if that was written down."""
        ...


class End(Struct, frozen=True, gc=False):
    """How an attempt ended: `how`, `exit_code`, `signal` and `error` as in `records.Outcome`; `word` is Slurm's own."""

    how: str
    word: str
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None


_WAIT, _RUN, _END, _UNKNOWN = Meaning.WAITS, Meaning.RUNS, Meaning.ENDED, Meaning.UNKNOWN

# Short form, meaning. Squeue shows one word where the controller has several: COMPLETING hides how the job ended.
_STATES: Final[Mapping[str, tuple[str, Meaning]]] = {
    "BOOT_FAIL": ("BF", _END),
    "CANCELLED": ("CA", _END),
    "COMPLETED": ("CD", _END),
    "COMPLETING": ("CG", _RUN),  # its processes are ended, or its epilogue runs; how it ended is told after
    "CONFIGURING": ("CF", _WAIT),  # its nodes boot, or their prologue runs
    "DEADLINE": ("DL", _END),
    "EXPEDITING": ("EX", _WAIT),  # since 25.11: put back with priority
    "FAILED": ("F", _END),
    "LAUNCH_FAILED": ("LF", _UNKNOWN),  # some node could not start it: put back, held or ended, the next word says
    "NODE_FAIL": ("NF", _END),
    "OUT_OF_MEMORY": ("OOM", _END),
    "PENDING": ("PD", _WAIT),
    "POWER_UP_NODE": ("PO", _WAIT),
    "PREEMPTED": ("PR", _END),
    "RECONFIG_FAIL": ("NC", _UNKNOWN),
    "REQUEUED": ("RQ", _WAIT),
    "REQUEUE_FED": ("RF", _WAIT),
    "REQUEUE_HOLD": ("RH", _WAIT),
    "RESIZING": ("RS", _RUN),
    "RESV_DEL_HOLD": ("RD", _WAIT),
    "REVOKED": ("RV", _UNKNOWN),  # another cluster of the federation has it
    "RUNNING": ("R", _RUN),
    "SIGNALING": ("SI", _RUN),
    "SPECIAL_EXIT": ("SE", _WAIT),  # put back and held, for its exit code
    "STAGE_OUT": ("SO", _RUN),
    "STOPPED": ("ST", _RUN),  # by a signal; it keeps its cpus
    "SUSPENDED": ("S", _RUN),
    "TIMEOUT": ("TO", _END),
    "UPDATE_DB": ("UD", _UNKNOWN),
}
_FULL: Final[Mapping[str, str]] = {short: word for word, (short, _) in _STATES.items()}

_NOT_STARTED: Final[Mapping[str, str]] = {
    "BadConstraints": "no node can ever give what it asks for; lower its `needs`, or change its `sbatch`",
    "BurstBufferOperation": "its burst buffer could not be made ready",
    "InvalidAccount": "its account is not allowed here; give another `sbatch.account`",
    "InvalidQOS": "its QOS is not allowed here; give another `sbatch.qos`",
    "PartitionDown": "its partition was taken down; give another `sbatch.partition`",
    "SystemFailure": "the cluster could not start it, for a reason of its own (SystemFailure); try again",
}
_LAUNCH: Final = (
    "its script could not be started on the node: the target's `workdir` must be there, and be writable, on every node"
)

_SCRIPT: Final[Mapping[int, str]] = {
    NOT_CLAIMED: "its claim could not be made on the node: the target's `workdir` must be writable on every node",
    NOT_STARTED: "its command could not be started on the node, and why could not be written down: the target's "
    "`workdir` must have room, and be writable, on every node",
}


def word_of(state: str) -> str:
    """A state's word in full: `PD` is PENDING, and `CANCELLED by 1000` is CANCELLED."""
    word = state.split(" ", 1)[0].rstrip("+")
    return _FULL.get(word, word)


@lru_cache(256)
def meaning_of(state: str) -> Meaning:
    """What a state says of an attempt, given as squeue, sacct or scontrol print it; UNKNOWN for what isn't known."""
    known = _STATES.get(word_of(state))
    return Meaning.UNKNOWN if known is None else known[1]


def ended(account: Account, folder: Evidence) -> End:
    """How an attempt ended whose state means that it has.

    `folder` must be certain where nothing has begun in it: claimed since by Holdfast itself, or else a look at a shared
    file system may have been too early. A node that fails takes the knowledge along: whether its processes run on can't
    be known, so without a mark the attempt is `lost`, never failed.
    """
    word, mark = word_of(account.state), folder.exit
    match word:
        case "COMPLETED" | "FAILED":
            return _by_itself(word, account, folder)
        case "NODE_FAIL":
            if mark is not None:
                return _marked(word, mark, None)
            return End("lost", word, error="its node failed: whether it runs on there, or how it ended, can't be known")
        case "BOOT_FAIL":
            if _began(folder):
                return End("lost", word, error="its node failed to boot, after the attempt had begun on it")
            return End("not_started", word, error="its node failed to boot; try again, or exclude the node")
        case "TIMEOUT":
            return _cut_short("timeout", word, mark, "it ran into its time limit; raise its `timeout`")
        case "DEADLINE":
            return _cut_short("timeout", word, mark, "its deadline had come; start it earlier, or give a later one")
        case "CANCELLED":
            return _cut_short("stopped", word, mark, _cancelled(account))
        case "OUT_OF_MEMORY":
            return _cut_short("killed", word, mark, "it took more memory than it had asked for; raise `needs.memory`")
        case "PREEMPTED":
            return _cut_short(
                "killed", word, mark, "another job took its place; retry it, or give another `sbatch.qos`"
            )
        case _:
            return End("lost", word, error=f"it ended in the state {word}, of which nothing is known here")


def _by_itself(word: str, account: Account, folder: Evidence) -> End:
    """The end of one that Slurm did not cut short: by its own mark, or else by the code that Slurm saw."""
    if folder.exit is not None:
        return _marked(word, folder.exit, None)
    sentence = folder.refused or _SCRIPT.get(account.exit_code)
    if sentence is None and not _began(folder):
        sentence = _LAUNCH if account.signal == LAUNCH_SIGNAL else _NOT_STARTED.get(account.reason) or _early(account)
    if sentence is not None:
        return End("not_started", word, error=sentence)
    if account.signal:
        error = f"its script was ended by signal {account.signal}"
        if account.signal == 9:  # noqa: PLR2004 - SIGKILL
            error += ", as Slurm does with one that takes more memory than it asked for"
        return End("exited", word, signal=account.signal, error=error)
    return _by_code(word, account)


def _by_code(word: str, account: Account) -> End:
    """The end of one that only Slurm has seen: by the code of its script, which ends as its command did."""
    code = account.exit_code
    if account.is_exact or word == "COMPLETED":
        return _marked(word, Exit(code, 0, 0), None)
    if code == 0:
        return End("exited", word, exit_code=_LESS)
    either = f"it ended with exit code {code}, or with {code + _LESS}, which Slurm's accounting writes the same"
    return End("exited", word, exit_code=code, error=either)


def _early(account: Account) -> str:
    """What is said of one whose script ended before it had begun anything."""
    how = f"was ended by signal {account.signal}" if account.signal else f"ended with exit code {account.exit_code}"
    return f"its script {how} before its command was started"


def _began(folder: Evidence) -> bool:
    return folder.claimed and not folder.void


def _cut_short(how: str, word: str, mark: Mark | None, error: str) -> End:
    return End(how, word, error=error) if mark is None else _marked(word, mark, error, how)


def _marked(word: str, mark: Mark, error: str | None, how: str = "exited") -> End:
    return End(how, word, mark.exit_code, mark.signal, error)


def _cancelled(account: Account) -> str:
    if account.reason == "DependencyNeverSatisfied":
        return "cancelled by the cluster: a job that it depends on ended so that it could never start"
    return "cancelled on the cluster" + ("" if account.by is None else f" by the user with the number {account.by}")
