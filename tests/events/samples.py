"""One sample at least of every state and of every event, for tests that walk through all of them."""

from __future__ import annotations

from typing import Final

from holdfast.events import facts
from holdfast.events.hosts import Down
from holdfast.events.records import Outcome, OutputRange, Process, Progress
from holdfast.events.spec import JobSpec, LimitSpec, PilotSpec, SlurmSpec
from holdfast.events.staging import StagedFile
from holdfast.events.states import (
    Cancelled,
    Delayed,
    Failed,
    Held,
    JobState,
    Launching,
    Lost,
    Ready,
    Running,
    Skipped,
    Succeeded,
    Unknown,
    Waiting,
)

JOB: Final = 7

STATES: Final[tuple[JobState, ...]] = (
    Waiting(1),
    Held(1),
    Ready(1),
    Delayed(1, 9, "exit code 3"),
    Launching(1),
    Launching(1, cancelling=True),
    Running(2),
    Running(2, cancelling=True),
    Unknown(3, "no answer"),
    Unknown(3, "no answer", 2),
    Unknown(3, "no answer", 2, cancelling=True),
    Succeeded(2, 4),
    Failed(4, "exit code 3", 2, 3),
    Failed(4, "no such command"),
    Cancelled(4, "cancelled", 2, 143),
    Cancelled(4, "cancelled"),
    Skipped(4, 6, "after job 6, which failed"),
    Skipped(4, 6, "after_failed job 6, which succeeded", unneeded=True),
    Lost(4, "its end could not be seen", 2),
)

OUTPUT: Final = (OutputRange("0.out", 10, 20), OutputRange("0.err", 0, 50, 10, 30))

OUTCOMES: Final = (
    Outcome("exited", 5, 2, 0, cpu_us=100, memory_bytes=4096, output=OUTPUT),
    Outcome("exited", 5, 2, 3),
    Outcome("exited", 5, 2, None, 11),
    Outcome("timeout", 5, 2, None, 15),
    Outcome("stopped", 5, 2, 143),
    Outcome("not_started", 5, error="no such command"),
    Outcome("lost", 5, error="its runner does not know it any more"),
    Outcome("killed", 5, 2, 0, error="it used too much", word="OUT_OF_MEMORY", nodes="n[1-2]", queued_us=9),
)

JOB_EVENTS: Final[tuple[facts.JobEvent, ...]] = (
    facts.JobSubmitted(JOB, "ready", JobSpec(("echo", "ü"), "a", after=(3,), env={"A": "1"}, key="k"), "flow-1"),
    facts.JobReady(JOB),
    facts.JobReady(JOB, "waiting"),
    facts.JobHeld(JOB),
    facts.JobReleased(JOB, "waiting"),
    facts.JobReleased(JOB, "ready"),
    facts.JobPrioritised(JOB, 5),
    facts.JobSkipped(JOB, 6, "after job 6, which failed"),
    facts.JobSkipped(JOB, 6, "after_failed job 6, which succeeded", unneeded=True),
    facts.JobCancelled(JOB, "cancelled"),
    facts.CancelRequested(JOB),
    facts.JobRetried(JOB, "waiting"),
    facts.JobRetried(JOB, "ready"),
    facts.JobRetried(JOB, "held"),
    facts.AttemptLaunched(JOB, 1, f"home.{JOB}.1", "local", {"api:a": 12}),
    facts.AttemptLaunched(JOB, 1, f"home.{JOB}.1", "cluster", after={"home.3.1": "after", "home.4.2": "after_any"}),
    facts.AttemptStarted(JOB, 1, 2, Process(100, 5), OUTPUT),
    facts.FilesStaged(JOB, 1, (StagedFile("a.csv", 3, "00"),), back=True),
    facts.AttemptProgressed(JOB, 1, Progress(0.5, "half")),
    *(facts.AttemptEnded(JOB, 1, outcome) for outcome in OUTCOMES),
    facts.AttemptEnded(JOB, 1, OUTCOMES[1], 8),
    facts.AttemptBatched(JOB, 1, f"home.{JOB}.1"),
    facts.AttemptBatched(JOB, 1, f"home.{JOB}.1", 4),
    facts.AttemptRevoked(JOB, 1, "taken back"),
    facts.AttemptRevoked(JOB, 1, "what it waits for did not end well", "waiting"),
    facts.AttemptUnreachable(JOB, 1, "no answer"),
    facts.AttemptReached(JOB, 1),
)

BATCH: Final = f"home.{JOB}.1"
BATCH_EVENTS: Final[tuple[facts.BatchEvent, ...]] = (
    facts.BatchPlanned("cluster", BATCH, 2, "#!/bin/sh\n", "00"),
    facts.BatchWaits("cluster", BATCH, "no more jobs are taken just now"),
    facts.BatchUnclear("cluster", BATCH, "Socket timed out"),
    facts.BatchAbsent("cluster", BATCH, "asked twice"),
    facts.BatchSubmitted("cluster", BATCH, "25"),
    facts.BatchSubmitted("cluster", BATCH, "25", found=True),
    facts.BatchClosed("cluster", BATCH, "all have ended"),
)

ALLOCATION: Final = "cluster/3"
ALLOCATION_EVENTS: Final[tuple[facts.AllocationEvent, ...]] = (
    facts.AllocationRequested(ALLOCATION, "cluster", 3, {"cpus": 4}, 3_600_000_000),
    facts.AllocationGranted(ALLOCATION, "25", "n1", 7),
    facts.AllocationReleased(ALLOCATION, "nothing to do"),
    facts.AllocationEnded(ALLOCATION, "its time was over", "TIMEOUT"),
    facts.AllocationRetired(ALLOCATION),
)

HOME_EVENTS: Final[tuple[facts.HomeEvent, ...]] = (
    facts.HomeCreated("home"),
    facts.SupervisorStarted(10, "host", "0.1.0"),
    facts.SupervisorStopped(10, "told to"),
    facts.StepRecorded("charge", "order-7", '{"receipt":1}', JOB),
    facts.FlowSubmitted("flow-1", 1, 2, "digest"),
    facts.TargetConfigured("local", {"cpus": 4}),
    facts.TargetAttached("local", "journal", "boot", 11),
    facts.TargetPaused("local"),
    facts.TargetResumed("local"),
    facts.HostChanged("gpu", Down(7, "it broke", 9, 2)),
    facts.DialRequested("gpu"),
    facts.HostTrusted("gpu", "ssh-ed25519 AAAA", "SHA256:abc"),
    facts.LimitConfigured("api", LimitSpec(2, 100_000, 5)),
    facts.TargetConfigured("cluster", {}, None, SlurmSpec(partition="main", sbatch={"qos": "long"}, pilot=PilotSpec())),
    *BATCH_EVENTS,
    *ALLOCATION_EVENTS,
)

EVENTS: Final[tuple[facts.Event, ...]] = (*JOB_EVENTS, *HOME_EVENTS)
