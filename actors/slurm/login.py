"""Slurm's commands where the runner of a login node runs, over the one connection that there is to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from .site import COMMAND_S, Finished

_OF_SLURM: Final = ("SBATCH_", "SCANCEL_", "SACCT_", "SCONTROL_", "SINFO_", "SQUEUE_", "SLURM_", "SRUN_")
_KEPT: Final = frozenset({"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"})


class Executor(Protocol):
    """What has a command run on another machine: a `Conversation`."""

    async def execute(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float, without: Callable[[str], bool]
    ) -> Finished:
        """See `Conversation`. Raises NotRun, Unclear."""
        ...


class LoginSite:
    """A `Site` at the other end of a conversation."""

    def __init__(
        self, executor: Executor, workdir: str, folder: str, hidden: Callable[[], Collection[str]] = tuple
    ) -> None:
        """`workdir` and `folder`: absolute, as the relay says when it is ready.

        `hidden`: names of variables that are secrets. Where the environment is the supervisor's, they would go along
        with sbatch into jobs that are none of theirs, and into what Slurm keeps.
        """
        self._executor = executor
        self._hidden = hidden
        self._workdir = workdir
        self._folder = folder

    @property
    def workdir(self) -> str:
        """See `Site`."""
        return self._workdir

    @property
    def folder(self) -> str:
        """See `Site`."""
        return self._folder

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = COMMAND_S) -> Finished:
        """See `Site`."""
        hidden = frozenset(self._hidden())
        return await self._executor.execute(
            argv, stdin=stdin, timeout_s=timeout_s, without=lambda name: name in hidden or overrides(name)
        )


def overrides(name: str) -> bool:
    """Whether a variable changes what Slurm's commands do beneath what they are told.

    SBATCH_JOB_NAME outdoes the name in a script, SQUEUE_STATES hides jobs, SLURM_TIME_FORMAT rewrites times: a login
    that has them is for a person, and what Holdfast finds out must not rest on it. Where the cluster is stays.
    """
    return name.startswith(_OF_SLURM) and name not in _KEPT
