"""The current state of one thing each: what the fold of its events makes of a job, an attempt, a target, a limit.

Frozen: a change is a new record. `Job` is kept small because every live job has one in memory; what is needed only to
launch it stays in its `JobSubmitted` event.
"""

from __future__ import annotations

from msgspec import Struct

from .hosts import IDLE, HostState
from .spec import (
    DEFAULT_NEEDS,
    DEFAULT_RETRY_DELAY_MAX_US,
    DEFAULT_RETRY_DELAY_US,
    LOCAL,
    RETRY_ON_DEFAULT,
    LimitSpec,
    SlurmSpec,
    SshSpec,
)
from .states import JobState

Needs = tuple[tuple[str, int], ...]


class Policy(Struct, frozen=True, gc=False, omit_defaults=True):
    """What scheduling must know of a job; equal policies share one object.

    Made by `evolve.policy_of` alone: msgspec leaves a value out of the JSON only if it *is* the default, so that equal
    policies have one text (promise P4) only where each value that equals a default is that very object.
    """

    target: str = LOCAL
    needs: Needs = tuple(DEFAULT_NEEDS.items())
    limits: tuple[str, ...] = ()
    retries: int = 0
    retry_on: tuple[str, ...] = RETRY_ON_DEFAULT
    retry_delay_us: int = DEFAULT_RETRY_DELAY_US
    retry_delay_max_us: int = DEFAULT_RETRY_DELAY_MAX_US


class Job(Struct, frozen=True, gc=False, omit_defaults=True):
    """A job as it stands. `attempt`: number of its newest attempt, 0 before the first. `failures`: used-up tries.

    `allocation`: where in its target that attempt is, or was; empty for the target itself.
    """

    id: int
    policy: Policy
    state: JobState
    priority: int = 0
    attempt: int = 0
    failures: int = 0
    allocation: str = ""

    @property
    def place(self) -> str:
        """The target that its newest attempt is at: the policy's, or an allocation of it."""
        return self.allocation or self.policy.target


class OutputRange(Struct, frozen=True, gc=False, omit_defaults=True):
    """Where one stream of an attempt is: bytes `start` to `end` of a segment file; `end` None while it runs.

    Bytes `dropped_start` to `dropped_end` were let go because of `max_output` (equal: nothing was).
    """

    segment: str
    start: int
    end: int | None = None
    dropped_start: int = 0
    dropped_end: int = 0


class Outcome(Struct, frozen=True, gc=False, omit_defaults=True):
    """How an attempt ended, as its runner saw it.

    `how`: `exited`, `timeout`, `stopped`, `killed` (by a cluster, for its own reasons), `not_started`,
    `outputs_missing` or `lost`.
    `cpu_us`: user and system time of the process and
    what it waited for. `memory_bytes`: peak resident size of the largest process among them. `result`: what a call
    returned, as JSON text. Of a cluster: `word` is its own for the end, as `NODE_FAIL`; `nodes` names those it ran on;
    `queued_us`: how long it was in the queue there.
    """

    how: str
    ended_at: int
    started_at: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    cpu_us: int | None = None
    memory_bytes: int | None = None
    output: tuple[OutputRange, ...] = ()
    result: str | None = None
    word: str | None = None
    nodes: str | None = None
    queued_us: int | None = None


class Progress(Struct, frozen=True, gc=False, omit_defaults=True):
    """How far a call says it is: `fraction` from 0 to 1 of the whole, and a word about it."""

    fraction: float | None = None
    message: str = ""


class Process(Struct, frozen=True, gc=False):
    """A process known beyond doubt: its id and its start time in clock ticks; the boot is the target's."""

    pid: int
    start: int | None


class _Phase(Struct, frozen=True, gc=False, tag=str.lower, tag_field="phase", omit_defaults=True):
    """A base for its options only."""


class Launched(_Phase, frozen=True, gc=False):
    """Recorded and handed to the target."""


class Started(_Phase, frozen=True, gc=False):
    """The process exists, or did when last heard of; which it is, is not known of one on a cluster."""

    started_at: int
    process: Process | None
    output: tuple[OutputRange, ...] = ()


class Ended(_Phase, frozen=True, gc=False):
    """Over."""

    outcome: Outcome


class Revoked(_Phase, frozen=True, gc=False):
    """Taken back before it was started; its token never runs."""

    reason: str


class Attempt(Struct, frozen=True, gc=False, omit_defaults=True):
    """One try at a job. `after`: the attempts that its cluster is to wait for, as `AttemptLaunched` has them."""

    job: int
    number: int
    token: str
    target: str
    launched_at: int
    phase: Launched | Started | Ended | Revoked
    after: dict[str, str] = {}


class _AllocationState(Struct, frozen=True, gc=False, tag_field="state", omit_defaults=True):
    """A base for its options only."""


class Asked(_AllocationState, frozen=True, gc=False, tag="asked"):
    """The cluster is to run it, and does not yet."""

    since: int


class Granted(_AllocationState, frozen=True, gc=False, tag="granted"):
    """The cluster runs it since then, under this id, on this node."""

    since: int
    id: str
    node: str


class Over(_AllocationState, frozen=True, gc=False, tag="over"):
    """The cluster has it no more; what was in flight there is being found out."""

    since: int
    reason: str


class Retired(_AllocationState, frozen=True, gc=False, tag="retired"):
    """Nothing is to be expected of it; `reason`: why it was over."""

    since: int
    reason: str = ""


class Allocation(Struct, frozen=True, gc=False, omit_defaults=True):
    """What makes a target an allocation of the cluster `cluster`: asked for `time_us` under this number.

    `released`: why it is being given back, if it is.
    """

    cluster: str
    number: int
    time_us: int
    state: Asked | Granted | Over | Retired
    released: str = ""


class Target(Struct, frozen=True, omit_defaults=True):
    """Where attempts run. `journal` and `boot`: the runner's journal and machine boot seen last.

    Of one on another machine: `ssh` says how it is reached, `host` how that stands, and `trusted` are the public keys
    of the machine that a person accepted, as lines of OpenSSH's format. `slurm`: it is a cluster, reached so.
    `allocation`: it is a part of another target, a cluster, for as long as that gives it.
    """

    name: str
    capacity: dict[str, int] = {}
    paused: bool = False
    journal: str | None = None
    boot: str | None = None
    pid: int | None = None
    ssh: SshSpec | None = None
    host: HostState = IDLE
    trusted: tuple[str, ...] = ()
    slurm: SlurmSpec | None = None
    allocation: Allocation | None = None

    @property
    def is_cluster(self) -> bool:
        """Whether Slurm has what is launched there, and no runner of ours."""
        return self.slurm is not None and self.allocation is None

    @property
    def is_elsewhere(self) -> bool:
        """Whether there is a way to it that must be kept open: to another machine, to a cluster or into one."""
        return self.ssh is not None or self.slurm is not None or self.allocation is not None


class _BatchState(Struct, frozen=True, gc=False, tag_field="state", omit_defaults=True):
    """A base for its options only."""


class PlannedBatch(_BatchState, frozen=True, gc=False, tag="planned"):
    """To be submitted; surely not there. `reason`: why the cluster did not take it yet."""

    reason: str = ""


class UnclearBatch(_BatchState, frozen=True, gc=False, tag="unclear"):
    """Sent, and it is not known whether it arrived: the cluster is asked for it."""

    since: int
    reason: str


class SubmittedBatch(_BatchState, frozen=True, gc=False, tag="submitted"):
    """In the cluster's hands, under this id. `reason`: what it waits for there, in the cluster's own word."""

    since: int
    id: str
    reason: str = ""


class ClosedBatch(_BatchState, frozen=True, gc=False, tag="closed"):
    """Nothing of it is to be expected any more."""

    since: int
    reason: str
    id: str | None = None


class Batch(Struct, frozen=True, gc=False, omit_defaults=True):
    """What was, or is to be, given to a cluster's queue at once: `size` attempts, more than one as an array.

    `name` is the token of its first attempt; by it the cluster is asked where the id is not known. `after`: the tokens
    of attempts that the cluster is to wait for, whose ids stand in its script. `plan`: the word of its plan, which each
    of its scripts notes with the claim.
    """

    name: str
    target: str
    size: int
    planned_at: int
    state: PlannedBatch | UnclearBatch | SubmittedBatch | ClosedBatch
    after: tuple[str, ...] = ()
    plan: str = ""


class Limit(Struct, frozen=True, omit_defaults=True):
    """A named limit as configured last."""

    name: str
    spec: LimitSpec


class RateMark(Struct, frozen=True, gc=False):
    """GCRA's whole memory of one key: the theoretical arrival time after its last grant, in microseconds."""

    key: str
    arrival_at: int


class Flow(Struct, frozen=True, omit_defaults=True):
    """A flow as it was submitted."""

    id: str
    number: int
    jobs: int
    digest: str | None = None
