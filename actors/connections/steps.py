"""The way into an allocation of a cluster: a step of it, which Slurm starts on its node from the login node.

`srun` passes bytes on unchanged, both ways. Who ends it ends the relay at its other end, and nothing else; while the
controller does not answer, steps that run go on, and new ones are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast.events.errors import Unavailable
from holdfast.events.records import Granted, Target

ANSWER_S: Final = 0.005
"""Within so long what comes out of a step is answered; what comes next would wait 40 ms for that (see `prompting`)."""

_ID: Final = re.compile(r"[0-9]+")
_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def cpus_of(target: Target, environ: Mapping[str, str]) -> int | None:
    """How many processors an allocation has, as its script's environment says; None for what is none."""
    cpus = environ.get("SLURM_CPUS_ON_NODE", "")
    return int(cpus) if target.allocation is not None and cpus.isdecimal() else None


def step_words(target: Target) -> tuple[str, ...]:
    """What starts another command in the target's allocation; nothing, if it is none. Raises Unavailable."""
    if target.allocation is None:
        return ()
    state = target.allocation.state
    if not isinstance(state, Granted) or not _ID.fullmatch(state.id):
        message = f"{target.name} is not running on the cluster"
        raise Unavailable(message)
    # On the first node, where its script runs, if there are several.
    node = (f"--nodelist={state.node}",) if _NODE.fullmatch(state.node) else ()
    # Unbuffered, as srun else waits for the end of a line; overlapping, as the jobs there have all of its processors.
    return (
        "srun", f"--jobid={state.id}", "--overlap", "--nodes=1", "--ntasks=1", *node,
        "--quiet", "--unbuffered", "--chdir=/", "--mpi=none", "--export=HOME,PATH,USER",
    )  # fmt: skip
