"""Why Slurm lets a job wait, in words: what each of its reasons means, and what can be done where anything can.

Slurm has some 200. Limits of accounts and QOS are made of parts, and are read so: `QOSMaxCpuPerUserLimit` is the most
cpus that a user may have at once in this QOS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "AccountNotAllowed": "its account may not use this partition; give another `account` or `partition`",
    "AccountingPolicy": "a limit of its account does not let it start yet",
    "AssociationJobLimit": "as many jobs of its account run as may at once",
    "AssociationResourceLimit": "its account uses all that it may at once",
    "AssociationTimeLimit": "its account has used the time that it has",
    "BadConstraints": "no node can ever give what it asks for; cancel it, and lower its `needs`",
    "BeginTime": "its time to begin has not come yet",
    "BurstBufferResources": "it waits for room in the burst buffer",
    "BurstBufferStageIn": "its files are copied into the burst buffer",
    "Cleaning": "what it left behind when it ran before is cleaned up",
    "Constraints": "no node has the features that it asks for just now; see its `sbatch.constraint`",
    "Dependency": "it waits for jobs that it depends on",
    "DependencyNeverSatisfied": "a job that it depends on ended so that it never starts; cancel it",
    "FedJobLock": "the clusters of the federation are agreeing on which runs it",
    "FrontEndDown": "no front-end node can start it just now",
    "InactiveLimit": "the system's limit for inactive jobs was reached",
    "InvalidAccount": "its account is not known or not allowed; cancel it, and give another `account`",
    "InvalidQOS": "its QOS is not known or not allowed; cancel it, and give another `sbatch.qos`",
    "JobArrayTaskLimit": "as many tasks of its array run as may at once",
    "JobHeldAdmin": "those who run the cluster hold it; ask them",
    "JobHeldUser": "it is held in Slurm; `scontrol release` lets it go",
    "JobHoldMaxRequeue": "Slurm put it back too often, and holds it; `scontrol release` lets it go",
    "JobLaunchFailure": "it could not be started on its node, and waits for another",
    "Licenses": "it waits for licences that are in use",
    "MaxMemPerLimit": "it asks for more memory of a node than a job may have; lower its `needs.memory`",
    "NodeDown": "a node that it needs is down",
    "Nodes": "the nodes that it needs are down, drained or reserved for others",  # required for job are DOWN, ...
    "None": "the scheduler has not looked at it yet",
    "NonZeroExitCode": "it ended with an exit code other than 0",
    "OutOfMemory": "it took more memory than it had asked for",
    "PartitionConfig": "its partition can't give what it asks for; lower its `needs`, or give another partition",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition starts no jobs just now",
    "PartitionNodeLimit": "it asks for more nodes than its partition gives; lower its `needs.nodes`",
    "PartitionTimeLimit": "its partition doesn't give so much time; lower its `timeout`, or give another partition",
    "PowerNotAvail": "there is no power for it just now",
    "PowerReserved": "the power that it needs is reserved",
    "Priority": "jobs of higher priority are before it",
    "Prolog": "its node is made ready",
    "QOSJobLimit": "as many jobs of its QOS run as may at once",
    "QOSNotAllowed": "its QOS may not be used in this partition; give another `sbatch.qos` or `partition`",
    "QOSResourceLimit": "its QOS uses all that it may at once",
    "QOSTimeLimit": "its QOS has used the time that it has",
    "QOSUsageThreshold": "its account has used too much for this QOS",
    "RaisedSignal": "a signal ended it",
    "ReqNodeNotAvail": "a node that it needs is down, drained or reserved, as before a maintenance",
    "Reservation": "its reservation has not begun, or is in use",
    "ReservationDeleted": "its reservation was deleted; cancel it, and give another `sbatch.reservation`",
    "ReservationInvalid": "its reservation is not valid; cancel it, and give another `sbatch.reservation`",
    "Resources": "it is next, and waits for free nodes",
    "SchedDefer": "the scheduler looks at it later",
    "SystemFailure": "the cluster could not start it, for a reason of its own",
    "TimeLimit": "it ran into its time limit",
}
"""The reasons that are words of their own, each in words that go on after `it waits: `."""

_LIMIT: Final = re.compile(
    r"(?P<whose>Assoc|QOS)?(?P<kind>Grp|Max|Min)(?P<submit>Submit)?"
    r"(?P<what>CPU|Cpu|Jobs?|Mem(?:ory)?|Node|Wall|WallDuration|Energy|GRES|License|BB|Billing|Unknown)"
    r"(?P<run>Run)?(?P<time>Minutes|Mins)?(?P<per>Per(?:Job|User|Node|Account))?(?:Limit|NotSatisfied)?"
)
_REMEDY: Final = re.compile(r"; (?:ask|cancel|give|lower|raise|`scontrol)")
_WHAT: Final[Mapping[str, str]] = {
    "BB": "burst buffer",
    "Billing": "billing units",
    "CPU": "cpus",
    "Cpu": "cpus",
    "Energy": "energy",
    "GRES": "generic resources (such as GPUs)",
    "Job": "jobs",
    "Jobs": "jobs",
    "License": "licences",
    "Mem": "memory",
    "Memory": "memory",
    "Node": "nodes",
    "Unknown": "one of its resources",
    "Wall": "time",
    "WallDuration": "time",
}
_NEED: Final[Mapping[str, str]] = {
    "CPU": "needs.cpus",
    "Cpu": "needs.cpus",
    "GRES": "needs.gpus",
    "License": "needs",
    "Mem": "needs.memory",
    "Memory": "needs.memory",
    "Node": "needs.nodes",
    "Wall": "timeout",
    "WallDuration": "timeout",
}


def waiting(reason: str) -> str:
    """What a reason that squeue gives means, as words that go on after `it waits: `, Slurm's own at their end.

    Reasons may have more after their word, such as `ReqNodeNotAvail, UnavailableNodes:n[1-2]`; it is kept.
    """
    said = _said(reason)
    return f"{said} ({reason})" if said else f"Slurm says {reason or 'nothing of why'}"


def needs_somebody(reason: str) -> bool:
    """Whether it waits until somebody does something about it: then the words for it say what."""
    return _REMEDY.search(_said(reason)) is not None


def _said(reason: str) -> str:
    word = re.split(r"[,(\s]", reason.strip("() "), maxsplit=1)[0]
    return REASONS.get(word) or limit_of(word) or ""


def limit_of(word: str) -> str | None:
    """What a limit of an account or a QOS means, read from the parts of its name; None if it is none."""
    match = _LIMIT.fullmatch(word)
    if match is None:
        return None
    whose = {"Assoc": "its account", "QOS": "its QOS"}.get(match["whose"] or "", "its account")
    what = "jobs in the queue" if match["submit"] else _WHAT[match["what"]]
    if match["time"]:
        what += ", times minutes,"
    need = _NEED.get(match["what"])
    per = (match["per"] or "").removeprefix("Per")
    if match["kind"] == "Min":
        return f"it asks for less than the {what} that {whose} demands" + (f"; raise its `{need}`" if need else "")
    if match["kind"] == "Max" and (per in {"Job", "Node"} or (not per and what == "time")):
        of = "on one node" if per == "Node" else "for one job"
        return f"it asks for more than the {what} that {whose} allows {of}" + (f"; lower its `{need}`" if need else "")
    holder = whose if match["kind"] == "Grp" else {"Account": "its account"}.get(per, "its user")
    place = "" if holder == whose else f" in {whose}"
    return f"the limit of {what} for all jobs of {holder} together{place} is used up; it starts when others have ended"
