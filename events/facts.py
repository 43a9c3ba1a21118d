"""What can happen: every event of the log, past tense, never changed once written.

An event concerns one subject (a job, an attempt of it, a target, a limit, a flow). When it happened, who did it and
which event caused it stand beside it in the log. A field with a default may be added at any time; anything more raises
the type's VERSION and adds an upcaster in `codec`.
"""

from __future__ import annotations

from typing import ClassVar, final

from msgspec import Struct

from .clusterfacts import (
    AllocationEnded,
    AllocationEvent,
    AllocationGranted,
    AllocationReleased,
    AllocationRequested,
    AllocationRetired,
    BatchAbsent,
    BatchClosed,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
)
from .hosts import HostState
from .records import Outcome, OutputRange, Process, Progress
from .spec import JobSpec, LimitSpec, SlurmSpec, SshSpec
from .staging import StagedFile

__all__ = [
    "AllocationEnded", "AllocationEvent", "AllocationGranted", "AllocationReleased", "AllocationRequested",
    "AllocationRetired", "AttemptBatched", "AttemptEnded", "AttemptLaunched", "AttemptProgressed", "AttemptReached",
    "AttemptRevoked", "AttemptStarted", "AttemptUnreachable", "BatchAbsent", "BatchClosed", "BatchEvent",
    "BatchPlanned", "BatchSubmitted", "BatchUnclear", "BatchWaits", "CancelRequested", "DialRequested", "Event",
    "FilesStaged", "FlowSubmitted", "HomeCreated", "HomeEvent", "HostChanged", "HostTrusted", "JobCancelled",
    "JobEvent", "JobHeld", "JobPrioritised", "JobReady", "JobReleased", "JobRetried", "JobSkipped", "JobSubmitted",
    "LimitConfigured", "OfJob", "StepRecorded", "SupervisorStarted", "SupervisorStopped", "TargetAttached",
    "TargetConfigured", "TargetPaused", "TargetResumed",
]  # fmt: skip


class _Event(Struct, frozen=True, gc=False, omit_defaults=True):
    """A base for its options and the version number only."""

    VERSION: ClassVar[int] = 1


class OfJob(_Event, frozen=True, gc=False):
    """What all events of a job, or of an attempt at it, have in common."""

    job: int


@final
class HomeCreated(_Event, frozen=True, gc=False):
    """The first event of every log: the home's id, part of every token."""

    home: str


@final
class SupervisorStarted(_Event, frozen=True, gc=False):
    """A supervisor took the home."""

    pid: int
    host: str
    version: str


@final
class SupervisorStopped(_Event, frozen=True, gc=False):
    """A supervisor left in good order; missing after a kill or a crash."""

    pid: int
    reason: str


@final
class FlowSubmitted(_Event, frozen=True, gc=False):
    """A set of jobs was submitted together; their `JobSubmitted` follow in the same commit."""

    flow: str
    number: int
    jobs: int
    digest: str | None = None


@final
class JobSubmitted(OfJob, frozen=True, gc=False):
    """A job exists from now on. `state`: `waiting`, `held` or `ready`; dependencies in `spec` are ids."""

    state: str
    spec: JobSpec
    flow: str | None = None


@final
class JobReady(OfJob, frozen=True, gc=False):
    """All it waited for (dependencies, or the back-off's time) is over.

    `state`: `waiting` where the back-off is over, and what it depends on is not, as its cluster was to wait for that.
    """

    state: str = "ready"


@final
class JobHeld(OfJob, frozen=True, gc=False):
    """A person holds it back."""


@final
class JobReleased(OfJob, frozen=True, gc=False):
    """A person lets it go on, to `waiting` or `ready`."""

    state: str


@final
class JobPrioritised(OfJob, frozen=True, gc=False):
    """It has another priority now; higher goes first."""

    priority: int


@final
class JobSkipped(OfJob, frozen=True, gc=False):
    """It will not run, because of how job `because` ended. `unneeded`: nothing went wrong."""

    because: int
    reason: str
    unneeded: bool = False


@final
class JobCancelled(OfJob, frozen=True, gc=False):
    """Ended by a person's wish before it ran (or between two attempts)."""

    reason: str


@final
class CancelRequested(OfJob, frozen=True, gc=False):
    """A person wants an attempt in flight ended: it is revoked or stopped, and its end is awaited."""


@final
class JobRetried(OfJob, frozen=True, gc=False):
    """A person wants a job that ended badly to run again, from `waiting` or `ready`; the only way out of an end."""

    state: str


@final
class AttemptLaunched(OfJob, frozen=True, gc=False):
    """The intent to start an attempt: written and synced before its target hears of it.

    `grants`: for each rate limit key that let it through, the arrival time that GCRA keeps (microseconds). `after`:
    what must have ended before it may start, which its cluster sees to: by the attempt's token, `after` or `after_any`.
    """

    attempt: int
    token: str
    target: str
    grants: dict[str, int] = {}
    after: dict[str, str] = {}


@final
class AttemptStarted(OfJob, frozen=True, gc=False):
    """The runner saw the process start. Left out for an attempt that ended before this was worth a message.

    `process`: None on a cluster, which does not say.
    """

    attempt: int
    started_at: int
    process: Process | None
    output: tuple[OutputRange, ...] = ()


@final
class AttemptProgressed(OfJob, frozen=True, gc=False):
    """A call, or the staging of files, is so far: a fact for readers of the log; no record hangs on it."""

    attempt: int
    progress: Progress


@final
class FilesStaged(OfJob, frozen=True, gc=False):
    """Files of an attempt were brought to its machine, or (`back`) from there: a fact for readers of the log.

    Those that were there already, unchanged, are among them.
    """

    attempt: int
    files: tuple[StagedFile, ...]
    back: bool = False


@final
class AttemptBatched(OfJob, frozen=True, gc=False):
    """It goes to its cluster's queue in this batch, as its task `index` if that is an array."""

    attempt: int
    batch: str
    index: int | None = None


@final
class AttemptEnded(OfJob, frozen=True, gc=False):
    """It is over. `retry_at`: the retry policy gives it another attempt then, back-off and jitter included."""

    attempt: int
    outcome: Outcome
    retry_at: int | None = None


@final
class AttemptRevoked(OfJob, frozen=True, gc=False):
    """It was taken back before it started; its token never runs, and no try is used up.

    `state`: where its job goes; `waiting` only from what had been launched to wait in its cluster's queue.
    """

    attempt: int
    reason: str
    state: str = "ready"


@final
class AttemptUnreachable(OfJob, frozen=True, gc=False):
    """Its target does not answer; what became of it is not known for now."""

    attempt: int
    reason: str


@final
class AttemptReached(OfJob, frozen=True, gc=False):
    """Its target answers again, and has it as it was."""

    attempt: int


@final
class TargetConfigured(_Event, frozen=True, gc=False):
    """A target offers this much of each counted need from now on; `ssh`, `slurm`: it is reached so."""

    target: str
    capacity: dict[str, int]
    ssh: SshSpec | None = None
    slurm: SlurmSpec | None = None


@final
class TargetAttached(_Event, frozen=True, gc=False):
    """A connection to the target's runner, known by its journal and its machine's boot, stands."""

    target: str
    journal: str
    boot: str
    pid: int


@final
class TargetPaused(_Event, frozen=True, gc=False):
    """A person wants nothing more to start there."""

    target: str


@final
class TargetResumed(_Event, frozen=True, gc=False):
    """A person lets it start attempts again."""

    target: str


@final
class HostChanged(_Event, frozen=True, gc=False):
    """The way to a target's machine is in another state."""

    target: str
    host: HostState


@final
class DialRequested(_Event, frozen=True, gc=False):
    """A person wants a target's machine to be tried now."""

    target: str


@final
class HostTrusted(_Event, frozen=True, gc=False):
    """A person accepts this key (a line of OpenSSH's format) as the machine's own, besides those of `known_hosts`."""

    target: str
    key: str
    fingerprint: str


@final
class StepRecorded(_Event, frozen=True, gc=False):
    """A step of a program's work was done, with this result (JSON text); it is not done again.

    `key`: which of its kind it is; `job`: the one that did it, where it was one. No record hangs on it.
    """

    step: str
    key: str
    result: str
    job: int | None = None


@final
class LimitConfigured(_Event, frozen=True, gc=False):
    """A named limit has these bounds from now on.

    `arrivals`: for each of its keys that was let through of late, the arrival time that GCRA keeps from now on, as the
    intervals of before are not those of now (microseconds).
    """

    limit: str
    spec: LimitSpec
    arrivals: dict[str, int] = {}


JobEvent = (
    JobSubmitted
    | JobReady
    | JobHeld
    | JobReleased
    | JobPrioritised
    | JobSkipped
    | JobCancelled
    | CancelRequested
    | JobRetried
    | AttemptLaunched
    | AttemptStarted
    | AttemptProgressed
    | FilesStaged
    | AttemptBatched
    | AttemptEnded
    | AttemptRevoked
    | AttemptUnreachable
    | AttemptReached
)
HomeEvent = (
    HomeCreated
    | SupervisorStarted
    | SupervisorStopped
    | FlowSubmitted
    | TargetConfigured
    | TargetAttached
    | TargetPaused
    | TargetResumed
    | HostChanged
    | DialRequested
    | HostTrusted
    | LimitConfigured
    | StepRecorded
    | BatchPlanned
    | BatchSubmitted
    | BatchUnclear
    | BatchAbsent
    | BatchWaits
    | BatchClosed
    | AllocationRequested
    | AllocationGranted
    | AllocationReleased
    | AllocationEnded
    | AllocationRetired
)
Event = JobEvent | HomeEvent
