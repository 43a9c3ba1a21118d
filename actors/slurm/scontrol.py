"""What `scontrol` tells of single jobs, of the cluster's settings, and of its controllers.

`scontrol show job -o` gives a line of `Key=value` words whose values may hold blanks and equals signs. The keys that
are read here are looked for in the order in which Slurm prints them, so that what a user wrote into a later one is not
taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from .sacct import Account
from .site import Finished
from .squeue import TIMES, Unparsable, microseconds, parse_tasks, whole

JOBS: Final = (*TIMES, "scontrol", "-o", "show", "job")
"""The words that ask for all jobs that the controller has; with an id after them, for that job or array."""
CONFIG: Final = ("scontrol", "show", "config")
"""The words that ask for the cluster's settings."""
PING: Final = ("scontrol", "ping")
"""The words that ask whether the controllers answer."""

_HEAD: Final = re.compile(
    r"JobId=(?P<id>[0-9]+) "
    r"(?:ArrayJobId=(?P<array>[0-9]+) (?:ArrayTaskId=(?P<tasks>\S+) )?(?:ArrayTaskThrottle=\S+ )?)?"
    r"(?:HetJobId=\S+ )?(?:HetJobOffset=\S+ )?(?:HetJobIdSet=\S+ )?JobName=(?P<name>.*?) UserId=(?P<rest>.*)",
    re.DOTALL,
)
_BODY: Final = re.compile(
    r"JobState=(?P<state>\S+) Reason=(?P<reason>\S*) .*?Restarts=(?P<restarts>[0-9]+) .*?"
    r"ExitCode=(?P<exit>[0-9]+):(?P<signal>[0-9]+) .*?"
    r"SubmitTime=(?P<submitted>\S+) .*?StartTime=(?P<started>\S+) EndTime=(?P<ended>\S+) .*?"
    r" NodeList=(?P<nodes>\S*) ",
    re.DOTALL,
)
_COMMENT: Final = re.compile(
    r" Comment=(?P<comment>.*?)(?: (?:StdErr|StdIn|StdOut|Power|TresPer\w+|MailUser)=|\Z)", re.DOTALL
)
_NO_TASK: Final = "4294967294"  # in place of the tasks of what is left of an array that was cancelled
_NO_JOBS: Final = "No jobs in the system"
_UNKNOWN_JOB: Final = "Invalid job id specified"
_SETTING: Final = re.compile(r"(\w+)\s*= ?(.*)")
_CONTROLLER: Final = re.compile(r"Slurmctld\(([^)]*)\) at (\S+) is (UP|DOWN)")
_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)")
_SECONDS: Final = re.compile(r"([0-9]+)")


class Config(Struct, frozen=True):
    """Settings of a cluster, as far as they matter here; 0 and empty texts where it doesn't say.

    `min_job_age_s`: for how long the controller knows a job that has ended. `array_max`: the size of an array and
    one more than its largest index. `jobs_max`: of all users together. `has_accounts`: whether sacct can know anything.
    """

    cluster: str
    version: tuple[int, int]
    min_job_age_s: int
    array_max: int
    jobs_max: int
    controller_timeout_s: int
    message_timeout_s: int
    kill_wait_s: int
    has_accounts: bool
    settings: Mapping[str, str]


class Controller(Struct, frozen=True):
    """One of a cluster's controllers: `role` is `primary` or `backup`."""

    role: str
    host: str
    is_up: bool


def is_unknown(finished: Finished) -> bool:
    """Whether the answer is that the controller does not have the job that it was asked for."""
    return finished.exit_code != 0 and _UNKNOWN_JOB in finished.stderr.decode(errors="replace")


def parse_jobs(stdout: bytes) -> list[Account]:
    """What `JOBS` was answered, once it is known that it was. Raises Unparsable."""
    text = stdout.decode(errors="replace")
    if not text.strip() or text.startswith(_NO_JOBS):
        return []
    if not text.endswith("\n"):
        raise Unparsable("scontrol", text[-80:])
    # A comment may have lines of its own.
    start, *rows = re.split(r"^(?=JobId=[0-9])", text, flags=re.MULTILINE)
    if start.strip():
        raise Unparsable("scontrol", start)
    return [_shown(each) for each in rows]


def _shown(text: str) -> Account:
    head = _HEAD.match(text)
    body = None if head is None else _BODY.search(head["rest"])
    if head is None or body is None:
        raise Unparsable("scontrol", text)
    submitted_at = microseconds(body["submitted"], "scontrol")
    if submitted_at is None:
        raise Unparsable("scontrol", text)
    tasks = None if head["tasks"] in {None, _NO_TASK} else parse_tasks(head["tasks"], "scontrol")
    comment = _COMMENT.search(head["rest"], body.end() - 1)
    return Account(
        id=int(head["id"]),
        array=None if tasks is None else int(head["array"]),
        tasks=tasks,
        name=head["name"],
        comment="" if comment is None else comment["comment"].rstrip(),
        state=body["state"],
        reason="" if body["reason"] == "None" else body["reason"],
        restarts=int(body["restarts"]),
        exit_code=int(body["exit"]),
        signal=int(body["signal"]),
        is_exact=True,
        submitted_at=submitted_at,
        started_at=microseconds(body["started"], "scontrol"),
        ended_at=microseconds(body["ended"], "scontrol"),
        nodes="" if body["nodes"] == "(null)" else body["nodes"],
    )


def parse_config(stdout: bytes) -> Config:
    """What `CONFIG` was answered. Raises Unparsable if it is no list of settings."""
    text = stdout.decode(errors="replace")
    settings = {match[1]: match[2].strip() for match in map(_SETTING.match, text.splitlines()) if match}
    version = _VERSION.match(settings.get("SLURM_VERSION", ""))
    if version is None or "MaxArraySize" not in settings:
        raise Unparsable("scontrol", text)
    return Config(
        cluster=settings.get("ClusterName", ""),
        version=(int(version[1]), int(version[2])),
        min_job_age_s=_number(settings, "MinJobAge"),
        array_max=whole(settings["MaxArraySize"], "scontrol"),
        jobs_max=_number(settings, "MaxJobCount"),
        controller_timeout_s=_number(settings, "SlurmctldTimeout"),
        message_timeout_s=_number(settings, "MessageTimeout"),
        kill_wait_s=_number(settings, "KillWait"),
        has_accounts=settings.get("AccountingStorageType", "").endswith("slurmdbd"),
        settings=settings,
    )


def _number(settings: Mapping[str, str], name: str) -> int:
    match = _SECONDS.match(settings.get(name, ""))
    return 0 if match is None else int(match[1])


def parse_ping(stdout: bytes) -> list[Controller]:
    """What `PING` was answered, with whatever exit code. Raises Unparsable if no controller is named."""
    text = stdout.decode(errors="replace")
    found = [Controller(match[1], match[2], match[3] == "UP") for match in _CONTROLLER.finditer(text)]
    if not found:
        raise Unparsable("scontrol", text)
    return found
