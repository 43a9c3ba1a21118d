"""What Slurm's commands print, with the formats that they are asked for: rows of squeue, sacct and scontrol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from .slurm_jobs import COMPLETING, NEVER, RUNNING, Task

USER: Final = "sim"
USER_NUMBER: Final = 1000
_US: Final = 1_000_000
_YEAR_US: Final = 365 * 24 * 3600 * _US

Row = Sequence[Task]
"""What one line is about: a job or a task; or several tasks of an array that have not started."""


def rows(tasks: Iterable[Task], *, apart: bool = False) -> list[Row]:
    """Tasks of an array that never started and are alike have one line together, unless they are wanted `apart`."""
    together: dict[tuple[int, str, str, int], list[Task]] = {}
    found: list[Row] = []
    for task in tasks:
        if task.index is None or task.run or task.started_at or apart:
            found.append([task])
            continue
        key = (task.array, task.state, task.reason, task.submitted_at)
        if key not in together:
            found.append(together.setdefault(key, []))
        together[key].append(task)
    return found


def ranges(indexes: Iterable[int]) -> str:
    """Array indexes as Slurm writes them: `0,2-3`."""
    texts: list[str] = []
    first = last = -2
    for index in (*sorted(indexes), -2):
        if index == last + 1:
            last = index
            continue
        if first >= 0:
            texts.append(str(first) if first == last else f"{first}-{last}")
        first = last = index
    return ",".join(texts)


def _seconds(at: int, none: str) -> str:
    return str(at // _US) if at else none


def _indexes(row: Row) -> str:
    return ranges(task.index for task in row if task.index is not None)


def _is_rest(row: Row) -> bool:
    """Whether it stands for tasks of an array that have not started, and have no numbers of their own yet."""
    first = row[0]
    return first.index is not None and not first.run and not first.started_at


def _number(row: Row) -> int:
    return row[0].array if _is_rest(row) else row[0].id


def _shown(row: Row) -> str:
    first = row[0]
    return f"{first.array}_[{_indexes(row)}]" if _is_rest(row) else first.shown


def _ends_at(task: Task) -> str:
    if task.state in {RUNNING, COMPLETING}:
        return _seconds(task.started_at + _YEAR_US, "NONE")
    return _seconds(task.ended_at, "NONE")


_QUEUE: Final[Mapping[str, Callable[[Row], str]]] = {
    "A": lambda row: str(_number(row)),
    "i": _shown,
    "F": lambda row: str(row[0].array),
    "K": lambda row: _indexes(row) or "N/A",
    "T": lambda row: row[0].state,
    "r": lambda row: row[0].reason,
    "V": lambda row: _seconds(row[0].submitted_at, "N/A"),
    "S": lambda row: _seconds(row[0].started_at, "N/A"),
    "e": lambda row: _ends_at(row[0]),
    "N": lambda row: row[0].node,
    "j": lambda row: row[0].submission.name,
    "k": lambda row: row[0].submission.options.get("comment", "(null)"),
    "u": lambda _: USER,
    "P": lambda row: row[0].submission.options.get("partition", "main"),
}


def queue_line(line_format: str, row: Row) -> str:
    """A line of squeue."""
    text, rest = "", line_format
    while rest:
        before, mark, rest = rest.partition("%")
        text += before
        if mark:
            text, rest = text + _QUEUE[rest[0]](row), rest[1:]
    return text + "\n"


def _account_state(row: Row) -> str:
    task = row[0]
    state = {COMPLETING: RUNNING}.get(task.state, task.state)
    # What Slurm takes out by itself is nobody's.
    return f"CANCELLED by {USER_NUMBER}" if state == "CANCELLED" and task.reason != NEVER else state


def _account_exit(row: Row) -> str:
    task = row[0]
    cancelled = task.state in {"CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED"}
    # Real sacct takes 128 from what is at least that.
    return "0:0" if cancelled else f"{task.exit_code % 128}:{task.signal}"


def _elapsed(row: Row) -> str:
    task = row[0]
    return str(max(0, task.ended_at - task.started_at) // _US) if task.started_at and task.ended_at else "0"


_ACCOUNTS: Final[Mapping[str, Callable[[Row], str]]] = {
    "JobID": _shown,
    "JobIDRaw": lambda row: str(_number(row)),
    "State": _account_state,
    "ExitCode": _account_exit,
    "Submit": lambda row: _seconds(row[0].submitted_at, "Unknown"),
    "Start": lambda row: _seconds(row[0].started_at, "None" if row[0].ended_at else "Unknown"),
    "End": lambda row: _seconds(row[0].ended_at, "Unknown"),
    "ElapsedRaw": _elapsed,
    "TotalCPU": lambda row: "00:00.003" if row[0].started_at else "00:00:00",
    "MaxRSS": lambda _: "",
    "NodeList": lambda row: row[0].node or "None assigned",
    "JobName": lambda row: row[0].submission.name,
}


def account_lines(columns: Sequence[str], delimiter: str, row: Row) -> str:
    """The lines of sacct about a job: its own and, if it ran and ended, that of its batch step."""
    lines = delimiter.join(_ACCOUNTS[column](row) for column in columns) + "\n"
    if row[0].started_at and row[0].ended_at:
        step = {
            "JobID": f"{_shown(row)}.batch",
            "JobIDRaw": f"{_number(row)}.batch",
            "State": "CANCELLED" if row[0].state == "CANCELLED" else _account_state(row),
            "MaxRSS": "220K",
            "JobName": "batch",
        }
        lines += delimiter.join(step.get(column) or _ACCOUNTS[column](row) for column in columns) + "\n"
    return lines


def job_line(row: Row) -> str:
    """A line of `scontrol -o show job`."""
    task = row[0]
    array = "" if task.index is None else f"ArrayJobId={task.array} ArrayTaskId={_indexes(row)} "
    return (
        f"JobId={_number(row)} {array}JobName={task.submission.name} UserId={USER}({USER_NUMBER}) GroupId={USER}(100) "
        "MCS_label=N/A Priority=4294901759 Nice=0 Account=sim QOS=normal WCKey=* "
        f"JobState={task.state} Reason={task.reason.replace(' ', '_')} Dependency=(null) "
        f"Requeue=0 Restarts={task.restarts} BatchFlag=1 Reboot=0 "
        f"ExitCode={task.exit_code}:{task.signal} RunTime=00:00:01 TimeLimit=365-00:00:00 TimeMin=N/A "
        f"SubmitTime={_seconds(task.submitted_at, 'Unknown')} EligibleTime={_seconds(task.submitted_at, 'Unknown')} "
        f"AccrueTime=Unknown StartTime={_seconds(task.started_at, 'Unknown')} "
        f"EndTime={_ends_at(task).replace('NONE', 'Unknown')} Deadline=N/A SuspendTime=None SecsPreSuspend=0 "
        f"LastSchedEval={_seconds(task.submitted_at, 'Unknown')} Scheduler=Backfill Partition=main "
        "AllocNode:Sid=localhost:10090 ReqNodeList=(null) ExcNodeList=(null) "
        f"NodeList={task.node or '(null)'} {f'BatchHost={task.node} ' if task.node else ''}"
        "NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:* TRES=cpu=1,mem=100M,node=1,billing=1 "
        f"Command=(null) WorkDir=/elsewhere Comment={task.submission.options.get('comment', '(null)')} "
        "StdErr=/dev/null StdIn=/dev/null StdOut=/dev/null Power= \n"
    )


def config_text(minimal_age_s: int, *, accounting: bool, array_max: int) -> str:
    """What `scontrol show config` prints, as far as anybody asks."""
    settings = {
        "AccountingStorageType": "accounting_storage/slurmdbd" if accounting else "accounting_storage/none",
        "ClusterName": "sim",
        "KillWait": "2 sec",
        "MaxArraySize": str(array_max),
        "MaxJobCount": "20000",
        "MessageTimeout": "10 sec",
        "MinJobAge": f"{minimal_age_s} sec",
        "SLURM_VERSION": "22.05.8",
        "SlurmctldTimeout": "30 sec",
    }
    lines = [f"{name:<23} = {value}" for name, value in settings.items()]
    head = "Configuration data as of 2026-11-21T16:32:33"
    return "\n".join((head, *lines, "", "Slurmctld(primary) at vm is UP", ""))
