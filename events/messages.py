"""What clients and targets say to the scheduler, and what it answers; the control socket speaks the same.

A command is a wish of somebody's; whoever sends it gets one answer. A report is what a target has seen.
"""

from __future__ import annotations

from msgspec import Struct, field

from .errors import BadInput, Unavailable
from .hosts import HostState
from .records import OutputRange
from .spec import FlowSpec, JobSpec, LimitSpec, SlurmSpec, SshSpec
from .staging import StagedFile


class _Message(Struct, frozen=True, tag=True, omit_defaults=True):
    """A base for its options only: tagged with the class name in `type`."""


class Submit(_Message, frozen=True):
    """Record a flow; answered by Submitted."""

    flow: FlowSpec


class Cancel(_Message, frozen=True):
    """End these jobs, whatever they are doing; answered by Changed."""

    jobs: tuple[int, ...]


class Retry(_Message, frozen=True):
    """Run these jobs again, which failed or were cancelled, skipped or lost; answered by Changed."""

    jobs: tuple[int, ...]


class Hold(_Message, frozen=True):
    """Don't start these jobs until they are released; answered by Changed."""

    jobs: tuple[int, ...]


class Release(_Message, frozen=True):
    """Let held jobs go on; answered by Changed."""

    jobs: tuple[int, ...]


class Prioritise(_Message, frozen=True):
    """Set the priority, higher goes first; answered by Changed."""

    jobs: tuple[int, ...]
    priority: int


class Pause(_Message, frozen=True):
    """Start nothing more on a target (None: on any); answered by Changed."""

    target: str | None = None


class Resume(_Message, frozen=True):
    """Start attempts there again; answered by Changed."""

    target: str | None = None


class Configure(_Message, frozen=True):
    """Set targets' capacity, as far as given, how those of other machines and clusters are reached, and limits.

    Answered by Changed.
    """

    capacity: dict[str, dict[str, int]]
    ssh: dict[str, SshSpec] = {}
    slurm: dict[str, SlurmSpec] = {}
    limits: dict[str, LimitSpec] = {}


class Dial(_Message, frozen=True):
    """Try to connect to these targets' machines now, whatever kept it from being tried; answered by Changed."""

    targets: tuple[str, ...]


class Trust(_Message, frozen=True):
    """Accept the key that a target's machine showed, by its fingerprint; answered by Changed."""

    target: str
    fingerprint: str


class RecordStep(_Message, frozen=True):
    """Record the result of a step (JSON text); answered by StepTaken."""

    step: str
    key: str
    result: str
    job: int | None = None


class AskStatus(_Message, frozen=True):
    """How many jobs are in which state; answered by Status."""


class ReadOutput(_Message, frozen=True):
    """Bytes `start` to `end` of an output segment on a target's machine; answered by OutputPiece.

    `token`: only while this attempt runs, as the segment goes to another one afterwards. A piece may be shorter.
    """

    target: str
    segment: str
    start: int
    end: int
    token: str | None = None


class LogIn(_Message, frozen=True):
    """Connect to a target's machine with a person at hand; answered by Question, or by Changed once it let them in."""

    target: str


class JobKind(_Message, frozen=True):
    """What so many jobs ask of a cluster; `spec` is the first of them, without its command."""

    spec: JobSpec
    jobs: int


class Inspect(_Message, frozen=True):
    """Look at a target's cluster: what works there, and what does not; answered by Inspected.

    `kinds`: of the jobs that are to go there.
    """

    target: str
    kinds: tuple[JobKind, ...] = ()


class Say(_Message, frozen=True):
    """What the person typed to the last Question; answered likewise. Never recorded."""

    target: str
    text: str


Command = Submit | Cancel | Retry | Hold | Release | Prioritise | Pause | Resume | Configure | Dial | Trust
Request = Command | RecordStep | AskStatus
Spoken = Request | ReadOutput | LogIn | Say | Inspect
"""What comes over the control socket."""


class Submitted(_Message, frozen=True):
    """The ids in the order of submission. `known`: those that a key had submitted before.

    `continued`: an equal flow is unfinished, so nothing was submitted; the ids are empty then.
    """

    jobs: tuple[int, ...]
    flow: str | None = None
    known: tuple[int, ...] = ()
    continued: bool = False


class Unchanged(Struct, frozen=True):
    """A job that the command could not, or need not, change. `satisfied`: it is as was wished anyway."""

    job: int
    reason: str
    satisfied: bool = False


class Changed(_Message, frozen=True):
    """Which jobs (or targets, or limits) the command changed, and which not, and why."""

    jobs: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    unchanged: tuple[Unchanged, ...] = ()
    limits: tuple[str, ...] = ()


class StepTaken(_Message, frozen=True):
    """The result that counts for the step; `fresh`: it is the one that was sent, and not one from before."""

    result: str
    fresh: bool


class Question(_Message, frozen=True):
    """What a machine wants of a person; `echo`: whether what they type may be seen."""

    text: str
    echo: bool


class Finding(Struct, frozen=True):
    """One thing that was looked at. `level`: `ok`, `warning` (it works for now) or `wrong`, then with the remedy."""

    level: str
    what: str
    remedy: str = ""


class Inspected(_Message, frozen=True):
    """What was found out about a target's cluster, in order."""

    findings: tuple[Finding, ...]


class OutputPiece(_Message, frozen=True):
    """What was read; `running`: whether the attempt that was asked for still runs."""

    data: bytes
    running: bool


class Status(_Message, frozen=True):
    """Live jobs by state, and who answers."""

    pid: int
    version: str
    counts: dict[str, int]
    seq: int


class Refusal(_Message, frozen=True):
    """Nothing was done. `exit_code` as of the command line: 2 bad input, 3 unavailable."""

    message: str
    exit_code: int

    def error(self) -> BadInput | Unavailable:
        """The same, to be raised where it arrives."""
        return BadInput(self.message) if self.exit_code == BadInput.exit_code else Unavailable(self.message)


Answer = Submitted | Changed | StepTaken | OutputPiece | Question | Inspected | Status | Refusal


class AttemptStatus(Struct, frozen=True, gc=False):
    """What a runner says of one attempt; the fields are there as they apply to `state`.

    `state`: `queued`, `running` (then `pid` is there, but on a cluster), `ended` (then `how`, as in Outcome),
    `revoked`, or `unclear` (what became of it is not known for now, for the reason in `error`). Times are microseconds.
    """

    token: str
    state: str
    pid: int | None = None
    process_start: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    how: str = ""
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    cpu_us: int | None = None
    memory_bytes: int | None = None
    output: tuple[OutputRange, ...] = ()
    result: str | None = None
    fraction: float | None = None
    message: str = ""
    word: str | None = None
    nodes: str | None = None
    queued_us: int | None = None


class Attached(_Message, frozen=True):
    """A target's runner answers, and this is all it has: what is queued, runs, or ended and was not acknowledged.

    `receipt`: what came with the newest acknowledgement that it has noted; empty if there was none. `cpus`: how many an
    allocation has, if it says so.
    """

    target: str
    journal: str
    boot: str
    pid: int
    attempts: tuple[AttemptStatus, ...] = ()
    receipt: str = ""
    cpus: int | None = None


class Reported(_Message, frozen=True):
    """News of attempts on a target."""

    target: str
    attempts: tuple[AttemptStatus, ...]


class Unreachable(_Message, frozen=True):
    """A target has not answered for longer than it may."""

    target: str
    reason: str


class HostSeen(_Message, frozen=True):
    """The way to a target's machine is in this state now. `era`: of those who say so; see `actors.directory`."""

    target: str
    host: HostState
    era: int = 0


class Staged(_Message, frozen=True):
    """Files of an attempt were brought to its target's machine, or (`back`) from there."""

    target: str
    token: str
    files: tuple[StagedFile, ...]
    back: bool = False


class Settled(_Message, frozen=True):
    """What the runner of an allocation that is over wrote: how attempts ended. No more will ever be known of any.

    `closed`: it ended in good order, and what it does not know was never started there.
    """

    target: str
    attempts: tuple[AttemptStatus, ...]
    closed: bool


Report = Attached | Reported | Unreachable | HostSeen | Staged | Settled


class Authored(Struct, frozen=True):
    """A request and who makes it, as it travels over the control socket."""

    request: Request
    author: str = field(default="")
