"""The seam to a cluster: a place where Slurm's commands can be run, and how that can fail.

`login` has them run by a runner, on a login node or beside Slurm's commands on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from holdfast.events.errors import Unavailable

COMMAND_S: Final = 60.0
"""How long a command of Slurm's may take; its own time-outs are 9 to 45 s."""


class Finished(Struct, frozen=True):
    """A command that was seen to end. `exit_code` is negative, minus the signal's number, if a signal ended it."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""


class NotRun(Unavailable):
    """The command was surely never started: there is no such program, or no way to where it would run."""


class Unclear(Unavailable):
    """The command may have been started, and how it ended was not seen: it took too long, or the link was lost."""


class Site(Protocol):
    """Where Slurm's commands run. Its folders are shared with the nodes that jobs run on."""

    @property
    def workdir(self) -> str:
        """The absolute path of the folder that jobs work in."""
        ...

    @property
    def folder(self) -> str:
        """The absolute path of Holdfast's own folder in it, which is there, and private."""
        ...

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = COMMAND_S) -> Finished:
        """Run a command, without a shell, with the environment of the login there, in the workdir.

        Raises NotRun if it was surely never started, Unclear if that can't be known or its end was not seen.
        """
        ...
