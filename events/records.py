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
    """A job as it stands. `attempt`: number of its newest attempt, 0 before the first. `failures`: used-up tries."""

    id: int
    policy: Policy
    state: JobState
    priority: int = 0
    attempt: int = 0
    failures: int = 0


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

    `how`: `exited`, `timeout`, `stopped`, `not_started`, `outputs_missing` or `lost`.
    `cpu_us`: user and system time of the process and
    what it waited for. `memory_bytes`: peak resident size of the largest process among them. `result`: what a call
    returned, as JSON text.
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
    """The process exists, or did when last heard of."""

    started_at: int
    process: Process
    output: tuple[OutputRange, ...] = ()


class Ended(_Phase, frozen=True, gc=False):
    """Over."""

    outcome: Outcome


class Revoked(_Phase, frozen=True, gc=False):
    """Taken back before it was started; its token never runs."""

    reason: str


class Attempt(Struct, frozen=True, gc=False, omit_defaults=True):
    """One try at a job."""

    job: int
    number: int
    token: str
    target: str
    launched_at: int
    phase: Launched | Started | Ended | Revoked


class Target(Struct, frozen=True, omit_defaults=True):
    """Where attempts run. `journal` and `boot`: the runner's journal and machine boot seen last.

    Of one on another machine: `ssh` says how it is reached, `host` how that stands, and `trusted` are the public keys
    of the machine that a person accepted, as lines of OpenSSH's format.
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
