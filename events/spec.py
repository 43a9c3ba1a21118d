"""What a user asks for: jobs, flows, limits and targets as they are submitted.

`cli.flows.flowfile` and the Python API make these; `submission` validates them and puts them into the log. Amounts are
whole numbers (bytes for memory), durations integer microseconds.
"""

from __future__ import annotations

from msgspec import Struct, field

from .staging import InputFile, OutputFile

DEFAULT_GRACE_US = 10_000_000
DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024
DEFAULT_NEEDS = {"cpus": 1}
DEFAULT_RETRY_DELAY_US = 1_000_000
DEFAULT_RETRY_DELAY_MAX_US = 300_000_000
RETRY_ON_DEFAULT = ("failed", "timeout")
RETRY_ON = ("failed", "timeout", "lost")

LOCAL = "local"
FUNCTIONS = "functions"
HERE = (LOCAL, FUNCTIONS)
"""The targets that every home may have; all others are on other machines, and are configured by name."""


class Call(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A function of the program that supervises, called with the members of a JSON object, given as its text."""

    function: str
    arguments: str = "{}"


class JobSpec(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One job, as asked for and as recorded.

    `run` is an argument vector (no shell) or one string for `/bin/sh -c`; or, on the target `functions`, `call` says
    what to call. `after`, `after_any`, `after_failed` name
    jobs of the same flow (strings) or of the home (ids); in the log they are ids only. `cwd` is absolute here, and on
    another machine relative to the target's workdir. `secrets` are names of variables, never values. `key`: submitting
    the same key again is the same job. `inputs` and `outputs`: files that go there with it and come back (`staging`).
    On a cluster `sbatch` are options for Slurm (those that `sbatch` allows), `template` is one of the target's scripts,
    and `variables` are what it may use.
    """

    run: tuple[str, ...] | str = ()
    name: str = ""
    cwd: str = "/"
    after: tuple[str | int, ...] = ()
    after_any: tuple[str | int, ...] = ()
    after_failed: tuple[str | int, ...] = ()
    target: str = LOCAL
    needs: dict[str, int] = field(default_factory=DEFAULT_NEEDS.copy)
    limits: tuple[str, ...] = ()
    priority: int = 0
    retries: int = 0
    retry_on: tuple[str, ...] = RETRY_ON_DEFAULT
    retry_delay_us: int = DEFAULT_RETRY_DELAY_US
    retry_delay_max_us: int = DEFAULT_RETRY_DELAY_MAX_US
    timeout_us: int | None = None
    grace_us: int = DEFAULT_GRACE_US
    max_output_bytes: int = DEFAULT_MAX_OUTPUT_BYTES
    env: dict[str, str] = {}
    secrets: tuple[str, ...] = ()
    key: str | None = None
    hold: bool = False
    call: Call | None = None
    inputs: tuple[InputFile, ...] = ()
    outputs: tuple[OutputFile, ...] = ()
    sbatch: dict[str, str] = {}
    template: str = ""
    variables: dict[str, str] = {}


class LimitSpec(Struct, frozen=True, gc=False, omit_defaults=True):
    """A named limit: at most `concurrent` attempts at once; at most one start each `interval_us`, `burst` at once.

    None means unlimited in that respect. Used as `name` or `name:key`, which counts each key apart.
    """

    concurrent: int | None = None
    interval_us: int | None = None
    burst: int = 1


class SshSpec(Struct, frozen=True, gc=False, omit_defaults=True):
    """How a target on another machine is reached.

    `host`: a name for ~/.ssh/config, or an address, with `user@` before it if wished. `workdir`: the folder there that
    holds what jobs work on, and Holdfast's own. `python`: the interpreter there, where the usual names don't find one.
    """

    host: str
    workdir: str = "~/holdfast"
    python: str = ""


class PilotSpec(Struct, frozen=True, gc=False, omit_defaults=True):
    """Allocations that start a runner each, for many small jobs: up to `max` at once, of `nodes` nodes for `time_us`.

    `cpus`: of each node; 0: all that it has. One that has had nothing to do for `idle_us` is given back.
    """

    nodes: int = 1
    time_us: int = 3_600_000_000
    max: int = 1
    cpus: int = 0
    idle_us: int = 60_000_000


class SlurmSpec(Struct, frozen=True, gc=False, omit_defaults=True):
    """How a target's jobs are given to Slurm.

    `workdir`: where its commands run on this machine, the folder that jobs work in; over SSH that of `ssh` counts.
    It must be on a file system that the cluster's nodes share. `sbatch`: options of every job, by their names without
    dashes. `poll_us`: the least time between two questions to the controller. `max_queued`: attempts that may be in
    its queue, running ones included. `templates`: scripts by name; `template`: the one that jobs take which name none.
    """

    workdir: str = "~/holdfast"
    partition: str = ""
    account: str = ""
    sbatch: dict[str, str] = {}
    poll_us: int = 10_000_000
    max_queued: int = 500
    native_dependencies: bool = False
    templates: dict[str, str] = {}
    template: str = ""
    pilot: PilotSpec | None = None


class TargetSpec(Struct, frozen=True, gc=False, omit_defaults=True):
    """Where attempts run and how much of each counted need it offers.

    `ssh`: on another machine; `slurm`: on a cluster, whose login node that machine is, if there is one.
    """

    capacity: dict[str, int]
    ssh: SshSpec | None = None
    slurm: SlurmSpec | None = None


class FlowSpec(Struct, frozen=True, gc=False, omit_defaults=True):
    """A set of jobs submitted together, with the limits and targets that they name.

    `digest` identifies the flow's text: while jobs of an equal flow are unfinished, submitting it again goes on with
    those, unless `again`. An empty `name` is a submission without a flow.
    """

    jobs: tuple[JobSpec, ...]
    name: str = ""
    digest: str | None = None
    again: bool = False
    limits: dict[str, LimitSpec] = {}
    targets: dict[str, TargetSpec] = {}
