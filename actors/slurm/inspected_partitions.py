"""The inspection of what a target names: its partition, its account and its quality of service, and what they allow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from holdfast.events.messages import Finding
from holdfast.events.quoting import shown
from holdfast.events.spec import SlurmSpec

from .questions import Questions
from .scontrol import Config

_SHOWN: Final = 10
# Of the states that sinfo has for nodes, those in which one takes jobs, now or when it is needed.
_WORKING: Final = re.compile(
    r"(idle|mixed|allocated|alloc|mix|completing|comp|planned|plnd|reserved|resv)([+*~#$@^%!-]*)"
)


class Partition(Struct, frozen=True):
    """A row of `sinfo`: nodes of a partition in one state. `is_up`: it takes jobs."""

    name: str
    is_default: bool
    is_up: bool
    nodes: int
    state: str


def read_partitions(text: str) -> list[Partition]:
    """What `sinfo --format=%P|%a|%D|%T` says."""
    found: list[Partition] = []
    for line in text.splitlines():
        name, up, nodes, state = (*line.split("|"), "", "", "")[:4]
        found.append(Partition(name.rstrip("*"), name.endswith("*"), up == "up", int(nodes or 0), state))
    return found


async def check_partitions(questions: Questions, slurm: SlurmSpec) -> list[Finding]:
    """Whether the target's partitions are there and work, or there is a default one."""
    asked = await questions.ask(("sinfo", "--noheader", "--all", "--format=%P|%a|%D|%T"))
    if not asked.is_good:
        return [
            Finding("warning", f"the partitions can't be looked at: {asked.complaint}", "have sinfo installed there")
        ]
    rows = read_partitions(asked.text)
    given = slurm.partition or slurm.sbatch.get("partition", "")
    names = given.split(",") if given else [row.name for row in rows if row.is_default][:1]
    there = list(dict.fromkeys(row.name for row in rows))
    if not names:
        return [Finding("wrong", "no partition is given, and the cluster has none by default", _choose(there))]
    return [check_partition(name, [row for row in rows if row.name == name], there) for name in names]


def _choose(there: Sequence[str]) -> str:
    more = ", ..." if len(there) > _SHOWN else ""
    return f"give one as partition: {', '.join(there[:_SHOWN])}{more}"


def check_partition(name: str, rows: Sequence[Partition], there: Sequence[str]) -> Finding:
    """One partition by its rows; `there`: all that the cluster has."""
    if not rows:
        return Finding("wrong", f"there is no partition {shown(name)}", _choose(there))
    if not rows[0].is_up:
        return Finding("warning", f"the partition {name} is not up: it starts nothing now", "wait, or take another one")
    nodes = sum(row.nodes for row in rows)
    working = sum(row.nodes for row in rows if _WORKING.fullmatch(row.state))
    states = ", ".join(f"{row.nodes} {row.state}" for row in rows)
    if not working:
        return Finding("warning", f"the partition {name} has no node that works: {states}", "wait, or take another one")
    return Finding("ok", f"the partition {name} is up, with {nodes} {'node' if nodes == 1 else 'nodes'}: {states}")


class Association(Struct, frozen=True):
    """What the user may do with an account: in which partition ("" is any), with which qos, and how many jobs."""

    account: str
    partition: str
    qos: tuple[str, ...]
    jobs_max: int | None


def read_associations(text: str) -> list[Association]:
    """What `sacctmgr show associations format=account,partition,qos,maxsubmitjobs` says."""
    found: list[Association] = []
    for line in text.splitlines():
        account, partition, qos, most = (*line.split("|"), "", "", "")[:4]
        found.append(
            Association(
                account, partition, tuple(filter(None, qos.split(","))), int(most) if most.isdecimal() else None
            )
        )
    return found


async def check_associations(questions: Questions, slurm: SlurmSpec, config: Config) -> list[Finding]:
    """Whether the user may use the account and the quality of service that the target names, and for how many jobs."""
    enforced = set(config.settings.get("AccountingStorageEnforce", "").split(",")) & {
        "associations",
        "limits",
        "qos",
        "all",
    }
    who = await questions.ask(("id", "-un"))
    user = who.text.strip()
    if not enforced or not user:
        if slurm.account or "qos" in slurm.sbatch:
            return [Finding("ok", "the cluster does not check accounts, so that whichever is given is taken")]
        return []
    where = [f"user={user}", *([f"cluster={config.cluster}"] if config.cluster else [])]
    argv = ("sacctmgr", "--noheader", "--parsable2", "show", "associations", "where", *where)
    asked = await questions.ask((*argv, "format=account,partition,qos,maxsubmitjobs"))
    if not asked.is_good:
        problem = f"what {user} may use can't be looked at: {asked.complaint}"
        return [Finding("warning", problem, "sbatch's own answer, below, counts")]
    return check_account(slurm, user, read_associations(asked.text))


def check_account(slurm: SlurmSpec, user: str, there: Sequence[Association]) -> list[Finding]:
    """The target's account, quality of service and `max_queued` against the user's associations."""
    ask = "ask those who run the cluster"
    if not there:
        return [Finding("wrong", f"the cluster knows no account that {user} may use", ask)]
    account = slurm.account or slurm.sbatch.get("account", "")
    usable = [each for each in there if not account or each.account == account]
    names = list(dict.fromkeys(each.account for each in there))
    if not usable:
        problem = f"{user} may not use the account {shown(account)}"
        return [Finding("wrong", problem, f"give one of those: {', '.join(names[:_SHOWN])}")]
    findings: list[Finding] = []
    qos = slurm.sbatch.get("qos", "")
    allowed = list(dict.fromkeys(name for each in usable for name in each.qos))
    if qos and qos not in allowed:
        remedy = f"give one of those: {', '.join(allowed[:_SHOWN])}" if allowed else ask
        findings.append(Finding("wrong", f"{user} may not use the qos {shown(qos)}", remedy))
    most = [each.jobs_max for each in usable if each.jobs_max is not None]
    if most and slurm.max_queued > min(most):
        problem = (
            f"max_queued is {slurm.max_queued:,}, and {user} may have {min(most):,} jobs in the queue (MaxSubmitJobs)"
        )
        findings.append(Finding("warning", problem, f"give max_queued = {min(most)}"))
    if not findings:
        told = f"the account {account}" if account else f"the accounts {', '.join(names[:_SHOWN])}"
        findings.append(Finding("ok", f"{user} may use {told}" + (f" with the qos {qos}" if qos else "")))
    return findings
