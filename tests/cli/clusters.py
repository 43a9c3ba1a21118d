"""A cluster on a stage: its target, batches of attempts that go there, and what becomes of them, through the rules."""

from __future__ import annotations

import hashlib

import msgspec

from holdfast.events.draft import Draft
from holdfast.events.facts import (
    AttemptBatched,
    BatchAbsent,
    BatchClosed,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
)
from holdfast.events.hosts import HostState, Up
from holdfast.events.launches import launch
from holdfast.events.messages import AttemptStatus, Configure, HostSeen, Reported
from holdfast.events.outcomes import decide_report
from holdfast.events.spec import SlurmSpec, SshSpec

from .staging import Stage

CLUSTER = "cluster"
SCRIPT = "#!/bin/sh\n#SBATCH --partition=main\n: räksmörgås\n"


class ClusterStage:
    """What happens on the cluster of a stage's home."""

    def __init__(self, stage: Stage, slurm: SlurmSpec | None = None, ssh: SshSpec | None = None) -> None:
        self.stage = stage
        spec = SlurmSpec(partition="main") if slurm is None else slurm
        stage.do(Configure({CLUSTER: {}}, {CLUSTER: ssh} if ssh else {}, slurm={CLUSTER: spec}))
        self.is_(Up(stage.now))

    def is_(self, host: HostState) -> None:
        """The way to it stands so."""
        self.stage.tick(lambda draft: decide_report(draft, HostSeen(CLUSTER, host)), "scheduler")

    def planned(self, *jobs: int, after: dict[str, str] | None = None) -> str:
        """Launch these, to wait there for the attempts `after`, and plan a batch of them; its name."""

        def each(draft: Draft) -> None:
            for job in jobs:
                launch(draft, draft.known_job(job), after=after or {})

        self.stage.tick(each, "scheduler")
        batch = f"0badcafe.{jobs[0]}.1"

        def record(draft: Draft) -> None:
            digest = hashlib.sha256(SCRIPT.encode()).hexdigest()
            draft.record(BatchPlanned(CLUSTER, batch, len(jobs), SCRIPT, digest))
            for index, job in enumerate(jobs):
                draft.record_job(AttemptBatched(job, 1, batch, index if len(jobs) > 1 else None), None)

        self.stage.tick(record, "target:cluster")
        return batch

    def happens(self, event: BatchEvent) -> None:
        """Something happens to a batch."""
        self.stage.tick(lambda draft: draft.record(event), "target:cluster")

    def submitted(self, *jobs: int, number: str = "4711", reason: str = "", after: dict[str, str] | None = None) -> str:
        """Plan a batch and have it in the queue, where it waits for `reason`."""
        batch = self.planned(*jobs, after=after)
        self.happens(BatchSubmitted(CLUSTER, batch, number))
        if reason:
            self.happens(BatchWaits(CLUSTER, batch, reason))
        return batch

    def unclear(self, *jobs: int, reason: str = "sbatch: error: Socket timed out on send/recv operation") -> str:
        """Plan a batch of which it is not known whether it arrived."""
        batch = self.planned(*jobs)
        self.happens(BatchUnclear(CLUSTER, batch, reason))
        return batch

    def absent(self, batch: str) -> None:
        """Such a batch was not there after all."""
        self.happens(BatchAbsent(CLUSTER, batch, "squeue and sacct have nothing of it"))

    def closed(self, batch: str) -> None:
        """Nothing more of it is to be expected."""
        self.happens(BatchClosed(CLUSTER, batch, "all its attempts have ended"))

    def says(self, job: int, state: str, **fields: object) -> None:
        """Have the cluster report on a job's first attempt."""
        status = msgspec.convert({"token": f"0badcafe.{job}.1", "state": state, **fields}, AttemptStatus)
        self.stage.tick(lambda draft: decide_report(draft, Reported(CLUSTER, (status,))), "scheduler")
