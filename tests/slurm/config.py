"""What Slurm's daemons are told: one machine, loopback, root, no cgroups unless asked, and times that suit tests."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from . import cgroups

CLUSTER: Final = "lab"
MUNGE_SOCKET: Final = "munge.socket"
DEFAULTS: Final[Mapping[str, str]] = {
    "ClusterName": CLUSTER,
    "SlurmUser": "root",
    "SlurmdUser": "root",
    "AuthType": "auth/munge",
    "CredType": "cred/munge",
    "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",
    "ProctrackType": "proctrack/linuxproc",
    "TaskPlugin": "task/none",
    "JobAcctGatherType": "jobacct_gather/linux",
    "JobAcctGatherFrequency": "task=1",
    "JobAcctGatherParams": "OverMemoryKill,NoShared",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_CPU_Memory",
    "SlurmdParameters": "config_overrides",  # more processors than the machine has
    "MpiDefault": "none",
    "MailProg": "/bin/true",
    "SwitchType": "switch/none",
    "PropagateResourceLimits": "NONE",
    "SlurmctldDebug": "info",
    "SlurmdDebug": "info",
    "LogTimeFormat": "thread_id",  # which tells what belongs together, see queue.py
    "ReturnToService": "2",
    "SlurmctldTimeout": "30",
    "SlurmdTimeout": "10",
    "BatchStartTimeout": "10",
    "MessageTimeout": "10",
    "KillWait": "2",
    "InactiveLimit": "0",
    "MinJobAge": "300",
    "MaxJobCount": "20000",
    "MaxArraySize": "10001",
    "DefMemPerCPU": "100",
    "SchedulerType": "sched/backfill",
    "SchedulerParameters": "sched_interval=1,bf_interval=1",
    "PriorityType": "priority/basic",
    "JobCompType": "jobcomp/filetxt",
    "JobSubmitPlugins": "lua",
    "Licenses": "matlab:2",
    "GresTypes": "gpu",
    "AccountingStorageType": "accounting_storage/none",
}
ACCOUNTING: Final[Mapping[str, str]] = {
    "AccountingStorageType": "accounting_storage/slurmdbd",
    "AccountingStorageHost": "127.0.0.1",
    "AccountingStoreFlags": "job_comment,job_script,job_env",
    "AccountingStorageTRES": "gres/gpu,license/matlab",
    "TrackWCKey": "yes",
}
WITH_CGROUP: Final[Mapping[str, str]] = {"TaskPlugin": "task/cgroup", "JobAcctGatherParams": "NoShared"}
CGROUP: Final = f"""\
CgroupPlugin=cgroup/v1
CgroupMountpoint={cgroups.ROOT}
CgroupAutomount=no
ConstrainRAMSpace=yes
ConstrainSwapSpace=no
ConstrainCores=no
ConstrainDevices=no
"""
# The files stand for devices, which this machine need not have.
GRES: Final = (
    "AutoDetect=off\nNodeName=n[1-{nodes}] Name=gpu File=/dev/null\nNodeName=n[1-{nodes}] Name=gpu File=/dev/zero\n"
)


class Layout(NamedTuple):
    """Where a cluster's files are, and the ports that its daemons listen on."""

    folder: Path  # kept for those who ask why a test failed
    short: Path  # sockets, whose paths can't be long, and what is large; it is removed at the end
    controller_port: int
    database_port: int
    node_ports: Sequence[int]

    @property
    def conf(self) -> Path:
        """Slurm's configuration."""
        return self.folder / "slurm.conf"

    @property
    def state(self) -> Path:
        """What the controller remembers when it is started again."""
        return self.folder / "state"

    @property
    def munge_socket(self) -> Path:
        """Where munge answers."""
        return self.short / MUNGE_SOCKET

    @property
    def database_socket(self) -> Path:
        """Where MariaDB answers."""
        return self.short / "mariadb.socket"

    @property
    def data(self) -> Path:
        """The files of MariaDB."""
        return self.short / "data"

    def spool(self, node: str) -> Path:
        """Where a node keeps scripts, and the sockets of what serves its jobs."""
        return self.short / f"spool.{node}"

    def log(self, name: str) -> Path:
        """What a daemon writes."""
        return self.folder / f"{name}.log"


class Shape(NamedTuple):
    """What a cluster consists of."""

    nodes: int
    cpus: int  # of each node
    accounting: bool
    cgroup: bool


def write_configuration(layout: Layout, shape: Shape, overrides: Mapping[str, str]) -> None:
    """Write all that the daemons read; `overrides` replace parameters of slurm.conf."""
    machine = os.uname().nodename.partition(".")[0]
    own = {
        "SlurmctldHost": f"{machine}(127.0.0.1)",
        "SlurmctldPort": str(layout.controller_port),
        "AuthInfo": f"socket={layout.munge_socket}",
        "StateSaveLocation": str(layout.state),
        "SlurmdSpoolDir": str(layout.spool("%n")),
        "SlurmctldPidFile": str(layout.folder / "slurmctld.pid"),
        "SlurmdPidFile": str(layout.folder / "slurmd.%n.pid"),
        "JobCompLoc": str(layout.folder / "jobcomp.txt"),
        "SlurmctldLogFile": str(layout.log("slurmctld")),
        "SlurmdLogFile": str(layout.log("slurmd.%n")),
    }
    if shape.accounting:
        own |= ACCOUNTING
        own |= {
            "AccountingStoragePort": str(layout.database_port),
            "AccountingStoragePass": str(layout.munge_socket),
        }
    if shape.cgroup:
        own |= WITH_CGROUP
        (layout.folder / "cgroup.conf").write_text(CGROUP)
    lines = [f"{name}={value}" for name, value in {**DEFAULTS, **own, **overrides}.items()]
    for number, port in enumerate(layout.node_ports, start=1):
        lines.append(
            f"NodeName=n{number} NodeHostname={machine} NodeAddr=127.0.0.1 Port={port} CPUs={shape.cpus}"
            " RealMemory=4000 Gres=gpu:2 Feature=avx2 State=UNKNOWN"
        )
    lines.append(f"PartitionName=main Nodes=n[1-{shape.nodes}] Default=YES MaxTime=INFINITE State=UP")
    lines.append("PartitionName=small Nodes=n1 MaxTime=10 DefaultTime=5 State=UP")
    layout.conf.write_text("\n".join(lines) + "\n")
    (layout.folder / "gres.conf").write_text(GRES.format(nodes=shape.nodes))
    (layout.folder / "job_submit.lua").write_text(JOB_SUBMIT)
    if shape.accounting:
        _write_database_configuration(layout)


def _write_database_configuration(layout: Layout) -> None:
    values = {
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={layout.munge_socket}",
        "DbdHost": "localhost",
        "DbdAddr": "127.0.0.1",
        "DbdPort": str(layout.database_port),
        "SlurmUser": "root",
        "DebugLevel": "info",
        "LogFile": str(layout.log("slurmdbd")),
        "PidFile": str(layout.folder / "slurmdbd.pid"),
        "StorageType": "accounting_storage/mysql",
        "StorageHost": "localhost",
        "StorageUser": "root",
        "StorageLoc": "slurm_acct",
        "TrackWCKey": "yes",
        "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",
    }
    path = layout.folder / "slurmdbd.conf"
    path.touch(mode=0o600)  # slurmdbd reads no other
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


# Called for every submission before it is judged. What it says and what the controller says of the judgement have the
# same thread in the log, see queue.py.
JOB_SUBMIT: Final = """\
local function escaped(character) return string.format("\\\\x%02x", string.byte(character)) end
local function quoted(text) return (string.gsub(text or "", "[^%w_.,:/-]", escaped)) end
function slurm_job_submit(job, partitions, uid)
    slurm.log_info("%s", "submission array=" .. quoted(job.array_inx) .. " name=" .. quoted(job.name))
    return slurm.SUCCESS
end
function slurm_job_modify(job, record, partitions, uid) return slurm.SUCCESS end
"""
