"""What may happen to a cluster's batches in a random history: planned, sent, out of sight, found or not, over."""

from hashlib import sha256
from random import Random
from typing import Final, TypeVar

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
from holdfast.events.messages import AttemptStatus
from holdfast.events.outcomes import record_batches
from holdfast.events.records import Batch, ClosedBatch, Job, PlannedBatch, SubmittedBatch, UnclearBatch
from holdfast.events.spec import SlurmSpec
from holdfast.events.states import FINAL, Launching, Running, Unknown
from holdfast.store.contract import LiveBase

T = TypeVar("T")

CLUSTER: Final = "cluster"
SLURM: Final = SlurmSpec(partition="main", sbatch={"qos": "long"}, max_queued=50)
_HOW: Final = ("exited", "exited", "exited", "timeout", "killed", "stopped", "not_started", "lost")
_WORDS: Final = {
    "exited": "COMPLETED",
    "timeout": "TIMEOUT",
    "killed": "OUT_OF_MEMORY",
    "stopped": "CANCELLED",
    "lost": "NODE_FAIL",
}


def plan_batch(base: LiveBase, draft: Draft, random: Random) -> None:
    """Plan a batch for some of those that were launched, and now and then for one that is over meanwhile."""
    launched = [job for job in base.in_flight(CLUSTER) if isinstance(job.state, Launching | Unknown)]
    batched = base.batched([job.id for job in launched])
    there = [job for job in launched if job.id not in batched or batched[job.id].attempt != job.attempt]
    if not there:
        return
    members = random.sample(there, min(len(there), random.randrange(1, 4)))
    name = f"{base.home}.{members[0].id}.{members[0].attempt}"
    over = _over(base, random)
    script = f"#!/bin/sh\n# 'ä' \\ {name}\n"
    planned = BatchPlanned(CLUSTER, name, len(members) + len(over), script, sha256(script.encode()).hexdigest())
    is_array = planned.size > 1
    listed = [
        AttemptBatched(job.id, job.attempt, name, index if is_array else None)
        for index, job in enumerate([*members, *over])
    ]
    assert record_batches(draft, CLUSTER, (planned,), listed).over == {(job.id, job.attempt) for job in over}


def _over(base: LiveBase, random: Random) -> list[Job]:
    ids = random.sample(range(1, base.next_job()), min(3, base.next_job() - 1))
    jobs = [job for job in map(base.job, ids) if job is not None and job.policy.target == CLUSTER and job.attempt]
    return [job for job in jobs if isinstance(job.state, FINAL)][:1]


def follow_batch(base: LiveBase, draft: Draft, random: Random) -> None:
    """Let something happen to a batch of which something is still to be expected."""
    there = base.open_batches(CLUSTER)
    if there:
        batch = random.choice(there)
        record_batches(draft, CLUSTER, (random.choice(_news(batch, random)),), ())


def _news(batch: Batch, random: Random) -> tuple[BatchEvent, ...]:
    name, number = batch.name, str(random.randrange(1, 1_000))
    closed = BatchClosed(CLUSTER, name, "it was taken back")
    unclear = BatchUnclear(CLUSTER, name, "Socket timed out on send/recv operation")
    match batch.state:
        case PlannedBatch():
            submitted = BatchSubmitted(CLUSTER, name, number)
            return submitted, submitted, unclear, unclear, BatchWaits(CLUSTER, name, "not just now"), closed
        case UnclearBatch():
            found = BatchSubmitted(CLUSTER, name, number, found=True)
            return found, BatchAbsent(CLUSTER, name, "it was asked twice"), unclear, closed
        case SubmittedBatch():
            waits = BatchWaits(CLUSTER, name, random.choice(("Priority", "Resources")))
            return waits, waits, closed
        case ClosedBatch():
            message = f"the batch {name} is closed, and listed as open"
            raise AssertionError(message)


def cluster_status(job: Job, token: str, now: int, random: Random) -> AttemptStatus:
    """What a cluster may say of an attempt: never a process, and now and then nothing that is certain."""
    if random.random() < 0.2:
        return AttemptStatus(token, "unclear", error=random.choice((None, "the controller does not answer")))
    if not isinstance(job.state, Running) and random.random() < 0.5:
        state = random.choice(("queued", "running", "running", "revoked"))
        return AttemptStatus(token, state, started_at=now - 5)
    how = random.choice(_HOW)
    return AttemptStatus(
        token,
        "ended",
        started_at=None if how == "not_started" else now - 1_000,
        ended_at=now,
        how=how,
        exit_code=random.choice((0, 0, 1)) if how == "exited" else None,
        error="it used more memory than it was given" if how == "killed" else None,
        word=_WORDS.get(how),
        nodes=None if how == "not_started" else "node[1-2]",
        queued_us=random.choice((None, 7_000_000)),
    )
